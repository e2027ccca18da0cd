"""Forms of the unit agent: registering a unit, uploading a roster."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.forms.join import offices_by_province
from members.models import WorkUnit
from unionaid.web.asking import AskForm, KeyedForm
from unionaid.web.fields import CreditCodeField, PaperField

MAX_ROSTER = 20 * 1024 * 1024
MAX_STAFF = 1_000_000


class UnitForm(KeyedForm):
    """What the office wants to know of a unit."""

    name = forms.CharField(
        label=_("单位全称"), max_length=120, help_text=_("和营业执照或法人证书上一样"), error_messages={"required": _("请填写单位全称")}
    )
    credit_code = CreditCodeField(
        label=_("统一社会信用代码"), max_length=40, help_text=_("18 位，在营业执照或法人证书上"),
        error_messages={"required": _("请填写统一社会信用代码")},
    )  # fmt: skip
    nature = forms.ChoiceField(
        label=_("单位性质"), choices=[("", _("请选择")), *WorkUnit.Nature.choices],
        error_messages={"required": _("请选择单位性质"), "invalid_choice": _("请在列表里选择单位性质")},
    )  # fmt: skip
    civil_servant_subsidy = forms.BooleanField(label=_("职工享受公务员医疗补助"), required=False)
    headcount = forms.IntegerField(
        label=_("在职职工人数"), min_value=1, max_value=MAX_STAFF,
        error_messages={
            "required": _("请填写在职职工人数"), "invalid": _("请填写整数，例如 120"), "min_value": _("至少 1 人"),
            "max_value": _("人数太大，请核对"),
        },
    )  # fmt: skip
    women_count = forms.IntegerField(
        label=_("其中女职工人数"), min_value=0, max_value=MAX_STAFF,
        error_messages={
            "required": _("请填写女职工人数，没有就填 0"), "invalid": _("请填写整数，例如 50"), "min_value": _("不能小于 0"),
            "max_value": _("人数太大，请核对"),
        },
    )  # fmt: skip
    office = forms.ChoiceField(
        label=_("办事处"), help_text=_("选单位所在地的办事处"),
        error_messages={"required": _("请选择办事处"), "invalid_choice": _("请在列表里选择一个办事处")},
    )  # fmt: skip
    paper = PaperField(label=_("工会批准成立的文件（照片或 PDF）"))

    def __init__(self, *args: Any, unit: WorkUnit | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = [("", _("请选择")), *offices_by_province()]  # type: ignore[attr-defined]
        if unit is not None:  # what was returned is corrected; code and office stay
            del self.fields["credit_code"], self.fields["office"]
            self.fields["paper"].required = False
            self.fields["paper"].help_text = _("已上传过的不用再传")

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if (told.get("women_count") or 0) > (told.get("headcount") or MAX_STAFF):
            self.add_error("women_count", ValidationError(gettext("女职工人数不能大于职工人数，请核对")))
        return told


class RosterForm(AskForm):
    """The roster's file."""

    file = forms.FileField(
        label=_("名册文件"), widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv"}), help_text=_("xlsx、xls 或 csv，不超过 20 MB"),
        error_messages={"required": _("请选择名册文件"), "empty": _("文件是空的，请重新选择名册文件")},
    )  # fmt: skip

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_ROSTER:
            raise ValidationError(gettext("文件超过 20 MB，请分成几份上传"))
        return file

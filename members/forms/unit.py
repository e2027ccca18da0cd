"""Forms of the unit agent: registering a unit, changing its record, taking it over, uploading a roster."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from members.forms.join import offices_by_province
from members.models import WorkUnit
from members.services.units import FIELDS
from programs.rules.fees import Choice
from programs.rules.outline import payer_words
from unionaid.web.asking import AskForm, KeyedForm
from unionaid.web.dates import length
from unionaid.web.fields import CreditCodeField, PaperField, YuanField

MAX_ROSTER = 20 * 1024 * 1024
MAX_STAFF = 1_000_000
MOST_FILES = 10


class Papers(forms.FileInput):
    """Several files at once."""

    allow_multiple_selected = True

    def __init__(self) -> None:
        super().__init__(attrs={"accept": "image/*,application/pdf", "multiple": True})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """Every file that came; one as Django's test client sends it, many as browsers do."""
        return list(files.getlist(name)) if hasattr(files, "getlist") else [files[name]] if name in files else []


class PapersField(PaperField):
    """Photos or PDFs; the clean value is a list of harmless copies."""

    widget = Papers

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=Papers(), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        if len(data) > MOST_FILES:
            raise ValidationError(gettext("一次最多选 {count} 份文件，请分几次上传").format(count=MOST_FILES), code="invalid")
        if not data:
            super().clean(None, initial)
            return []
        return [super(PapersField, self).clean(one, initial) for one in data]


class UnitForm(KeyedForm):
    """What the office wants to know of a unit. As a draft (`draft`) only its name and the office are asked for."""

    name = forms.CharField(
        label=_("单位全称"), max_length=120, help_text=_("和营业执照或法人证书上一样"), error_messages={"required": _("请填写单位全称")}
    )
    credit_code = CreditCodeField(
        label=_("统一社会信用代码"), max_length=40, help_text=_("18 位，在营业执照或法人证书上；开头可以是数字，也可以是字母"),
        error_messages={"required": _("请填写统一社会信用代码")},
    )  # fmt: skip
    union_credit_code = CreditCodeField(
        label=_("工会统一社会信用代码"), max_length=40, required=False,
        help_text=_("在工会法人资格证书上，多数以 8 开头；工会还没有代码的可以不填"),
    )  # fmt: skip
    nature = forms.ChoiceField(
        label=_("单位性质"), choices=[("", _("请选择")), *WorkUnit.Nature.choices],
        error_messages={"required": _("请选择单位性质"), "invalid_choice": _("请在列表里选择单位性质")},
    )  # fmt: skip
    industry = forms.ChoiceField(
        label=_("行业"), help_text=_("按国民经济行业分类，选主要的一类"),
        error_messages={"required": _("请选择行业"), "invalid_choice": _("请在列表里选择行业")},
    )  # fmt: skip
    risk = forms.ChoiceField(
        label=_("工种风险"), choices=[("", _("不清楚")), *WorkUnit.Risk.choices], required=False,
        help_text=_("少数计划按工种风险收互助费；矿山井下、高空、爆破等属于高风险"),
        error_messages={"invalid_choice": _("请在列表里选择工种风险")},
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
    paper = PapersField(label=_("工会批准成立的文件（照片或 PDF，可以多选）"))

    def __init__(self, *args: Any, draft: bool = False, has_papers: bool = False, with_office: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["industry"].choices = [("", _("请选择")), *industry_choices()]  # type: ignore[attr-defined]
        if with_office:
            self.fields["office"].choices = [("", _("请选择")), *offices_by_province()]  # type: ignore[attr-defined]
        else:
            del self.fields["office"]
        if draft:
            for name, field in self.fields.items():
                field.required = name in ("key", "name", "office")
        if has_papers:
            self.fields["paper"].required = False
            self.fields["paper"].help_text = _("已上传过的不用再传")

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        headcount = told.get("headcount")
        if headcount is not None and (told.get("women_count") or 0) > headcount:
            self.add_error("women_count", ValidationError(gettext("女职工人数不能大于职工人数，请核对")))
        return told

    def values(self) -> dict[str, Any]:
        """For `services.units`."""
        told = {name: self.cleaned_data.get(name) for name in FIELDS}
        if told["headcount"] is None:  # a draft may count only the women yet
            told["headcount"] = told["women_count"] or 0
        told["women_count"] = told["women_count"] or 0
        return told


class ChangeForm(UnitForm):
    """Other values for an approved unit's record, and why."""

    reason = forms.CharField(
        label=_("变更原因"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("例如：更名批复文号")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, has_papers=True, **kwargs)
        self.fields["paper"].label = _("证明材料（照片或 PDF，可以多选）")
        self.fields["paper"].help_text = _("改单位名称或信用代码时必须上传；其他内容可以不传")
        self.fields["office"].help_text = _("单位划归另一个办事处时才改；要由两个办事处的上级审核")
        self.order_fields([*(name for name in self.fields if name not in ("reason", "paper")), "reason", "paper"])


class TakeOverForm(KeyedForm):
    """Which unit one takes over."""

    credit_code = CreditCodeField(
        label=_("单位的统一社会信用代码"), max_length=40, help_text=_("18 位，在营业执照或法人证书上"),
        error_messages={"required": _("请填写统一社会信用代码")},
    )  # fmt: skip


class StampedForm(AskForm):
    """The stamped form, photographed."""

    paper = PapersField(label=_("盖好章的申请表（照片或 PDF）"))


def industry_choices() -> list[tuple[str, Any]]:
    """The sections of the standard with their letters in front."""
    return [(code, format_lazy("{} {}", code, words)) for code, words in WorkUnit.Industry.choices]


def _bounds(months: int | None, choice: Choice) -> str:
    """What each person may be asked to pay of a share, for cover of so many months where there are several lengths."""
    words = gettext("不填按 {usual} 元；可以填 {least} 到 {most} 元，其余由{other}缴。")
    other = payer_words(choice.other).in_language(get_language() or "zh-hans")
    said = words.format(usual=choice.usual, least=choice.least, most=choice.most, other=other)
    return said if months is None else gettext("保障 {length}：{words}").format(length=length(months), words=said)


class RosterForm(AskForm):
    """The roster's file; for how long all on it are covered, where the plan offers several lengths (`terms`: months); and what each
    pays of a share, where the unit may set it (`choices`, by the length of cover; None: whatever the length)."""

    term_months = forms.TypedChoiceField(
        label=_("保障时间"), coerce=int, widget=forms.RadioSelect, help_text=_("名册上的职工都按这个时间缴费和保障"),
        error_messages={"required": _("请选择保障时间"), "invalid_choice": _("请在下面选择保障时间")},
    )  # fmt: skip
    person_fen = YuanField(label=_("每份由个人缴（元）"), required=False)
    file = forms.FileField(
        label=_("名册文件"), widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv"}), help_text=_("xlsx、xls 或 csv，不超过 20 MB"),
        error_messages={"required": _("请选择名册文件"), "empty": _("文件是空的，请重新选择名册文件")},
    )  # fmt: skip

    def __init__(self, *args: Any, terms: Sequence[int] = (), choices: Mapping[int | None, Choice] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if choices:
            self.fields["person_fen"].help_text = " ".join(_bounds(months, choice) for months, choice in choices.items())
        else:
            del self.fields["person_fen"]
        if len(terms) > 1:
            self.fields["term_months"].choices = [(months, length(months)) for months in terms]  # type: ignore[attr-defined]
        else:
            del self.fields["term_months"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_ROSTER:
            raise ValidationError(gettext("文件超过 20 MB，请分成几份上传"))
        return file

"""Forms of the desk for merging and dividing units."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.forms.unit import MAX_STAFF, industry_choices
from members.models import Member, WorkUnit
from unionaid.lib.calendar import today
from unionaid.lib.identity import IdentityError, IdNumber, parse_id_number
from unionaid.web.asking import KeyedForm
from unionaid.web.fields import CreditCodeField

MOST_LINES = 20_000
_BETWEEN = re.compile(r"[\s,，;；、]+")
_count_words = {
    "required": _("请填写人数"), "invalid": _("请填写整数，例如 120"), "min_value": _("不能小于 0"), "max_value": _("人数太大，请核对"),
}  # fmt: skip


class BasisForm(KeyedForm):
    """What the decision rests on."""

    basis = forms.CharField(
        label=_("依据"), max_length=300, help_text=_("例如：上级工会批复的文号和日期"), error_messages={"required": _("请填写依据")}
    )


class MergeForm(BasisForm):
    """How many people the unit has once the other one has come in."""

    headcount = forms.IntegerField(label=_("合并后的在职职工人数"), min_value=1, max_value=MAX_STAFF, error_messages=_count_words)
    women_count = forms.IntegerField(label=_("合并后的女职工人数"), min_value=0, max_value=MAX_STAFF, error_messages=_count_words)


class SplitForm(BasisForm):
    """The new unit, and who goes there: ticked in the list, or by ID numbers pasted in."""

    name = forms.CharField(label=_("新单位全称"), max_length=120, error_messages={"required": _("请填写单位全称")})
    credit_code = CreditCodeField(
        label=_("新单位统一社会信用代码"), max_length=40, error_messages={"required": _("请填写统一社会信用代码")}
    )
    union_credit_code = CreditCodeField(label=_("新单位工会统一社会信用代码"), max_length=40, required=False, help_text=_("没有的可以不填"))
    nature = forms.ChoiceField(
        label=_("单位性质"), choices=WorkUnit.Nature.choices, error_messages={"invalid_choice": _("请在列表里选择单位性质")}
    )
    industry = forms.ChoiceField(label=_("行业"), error_messages={"invalid_choice": _("请在列表里选择行业")})
    headcount = forms.IntegerField(label=_("新单位的在职职工人数"), min_value=1, max_value=MAX_STAFF, error_messages=_count_words)
    women_count = forms.IntegerField(label=_("新单位的女职工人数"), min_value=0, max_value=MAX_STAFF, error_messages=_count_words)
    numbers = forms.CharField(
        label=_("分过去的职工的身份证号"), required=False, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("从表格里整列复制粘贴，一行一个"),
    )  # fmt: skip
    people = forms.TypedMultipleChoiceField(
        label=_("或在名单里勾选"), help_text=_("粘贴和勾选可以一起用"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("选中的人里有不在这个单位的，请重新选择。")},
    )  # fmt: skip

    def __init__(self, *args: Any, shown: Sequence[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["industry"].choices = industry_choices()  # type: ignore[attr-defined]
        self.fields["people"].choices = [(one.pk, f"{one.name}（{one.birth_date.year}）") for one in shown]  # type: ignore[attr-defined]
        if not shown:
            del self.fields["people"]

    def clean_numbers(self) -> list[IdNumber]:
        """Every number that was pasted; the first that is none is named."""
        texts = [text for text in _BETWEEN.split(self.cleaned_data["numbers"]) if text]
        if len(texts) > MOST_LINES:
            raise ValidationError(gettext("一次最多 {count} 个身份证号").format(count=f"{MOST_LINES:,}"))
        found = []
        for line, text in enumerate(texts, 1):
            try:
                found.append(parse_id_number(text, on=today()))
            except IdentityError as error:
                words = gettext("第 {line} 个（{text}…）：{why}").format(line=line, text=text[:4], why=gettext(error.message))
                raise ValidationError(words) from error
        return found

    def values(self) -> dict[str, Any]:
        """For `services.lineage.split`."""
        names = ("name", "credit_code", "union_credit_code", "nature", "industry", "headcount", "women_count")
        return {name: self.cleaned_data[name] for name in names}

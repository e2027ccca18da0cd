"""Forms of the worker who joins: eligibility, for whom, how many shares, papers, and sending it in."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member, WorkUnit
from members.selectors.joining import unit_named
from programs.rules.eligibility import group_words
from programs.rules.facts import OPEN_ENDED, ORDINARY
from programs.rules.typical import Bill
from unionaid.lib.money import yuan_from_fen
from unionaid.offices.models import Office
from unionaid.web.asking import AskForm, ChoiceForm, KeyedForm, PastDayField, Text
from unionaid.web.fields import IdNumberField, NameField, PaperField, YuanField

Choices = Sequence[tuple[str, Text]]
YES_NO: Choices = (("yes", _("是")), ("no", _("不是")))
HAVE: Choices = (("yes", _("有")), ("no", _("没有")))
PAPERS: dict[str, Text] = {
    "contract": _("劳动合同或在职证明"),
    "insurance": _("医保参保证明（医保卡或参保记录）"),
    "union_card": _("工会会员证或入会证明"),
    "relation": _("亲属关系证明（户口本、结婚证或出生证）"),
    "other": _("其他证明"),
}


class EmploymentForm(ChoiceForm):
    """The first question: where one works, and since when."""

    joined_unit_on = PastDayField(label=_("什么时候到现在的单位（可不填）"), required=False)

    def __init__(self, data: Any, *, member: Member) -> None:
        initial = {"answer": member.employment, "joined_unit_on": member.joined_unit_on}
        super().__init__(data, label=_("您现在的工作情况是？"), choices=Member.Employment.choices, initial=initial)

    def told(self) -> dict[str, Any]:
        return {"employment": self.cleaned_data["answer"], "joined_unit_on": self.cleaned_data["joined_unit_on"] or None}


class YesNoForm(ChoiceForm):
    """A question that is answered with yes or no."""

    def __init__(self, data: Any, *, label: Text, help_text: Text, field: str, member: Member, choices: Choices = YES_NO) -> None:
        known = getattr(member, field)
        initial = {"answer": None if known is None else "yes" if known else "no"}
        super().__init__(data, label=label, help_text=help_text, choices=choices, initial=initial)
        self.field = field

    def told(self) -> dict[str, Any]:
        return {self.field: self.cleaned_data["answer"] == "yes"}


class InsuranceForm(ChoiceForm):
    """Is one in basic medical insurance, and in which kind: plans may be for one kind only."""

    ANSWERS = (
        ("employee", _("参加了职工医保（单位交的）")),
        ("resident", _("参加了居民医保（自己交的城乡居民医保）")),
        ("yes", _("参加了，不清楚是哪一种")),
        ("no", _("没有参加")),
    )

    def __init__(self, data: Any, *, member: Member) -> None:
        known = {None: None, False: "no", True: member.insurance_type or "yes"}[member.basic_insurance]
        words = _("有医保卡、正常缴费的就是参加了")
        super().__init__(data, label=_("您参加了基本医疗保险吗？"), help_text=words, choices=self.ANSWERS, initial={"answer": known})

    def told(self) -> dict[str, Any]:
        answer = self.cleaned_data["answer"]
        return {"basic_insurance": answer != "no", "insurance_type": answer if answer in Member.InsuranceType.values else ""}


class RetirementForm(AskForm):
    """When one retired; asked of retired people only, for plans that want a retirement within certain days."""

    retired_on = PastDayField(label=_("您是哪一天退休的？"), help_text=_("退休证或退休审批表上写的日期"))

    def __init__(self, data: Any, *, member: Member) -> None:
        super().__init__(data, initial={"retired_on": member.retired_on})

    def told(self) -> dict[str, Any]:
        return {"retired_on": self.cleaned_data["retired_on"]}


class ContractForm(ChoiceForm):
    """How long the labour contract is, in months; asked only for plans that want a contract of some length."""

    ANSWERS = (
        ("months", _("签了固定的时间（在下面填几个月）")),
        ("open", _("无固定期限合同")),
        ("none", _("没有签劳动合同")),
    )
    months = forms.IntegerField(
        label=_("合同一共几个月"), min_value=1, max_value=600, required=False,
        help_text=_("一年填 12，三年填 36；看签的总时间，不是还剩的时间"),
        error_messages={"invalid": _("请填整数的月数"), "min_value": _("至少 1 个月"), "max_value": _("请填月数，最多 600 个月")},
    )  # fmt: skip

    def __init__(self, data: Any, *, member: Member) -> None:
        known = member.contract_months
        answer = {None: None, 0: "none", OPEN_ENDED: "open"}.get(known, "months")
        initial = {"answer": answer, "months": known if answer == "months" else None}
        super().__init__(data, label=_("您的劳动合同签了多久？"), choices=self.ANSWERS, initial=initial)

    def clean(self) -> dict[str, Any]:
        told = dict(super().clean() or {})
        if told.get("answer") == "months" and not told.get("months") and "months" not in self.errors:
            self.add_error("months", gettext("请填写合同一共几个月"))
        return told

    def told(self) -> dict[str, Any]:
        lengths = {"open": OPEN_ENDED, "none": 0, "months": self.cleaned_data["months"]}
        return {"contract_months": lengths[self.cleaned_data["answer"]]}


class GroupForm(ChoiceForm):
    """Which of the staff groups one belongs to that plans take at an age of their own."""

    def __init__(self, data: Any, *, member: Member, groups: Sequence[str], language: str) -> None:
        choices = [(group, group_words(group).in_language(language)) for group in (*groups, ORDINARY)]
        words = _("有的计划对中高级职务（职称）人员另有年龄规定")
        super().__init__(data, label=_("您属于哪一类人员？"), help_text=words, choices=choices, initial={"answer": member.staff_group})

    def told(self) -> dict[str, Any]:
        return {"staff_group": self.cleaned_data["answer"]}


class RiskForm(ChoiceForm):
    """The class of one's work, where the unit has registered none."""

    def __init__(self, data: Any, *, member: Member) -> None:
        words = _("矿山、隧道、高空等作业是高风险工种；拿不准的请问单位经办人")
        super().__init__(
            data, label=_("您做的是哪一类工作？"), help_text=words, choices=WorkUnit.Risk.choices, initial={"answer": member.risk}
        )

    def told(self) -> dict[str, Any]:
        return {"risk": self.cleaned_data["answer"]}


class WorkForm(AskForm):
    """Where one works: the unit by its exact name or code; or, when the unit is not registered yet, the office."""

    unit = forms.CharField(
        label=_("单位全称或统一社会信用代码"), max_length=120, required=False,
        help_text=_("和单位登记的一样。单位还没有登记、或者不知道全称的，可以不填，直接在下面选办事处。"),
    )  # fmt: skip
    office = forms.ChoiceField(label=_("办事处"), required=False, help_text=_("选您单位所在地的办事处"))

    def __init__(self, data: Any, *, member: Member) -> None:
        initial = {"unit": member.unit.name if member.unit else "", "office": member.office_id}
        super().__init__(data, initial=initial)
        self.fields["office"].choices = [("", _("请选择")), *offices_by_province()]  # type: ignore[attr-defined]
        self.fields["office"].error_messages["invalid_choice"] = _("请在列表里选择一个办事处")

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        name = told.get("unit", "")
        told["found"] = unit_named(name) if name else None
        if name and told["found"] is None and "unit" not in self.errors:
            self.add_error("unit", gettext("没有找到这个单位。请对照单位证照再输一遍；单位还没有登记的，请清空这一栏，在下面选办事处。"))
        if not name and not told.get("office") and "office" not in self.errors:
            self.add_error("office", gettext("请填写单位，或者选择办事处"))
        return told


class BillForm(AskForm):
    """A hospital bill as the worker knows it: in all, what was left to bear, how much of that lies outside the catalogue."""

    total = YuanField(label=_("医疗费总额（元）"))
    personal = YuanField(label=_("医保报销后自己负担（元）"), help_text=_("总额减去医保报销的钱"))
    outside = YuanField(label=_("其中目录外自费（元）"), help_text=_("结算单上的“全自费”；没有的填 0"))
    days = forms.IntegerField(label=_("住院天数"), min_value=1, max_value=366, error_messages={"invalid": _("请填整数")})

    def clean(self) -> dict[str, Any]:
        told = dict(super().clean() or {})
        if "personal" in told and "total" in told and told["personal"] > told["total"]:
            self.add_error("personal", gettext("不能大于医疗费总额，请核对"))
        if "outside" in told and "personal" in told and told["outside"] > told["personal"]:
            self.add_error("outside", gettext("不能大于自己负担的金额，请核对"))
        return told

    def bill(self) -> Bill:
        """For `programs.rules.typical`."""
        told = self.cleaned_data
        return Bill(*(yuan_from_fen(told[name]) for name in ("total", "personal", "outside")), told["days"])


def offices_by_province() -> list[tuple[str, list[tuple[int, str]]]]:
    """Offices by the province they belong to. One statement."""
    rows = list(Office.objects.exclude(level=Office.Level.HEADQUARTERS).order_by("path"))
    provinces = {row.pk: row for row in rows if row.level == Office.Level.PROVINCE}
    groups: dict[str, list[tuple[int, str]]] = {row.name: [] for row in provinces.values()}
    for row in rows:
        above = row if row.pk in provinces else next((p for p in provinces.values() if row.path.startswith(p.path)), row)
        groups.setdefault(above.name, []).append((row.pk, row.name))
    return list(groups.items())


class PersonForm(KeyedForm):
    """A spouse or a child who is not known yet; for a child the guardian's consent."""

    name = NameField(label=_("姓名"), error_messages={"required": _("请填写姓名")})
    id_number = IdNumberField(label=_("身份证号"), error_messages={"required": _("请填写身份证号")})
    consent = forms.BooleanField(error_messages={"required": _("请先勾选同意，没有同意我们不能处理家人的信息")})

    def __init__(self, *args: Any, relation: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        child, spouse = _("我是孩子的监护人，同意为参加互助处理孩子的个人信息。"), _("我的配偶同意为参加互助处理其个人信息。")
        self.fields["consent"].label = child if relation == "minor_child" else spouse


class PaperForm(AskForm):
    """One paper of one kind."""

    kind = forms.ChoiceField(
        label=_("这是什么证明"), widget=forms.RadioSelect,
        error_messages={"required": _("请选择是什么证明"), "invalid_choice": _("请在下面选择是什么证明")},
    )  # fmt: skip
    file = PaperField(label=_("照片或 PDF"))

    def __init__(self, *args: Any, kinds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, PAPERS[kind]) for kind in kinds]  # type: ignore[attr-defined]


class SharesForm(ChoiceForm):
    """How many shares; `words` says what each number costs. `fixed`: the others of one's unit have this number, and everyone has the
    same."""

    def __init__(self, data: Any, *, words: Sequence[tuple[str, Text]], shares: int, fixed: bool = False) -> None:
        why = _("这个计划要求同一单位的职工份数相同，您单位已参加的职工都是这个份数") if fixed else ""
        super().__init__(data, label=_("参加几份？"), help_text=why, choices=words, initial={"answer": str(shares)})

    def clean_answer(self) -> int:
        try:
            return int(self.cleaned_data["answer"])
        except ValueError:
            raise ValidationError(gettext("请选择份数")) from None


class TermForm(ChoiceForm):
    """For how long, of the lengths a plan offers; `words` says until when each runs and what it costs."""

    def __init__(self, data: Any, *, words: Sequence[tuple[str, Text]], months: int | None) -> None:
        super().__init__(data, label=_("保障多长时间？"), choices=words, initial={"answer": str(months or "")})


class SendForm(KeyedForm):
    """The promise that the answers are true."""

    true = forms.BooleanField(
        label=_("我填写的内容和上传的证明都是真实的，我已看过这个计划的条款。"), error_messages={"required": _("请先勾选确认")}
    )


class TakeBackForm(KeyedForm):
    """Nothing but a key."""

"""Forms of this room: they check the shape of what is typed; services decide."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.models import Admission, Claim
from claims.selectors.needs import Needs
from members.models import BankCard
from members.services.people import masked_card
from programs.rules.facts import ACCIDENTS, AFTER_ACCIDENT, HARDSHIP, SETTLEMENT_FIELDS
from unionaid.lib.identity import parse_bank_card
from unionaid.lib.money import format_yuan
from unionaid.web.asking import AskForm, KeyedForm, PastDayField, Text
from unionaid.web.fields import BankCardField, PaperField, YuanField

MAX_FILES_AT_ONCE = 12


def _ask(label: Text) -> dict[str, Any]:
    """A label with the sentence for whoever leaves it empty."""
    return {"label": label, "error_messages": {"required": format_lazy("{}{}", _("请填写"), label)}}


def _choose(label: Text) -> dict[str, Any]:
    words = format_lazy("{}{}", _("请选择"), label)
    return {"label": label, "error_messages": {"required": words, "invalid_choice": words}}


class FieldGroup:
    """Some fields of a form, shaped as `parts/fields.html` reads a form."""

    def __init__(self, form: forms.Form, names: Iterable[str], *, hidden: bool = False) -> None:
        self.hidden_fields = form.hidden_fields() if hidden else []
        self.visible_fields: list[BoundField] = [form[name] for name in names if name in form.fields]

    @property
    def has_content(self) -> bool:
        """Is something typed here, or wrong?"""
        return any(field.errors or field.value() not in (None, "", "0", "0.00") for field in self.visible_fields)


# -- beginning ------------------------------------------------------------------------------------------------------


class HappenedForm(AskForm):
    """What happened: one thing, or several that belong together."""

    answer = forms.MultipleChoiceField(
        label=_("发生了什么事？"), widget=forms.CheckboxSelectMultiple,
        help_text=_("可以选几项：比如住院时查出重大疾病，两项都选。同一件事只用填一次，材料也只用传一次。"),
        error_messages={"required": _("请至少选择一项"), "invalid_choice": _("请在下面选择")},
    )  # fmt: skip

    def __init__(self, data: Any, *, choices: Sequence[tuple[str, Text]], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["answer"].choices = choices  # type: ignore[attr-defined]

    def clean_answer(self) -> list[str]:
        told: list[str] = self.cleaned_data["answer"]
        for together, words in APART:
            if len(told) > 1 and together <= {*told}:
                raise ValidationError(words)
        return told


class DayForm(AskForm):
    """When it happened: a day for each kind of event, the only one under the name `answer`."""

    def __init__(self, data: Any, *, events: Sequence[str], days: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.names = {event: f"answer_{event}" if len(events) > 1 else "answer" for event in events}
        for event, name in self.names.items():
            label, words = DAY_WORDS[event]
            self.fields[name] = PastDayField(label=label, help_text=words, initial=days.get(event))
            self.fields[name].error_messages["required"] = _("请填写日期，例如 2026-03-01")
        if {*events} & {*AFTER_ACCIDENT} and not {*events} & {*ACCIDENTS}:
            words = _("意外没有等待期，看受伤那天有没有保障；因为生病的，这里不填")
            label = _("是意外受伤引起的，填受伤的那一天（可不填）")
            self.fields["accident_on"] = PastDayField(label=label, help_text=words, required=False, initial=days.get("accident"))

    def accident(self) -> str:
        """The day of the accident that led to it, where there was one."""
        names = ["accident_on", *(name for event, name in self.names.items() if event in ACCIDENTS)]
        on = next((self.cleaned_data[name] for name in names if self.cleaned_data.get(name)), None)
        return on.isoformat() if on else ""

    def days(self) -> dict[str, str]:
        """The day of each kind of event."""
        return {event: self.cleaned_data[name].isoformat() for event, name in self.names.items()}


class CoverForm(KeyedForm):
    """Under which covers, and the separate consent that medical matters may be handled."""

    cover = forms.MultipleChoiceField(
        label=_("用这些保障申领"), widget=forms.CheckboxSelectMultiple,
        help_text=_("都已为您选好，材料和费用只填一次；不想用的可以去掉"),
        error_messages={"required": _("请至少选择一份保障"), "invalid_choice": _("请在下面选择保障")},
    )  # fmt: skip
    consent = forms.BooleanField(
        label=_("我单独同意：为办理这次申领，办事处处理我填写和上传的医疗健康信息。"),
        error_messages={"required": _("请先勾选同意，没有您的同意我们不能处理医疗信息")},
    )

    def __init__(
        self, data: Any, *, covers: Sequence[tuple[str, Text]], events: Iterable[str] = (), behalf: str = "", **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        word_consent(self.fields["consent"], events)
        if behalf:  # whose consent it is; the paper that shows it is asked for later
            words = _("我确认：{name}本人委托我代办，并同意办事处为办理这次申领处理有关信息。我会上传本人签名的委托书或说明。")
            self.fields["consent"].label = format_lazy(words, name=behalf)
            self.fields["consent"].error_messages["required"] = _("请先勾选确认；没有本人的委托不能代办")
        self.fields["cover"].choices = covers  # type: ignore[attr-defined]
        self.fields["cover"].initial = [key for key, _words in covers]
        if {*events} == {HARDSHIP} and len(covers) > 1:  # one difficulty is not another: which programme it is, only the person knows
            self.fields["cover"].initial, self.fields["cover"].help_text = [], _("请选择要申请的项目")
        if len(covers) == 1:
            self.fields["cover"].label, self.fields["cover"].help_text = _("可以用的保障"), ""


def word_consent(field: forms.Field, events: Iterable[str]) -> None:
    """Ask for the consent that these events need: about the family's means where help in hardship may be applied for."""
    told = {*events}
    if HARDSHIP not in told:
        return
    field.error_messages["required"] = _("请先勾选同意，没有您的同意我们不能处理这些信息")
    if told == {HARDSHIP}:
        field.label = _("我单独同意：为办理这次申请，办事处处理我填写和上传的家庭和经济情况信息。")
    else:
        field.label = _("我单独同意：为办理这次申请，办事处处理我填写和上传的医疗健康信息或家庭和经济情况信息。")


# What is told apart, with the words for it: the figures of one would be taken for the other's.
APART: tuple[tuple[set[str], Text], ...] = (
    ({"outpatient"}, _("门诊的费用请单独申领一次：请只选“门诊”，或者先去掉它")),
    ({"hardship"}, _("困难帮扶请单独申请一次：请只选这一项，或者先去掉它")),
    ({"accident_death", "disease_death"}, _("意外身故和因病身故只能选一项，请看死亡证明上的原因")),
)

# -- what happened --------------------------------------------------------------------------------------------------


KIND_HINT = _("情况不同，申领的最后一天也不同；办事处会对照材料核对")


class WhatForm(AskForm):
    """An accident or a death: when, where, how, and what of it the plan does not pay for."""

    accident_on = PastDayField(**_ask(_("意外发生的日期")))
    death_on = PastDayField(**_ask(_("身故日期")), help_text=_("和死亡证明上一样"))
    event_kind = forms.ChoiceField(**_choose(_("这次是哪一种情况")), widget=forms.RadioSelect, help_text=KIND_HINT)
    happened = forms.CharField(
        **_ask(_("在哪里、怎么发生的")), max_length=1000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("例如：3月1日早上8点，上班路上在人民路骑电动车被小汽车撞倒，右腿骨折。"),
    )  # fmt: skip
    circumstances = forms.MultipleChoiceField(
        label=_("有没有下面这些情况？"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("条款规定这些情况不给付。有的请如实勾选，都没有就不用选；办事处会对照材料核实。"),
        error_messages={"invalid_choice": _("请在列出的情况里选择")},
    )  # fmt: skip

    def __init__(self, data: Any, *, claim: Claim, needs: Needs, language: str, **kwargs: Any) -> None:
        super().__init__(data, initial={name: getattr(claim, name) for name in self.base_fields}, **kwargs)
        self.event = claim.event
        told = {"circumstances": needs.circumstances, "event_kind": needs.kinds if claim.event == "accident_death" else ()}
        for name, choices in told.items():
            self.fields[name].choices = [(code, words.in_language(language)) for code, words in choices]  # type: ignore[attr-defined]
            if not choices:
                del self.fields[name]
        if claim.event == "disease_death":
            del self.fields["accident_on"]
            self.fields["happened"].required = False
            self.fields["happened"].label = _("需要说明的情况（可不填）")
            self.fields["happened"].help_text = ""
        if claim.event == "accident_disability":
            del self.fields["death_on"]

    def facts(self) -> dict[str, Any]:
        """For `intake.tell`. The day of a death by disease is the day that counts."""
        told = dict(self.cleaned_data)
        return told | {"event_on": told["death_on"]} if self.event == "disease_death" else told


LISTED = _("本计划条款所列的疾病")
GRADES = (("3", _("三级医院")), ("2", _("二级医院")), ("1", _("一级医院、社区或乡镇卫生院")))
DAY_WORDS: dict[str, tuple[Text, Text]] = {
    "admission": (_("哪天入院的？"), _("住过几次的，填第一次入院的日期")),
    "outpatient": (_("哪天看的病？"), _("看过几次的，填第一次的日期")),
    "diagnosis": (_("哪天确诊的？"), _("癌症以病理报告的日期为准，其他疾病以确诊报告或入院日期为准")),
    "surgery": (_("哪天做的手术？"), _("和手术记录上一样")),
    "accident_disability": (_("哪天发生的意外？"), _("填受伤的那一天，不是鉴定的那一天")),
    "accident_death": (_("哪天发生的意外？"), _("填出事的那一天")),
    "disease_death": (_("哪天去世的？"), _("和死亡证明上一样")),
    "hardship": (_("哪一天的情况？"), _("助学填收到录取通知书或开学的日期，创业填放款或开业的日期，其他困难填发生的日期")),
}


class MedicalForm(AskForm):
    """Hospital and diagnosis; only what this plan needs for this event is required."""

    event_on = PastDayField(**_ask(_("确诊日期")))
    event_kind = forms.ChoiceField(
        **_choose(_("这次是哪一种情况")), widget=forms.RadioSelect, help_text=KIND_HINT
    )
    diagnosis_class = forms.ChoiceField(
        **_choose(_("属于哪一类")), widget=forms.RadioSelect, help_text=_("按诊断证明上写的选；拿不准可以问主治医生或单位经办人")
    )
    disability_grade = forms.ChoiceField(**_choose(_("伤残等级")), help_text=_("看伤残鉴定书，1 级最重，10 级最轻"))
    hospital = forms.CharField(**_ask(_("医院名称")), max_length=120, help_text=_("和结算单或出院记录上一样"))
    diagnosis = forms.CharField(**_ask(_("诊断")), max_length=200, help_text=_("照着出院记录或诊断证明抄，例如：急性阑尾炎"))
    diagnosis_code = forms.CharField(
        label=_("疾病编码（可不填）"), max_length=20, required=False, help_text=_("结算单上有时印着，例如 K35.8；没有就不填")
    )
    by_accident = forms.ChoiceField(
        **_choose(_("是不是意外受伤引起的")), widget=forms.RadioSelect, choices=[("no", _("不是，因为生病")), ("yes", _("是，意外受伤"))],
        help_text=_("意外受伤没有等待期，看出事那天有没有保障。几次住院或看病的原因不同的，请分开申领。"),
    )  # fmt: skip
    accident_on = PastDayField(label=_("意外发生的日期"), required=False, help_text=_("上面选了“是”才填：受伤的那一天"))
    other_aid = YuanField(
        **_ask(_("其他渠道已给的补助（元）")),
        help_text=_("单位补助、慈善救助、商业补充等为这次费用已经给的钱，加在一起；没有的填 0。这里核定的互助金会自动扣减，不用填"),
    )

    def __init__(self, data: Any, *, claim: Claim, needs: Needs, language: str, **kwargs: Any) -> None:
        initial = {name: getattr(claim, name) for name in self.base_fields if name not in ("other_aid", "by_accident")}
        if claim.other_aid_fen is not None:
            initial["other_aid"] = format_yuan(claim.other_aid_fen).replace(",", "")
        initial["by_accident"] = "yes" if claim.accident_on else "no" if claim.diagnosis else None
        super().__init__(data, initial=initial, **kwargs)
        self._shape(claim.event, needs)
        if needs.kinds:
            kinds = [(kind, words.in_language(language)) for kind, words in needs.kinds]
            self.fields["event_kind"].choices = kinds  # type: ignore[attr-defined]
        if needs.classes:
            choices = [(code, words.in_language(language) or LISTED) for code, words in needs.classes]
            self.fields["diagnosis_class"].choices = choices  # type: ignore[attr-defined]
        if needs.grades:
            choices = [(grade, format_lazy("{} {}", grade, _("级"))) for grade in needs.grades]
            self.fields["disability_grade"].choices = [("", _("请选择")), *choices]  # type: ignore[attr-defined]

    def _shape(self, event: str, needs: Needs) -> None:
        ill = event not in ("accident_disability", "disease_death")
        asked = {
            "event_on": event in ("diagnosis", "surgery"),
            "event_kind": needs.kinds,
            "diagnosis_class": needs.classes,
            "disability_grade": needs.grades,
            "by_accident": event in AFTER_ACCIDENT,
            "accident_on": event in AFTER_ACCIDENT,
            "diagnosis_code": ill or needs.diagnosis_code,
            "other_aid": needs.other_aid,
        }
        for name in (name for name, is_asked in asked.items() if not is_asked):
            del self.fields[name]
        if event == "surgery":
            self.fields["event_on"].label = _("手术日期")
        if event == "accident_disability":
            self._optional("hospital", _("治疗的医院（可不填）"))
            self._optional("diagnosis", _("伤情诊断（可不填）"))
        if event == "disease_death":
            self._optional("hospital", _("最后治疗的医院（可不填）"))
            self.fields["diagnosis"].label = _("死亡原因")
            self.fields["diagnosis"].help_text = _("和死亡证明上一样")

    def _optional(self, name: str, label: Text) -> None:
        self.fields[name].required, self.fields[name].label = False, label

    def leave_out_accident(self) -> None:
        """The accident is told on another page already."""
        for name in ("by_accident", "accident_on"):
            self.fields.pop(name, None)

    def clean_diagnosis_code(self) -> str:
        plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", self.cleaned_data["diagnosis_code"])).upper()
        if plain and not re.fullmatch(r"[A-Z][0-9]{2}[0-9A-Z.*+/-]{0,16}", plain):
            raise ValidationError(gettext("疾病编码以一个字母开头，例如 K35.8；不清楚可以不填"))
        return plain

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        by_accident, accident_on = told.get("by_accident"), told.get("accident_on")
        if by_accident == "yes" and not accident_on and "accident_on" not in self.errors:
            self.add_error("accident_on", ValidationError(gettext("请填写意外发生的日期，例如 2026-03-01")))
        if by_accident == "no" and accident_on:
            self.add_error("accident_on", ValidationError(gettext("上面选了“不是”，请把这里清空；是意外引起的，请在上面选“是”")))
        return told

    def facts(self) -> dict[str, Any]:
        """For `intake.tell`."""
        told = {name: value for name, value in self.cleaned_data.items() if name != "by_accident"}
        if "accident_on" in told:
            told["accident_on"] = told["accident_on"] or None
        if "disability_grade" in told:
            told["disability_grade"] = int(told["disability_grade"]) if told["disability_grade"] else None
        if "other_aid" in told:
            told["other_aid_fen"] = told.pop("other_aid")
        return told


# -- the settlement -------------------------------------------------------------------------------------------------

FIGURES: dict[str, tuple[Text, Text]] = {
    "medfee_sumamt": (_("医疗费总额"), _("结算单上的“医疗费用总额”或“费用合计”")),
    "fund_pay_sumamt": (_("基金支付总额"), _("医保已经替您付掉的部分，各项基金加在一起")),
    "psn_part_amt": (_("个人负担总额"), _("您自己承担的全部，也就是总额减去基金支付；刷医保卡个人账户的也算")),
    "fulamt_ownpay_amt": (
        _("全自费金额"),
        _("医保目录以外、医保一分不管的药和项目。“自费”不等于“自付”：自付是目录以内由您分担的部分，系统会自己算出来"),
    ),
    "overlmt_selfpay": (_("超限价自费"), _("价格超过医保限价的部分；结算单上没有这一项就不填")),
    "preselfpay_amt": (_("先行自付"), _("乙类药品、项目先由您付的那一份；没有就不填")),
    "acct_pay": (_("个人账户支付"), _("从医保卡个人账户里扣的钱，也是您自己的钱")),
    "acct_mulaid_pay": (_("个人账户共济支付"), _("用家人医保个人账户里的钱付的部分；没有就不填")),
    "psn_cash_pay": (_("个人现金支付"), _("您用现金、微信或银行卡付的钱。“现金”不等于“自付”，它可能同时包含自付和自费")),
    "inscp_scp_amt": (_("符合政策范围金额"), _("医保目录以内的费用")),
    "act_pay_dedc": (_("实际支付起付线"), _("医保开始付钱以前先由您付的那一段，也叫“门槛费”；它已经算在个人负担总额里")),
    "hifp_pay": (_("基本统筹基金支出"), _("医保基金里付得最多的一项；单子上常写“统筹支付”")),
    "hifob_pay": (_("职工大额补助"), _("统筹基金付到顶以后接着付的部分；单子上常写“大额”")),
    "cvlserv_pay": (_("公务员医疗补助"), _("享受公务员医疗补助的才有；没有就不填")),
    "hifmi_pay": (_("居民大病保险支出"), _("参加居民医保的才有；没有就不填")),
    "hifes_pay": (_("企业补充医疗支出"), _("单位办的补充医疗付的部分；没有就不填")),
    "maf_pay": (_("医疗救助支出"), _("民政或医保的医疗救助付的部分；没有就不填")),
    "oth_pay": (_("其他支付"), _("上面几项以外的基金付的部分；没有就不填")),
    "hosp_part_amt": (_("医院负担"), _("很少见，没有就不填")),
}
ZERO_IS_USUAL = ("overlmt_selfpay", "preselfpay_amt")


class StayForm(KeyedForm):
    """One stay in hospital, or one outpatient settlement, with the figures this plan calculates with in front."""

    admitted_on = PastDayField(**_ask(_("入院日期")))
    discharged_on = PastDayField(**_ask(_("出院日期")), help_text=_("还没有出院的，请出院结算后再填"))
    hospital_grade = forms.ChoiceField(**_choose(_("医院等级")), widget=forms.RadioSelect, help_text=_("这一次去的医院；结算单上有时印着"))
    setl_id = forms.CharField(label=_("结算编号"), max_length=40, required=False)
    invoice_number = forms.CharField(label=_("票据号码"), max_length=40, required=False)

    def __init__(self, data: Any, *, claim: Claim, needs: Needs, stay: Admission | None = None, **kwargs: Any) -> None:
        super().__init__(data, initial=_stay_initial(claim, stay, needs), **kwargs)
        self.by_grade = needs.hospital_grade
        self.fields["hospital_grade"].required = self.by_grade
        self.fields["hospital_grade"].choices = [*GRADES, *([] if self.by_grade else [("", _("不清楚"))])]  # type: ignore[attr-defined]
        self.front = list(needs.figures)
        self.more = [name for name in FIGURES if name not in needs.figures]
        for name in (*self.front, *self.more):
            label, words = FIGURES[name]
            self.fields[name] = YuanField(**_ask(label), help_text=words, required=name in _must_be_told(needs))
        if claim.event == "outpatient":
            del self.fields["discharged_on"]
            self.fields["admitted_on"].label = _("就诊或结算日期")

    @property
    def days(self) -> FieldGroup:
        grade = ("hospital_grade",) if self.by_grade else ()
        return FieldGroup(self, ("admitted_on", "discharged_on", *grade), hidden=True)

    @property
    def figures(self) -> FieldGroup:
        return FieldGroup(self, self.front)

    @property
    def others(self) -> FieldGroup:
        grade = () if self.by_grade else ("hospital_grade",)
        return FieldGroup(self, (*self.more, *grade, "setl_id", "invoice_number"))

    def stay(self) -> dict[str, Any]:
        """For `intake.set_stay`; what was left empty is not told."""
        told = self.cleaned_data
        fen = {name: told[name] for name in SETTLEMENT_FIELDS if told.get(name) not in (None, "")}
        return {
            "admitted_on": told["admitted_on"],
            "discharged_on": told.get("discharged_on") or told["admitted_on"],
            "fen": fen,
            "hospital_grade": int(told["hospital_grade"]) if told.get("hospital_grade") else None,
            "papers": {name: told[name] for name in ("setl_id", "invoice_number")},
        }


def _must_be_told(needs: Needs) -> set[str]:
    """The figures that nobody may leave empty; nothing is told as 0."""
    return {*needs.figures} - {*ZERO_IS_USUAL}


def _stay_initial(claim: Claim, stay: Admission | None, needs: Needs) -> Mapping[str, Any]:
    """What is kept of a stay; a 0 where it had to be told, so that whoever corrects another figure need not tell it once more. What was
    carried over from another claim was asked for by that one's plan alone."""
    if stay is None:
        return {"admitted_on": claim.event_on if not claim.admissions.exists() else None, "hospital_grade": ""}
    figures = {name: getattr(stay, f"{name}_fen") for name in SETTLEMENT_FIELDS}
    must = {"fund_pay_sumamt", *(_must_be_told(needs) if claim.follows_id is None else ())}
    shown = {name: format_yuan(fen).replace(",", "") for name, fen in figures.items() if fen or name in must}
    days = {name: getattr(stay, name) for name in ("admitted_on", "discharged_on", "setl_id", "invoice_number")}
    return {**shown, **days, "hospital_grade": str(stay.hospital_grade or "")}


# -- papers ---------------------------------------------------------------------------------------------------------


class _ManyFiles(forms.FileInput):
    allow_multiple_selected = True


class PapersField(PaperField):
    """One or several photos or PDFs at once; the clean value is a list of harmless copies. A bad one is named."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", _ManyFiles(attrs={"accept": "image/*,application/pdf"}))
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        if not files:
            return super().clean(None, initial)
        if len(files) > MAX_FILES_AT_ONCE:
            raise ValidationError(gettext("一次最多选 {count} 个文件，请分几次上传").format(count=MAX_FILES_AT_ONCE))
        clean, wrong = [], []
        for file in files:
            try:
                clean.append(PaperField.clean(self, file, initial))
            except ValidationError as error:
                wrong += [gettext("{name}：{why}").format(name=file.name[:60], why=why) for why in error.messages]
        if wrong:
            raise ValidationError(wrong)
        return clean


class PapersForm(AskForm):
    """Papers of one kind."""

    kind = forms.ChoiceField(widget=forms.HiddenInput(), **_choose(_("材料的种类")))
    files = PapersField(label=_("照片或 PDF"))

    def __init__(self, *args: Any, kinds: Sequence[tuple[str, Text]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]


# -- account --------------------------------------------------------------------------------------------------------


class _BankConsent(KeyedForm):
    consent = forms.BooleanField(
        label=_("我单独同意：为付款把这个账户的信息提供给银行。"), error_messages={"required": _("请先勾选同意，没有您的同意银行不能付款")}
    )

    def __init__(self, *args: Any, behalf: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if behalf:  # whoever files says so for the claimant; the consent itself is on the paper
            words = _("我确认：这是{name}本人的账户，本人同意为付款把账户信息提供给银行。")
            self.fields["consent"].label = format_lazy(words, name=behalf)


class CardForm(_BankConsent):
    """One of the accounts that are kept already."""

    card = forms.ChoiceField(widget=forms.RadioSelect, **_choose(_("收款账户")))

    def __init__(self, data: Any, *, cards: Sequence[BankCard], chosen: int | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="kept_%s", **kwargs)
        self.order_fields(["key", "card", "consent"])
        self.fields["card"].choices = [(str(card.pk), card_words(card)) for card in cards]  # type: ignore[attr-defined]
        self.fields["card"].initial = str(chosen or (cards[0].pk if cards else ""))


class AccountForm(_BankConsent):
    """An account that is not kept yet, typed twice. A wrong check digit must be confirmed: passbooks have none."""

    bank_name = forms.CharField(**_ask(_("开户银行")), max_length=80, help_text=_("例如：中国农业银行榆林分行"))
    number = BankCardField(**_ask(_("银行卡号或账号")), help_text=_("只能用本人名下的账户"))
    number_again = BankCardField(label=_("再输一遍账号"), error_messages={"required": _("请再输一遍账号，防止输错")})
    sure = forms.BooleanField(label=_("我对照银行卡核对过，账号没有输错（存折等账号可以勾选）"), required=False)

    doubtful = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="new_%s", **kwargs)
        self.order_fields(["key", "bank_name", "number", "number_again", "sure", "consent"])

    @property
    def shown(self) -> FieldGroup:
        """The fields to show; the confirmation only once it is needed."""
        asked = {"sure"} if self.doubtful or self["sure"].value() else set()
        return FieldGroup(self, [name for name in self.fields if name not in {"key", "sure"} - asked], hidden=True)

    def clean_bank_name(self) -> str:
        name = " ".join(self.cleaned_data["bank_name"].split())
        if not re.fullmatch(r"[\w\uff08\uff09()·\- ]{2,80}", name) or not re.search(r"[^\W\d_]", name):
            raise ValidationError(gettext("请填写银行的名称，例如 中国农业银行榆林分行"))
        return name

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        number, again = told.get("number"), told.get("number_again")
        if number and again and number != again:
            self.add_error("number_again", ValidationError(gettext("两次输入的账号不一样，请对照银行卡再输一遍")))
        elif number and again and not told.get("sure") and not parse_bank_card(number).luhn_ok:
            self.doubtful = True
            words = gettext("账号的校验位不对，多半是输错了一位。请对照银行卡再核对；确实没有输错的，勾选下面的确认")
            self.add_error("number", ValidationError(words))
        return told


def card_words(card: BankCard) -> str:
    """中国农业银行 尾号 0018（王小明）"""
    return gettext("{bank} {number}（户名 {owner}）").format(bank=card.bank_name, number=masked_card(card), owner=card.owner_name)


# -- sending in -----------------------------------------------------------------------------------------------------


class SubmitForm(KeyedForm):
    """The claimant stands by what they told."""

    declaration = forms.BooleanField(
        label=_("我确认：以上内容和材料都是真实的，并同意办事处向医院或医保部门核实。"), error_messages={"required": _("请先勾选确认")}
    )

    def __init__(self, data: Any, *, events: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if {*events} == {HARDSHIP}:
            self.fields["declaration"].label = _("我确认：以上内容和材料都是真实的，并同意办事处向学校、银行、社区等单位核实。")


class WithdrawForm(AskForm):
    """Taking back is asked twice: the page is the second question."""

"""The facts of a claim that the first reviewer settles from the papers, where the plan's rules ask for them."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.forms import GRADES, LISTED
from claims.help_form import FigureFields
from claims.models import Admission, Claim
from claims.selectors.needs import Needs, needs_of
from claims.services import adjudication
from programs.rules.facts import ACCIDENTS, AFTER_ACCIDENT, HARDSHIP
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.web.asking import AskForm, PastDayField
from unionaid.web.fields import YuanField
from unionaid.workflow.asking import attempt


class SeenField(forms.IntegerField):
    """The version of the claim when the page was opened."""

    widget = forms.HiddenInput
    default_error_messages = dict.fromkeys(("invalid", "min_value", "max_value"), _("请刷新页面，再办理"))

    def __init__(self) -> None:
        super().__init__(required=False, min_value=0, max_value=2**31 - 1)


class FactsForm(AskForm):
    """What the plan's rules look at in this claim; what is left empty is not known."""

    event_kind = forms.ChoiceField(label=_("申领期限按哪一种"), required=False)
    diagnosis_class = forms.ChoiceField(label=_("给付类别"), required=False)
    disability_grade = forms.TypedChoiceField(label=_("伤残等级"), required=False, coerce=int, empty_value=None)
    diagnosis_code = forms.RegexField(
        "^([A-Za-z][0-9]{2}[0-9A-Za-z.*+/-]{0,16})?$", label=_("疾病编码"), required=False, help_text=_("按出院记录或病理报告，例如 C50.9"),
        error_messages={"invalid": _("疾病编码以一个字母开头，例如 K35.8")},
    )  # fmt: skip
    accident_on = PastDayField(label=_("意外发生的日期"), required=False, help_text=_("不是意外引起的，空着；意外没有等待期，从这一天算起"))
    other_aid = YuanField(label=_("其他渠道已给的补助（元）"), required=False, help_text=_("没有的填 0；还没有问清的空着"))
    circumstances = forms.MultipleChoiceField(
        label=_("属于下列除外情形"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("查实的才选")
    )
    note = forms.CharField(label=_("依据（只有办理人看到）"), max_length=500, help_text=_("例如：病理报告第 2 页"))

    def __init__(self, data: Any, *, claim: Claim, schedule: Schedule, language: str) -> None:
        super().__init__(data, initial=_initial(claim))
        needs = needs_of(schedule, claim.event)
        self._stays = list(claim.admissions.all()) if needs.hospital_grade else []
        found = [one for one in schedule.exclusions if one.circumstance]
        choices: Mapping[str, list[tuple[Any, Any]]] = {
            "event_kind": [(kind, words.in_language(language)) for kind, words in needs.kinds],
            "diagnosis_class": [(code, words.in_language(language) or LISTED) for code, words in needs.classes],
            "disability_grade": [(grade, gettext("{grade} 级").format(grade=grade)) for grade in needs.grades],
            "circumstances": [(one.circumstance, f"{one.name.in_language(language)}（{one.clause}）") for one in found],
        }
        for name, options in choices.items():
            first = [] if name == "circumstances" else [("", _("不清楚"))]
            self.fields[name].choices = [*first, *options]  # type: ignore[attr-defined]
        for name, is_asked in _asked(claim.event, needs, bool(found)).items():
            if not is_asked:
                del self.fields[name]
        if claim.event in ACCIDENTS:
            self.fields["accident_on"].required = True
        self._figures = FigureFields(self, claim, needs.asks, language)
        for stay in self._stays:
            self.fields[_grade_of(stay)] = _grade_field(claim, stay)
        if claim.event == HARDSHIP:
            self.fields["note"].help_text = _("例如：在读证明第 1 页")
        self.order_fields([*(name for name in self.fields if name not in ("circumstances", "note")), "circumstances", "note"])

    def facts(self) -> dict[str, Any]:
        """For `adjudication.establish`."""
        told = {name: value for name, value in self.cleaned_data.items() if name in adjudication.ESTABLISHED or name == "other_aid"}
        if "other_aid" in told:
            fen = told.pop("other_aid")
            told["other_aid_fen"] = fen if isinstance(fen, int) else None
        if "diagnosis_code" in told:
            told["diagnosis_code"] = told["diagnosis_code"].upper()
        if "accident_on" in told:
            told["accident_on"] = told["accident_on"] or None
        return told | ({"declared": self._figures.told()} if self._figures.asks else {})

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        self._figures.check()
        return told

    def grades(self) -> dict[int, int | None]:
        """The hospital's grade by the key of the stay; none where the plan does not look at it."""
        return {stay.pk: self.cleaned_data[_grade_of(stay)] for stay in self._stays}


class EstablishForm(FactsForm):
    """The same of a claim that waits for its first review; `seen`: its version when the page was opened."""

    seen = SeenField()

    def __init__(self, data: Any, *, claim: Claim, schedule: Schedule, language: str) -> None:
        super().__init__(data, claim=claim, schedule=schedule, language=language)
        self.fields["seen"].initial = claim.version


def _grade_of(stay: Admission) -> str:
    return f"grade_{stay.pk}"


def _grade_field(claim: Claim, stay: Admission) -> forms.Field:
    words = _("{day}就诊的医院等级") if claim.event == "outpatient" else _("{day}入院的医院等级")
    return forms.TypedChoiceField(
        label=words.format(day=date_format(stay.admitted_on)), required=False, coerce=int, empty_value=None,
        choices=[("", _("不清楚")), *GRADES], initial=stay.hospital_grade or "",
    )  # fmt: skip


def _asked(event: str, needs: Needs, exclusions: bool) -> dict[str, bool]:
    return {
        "accident_on": event in (*AFTER_ACCIDENT, *ACCIDENTS),
        "event_kind": bool(needs.kinds),
        "diagnosis_code": event != HARDSHIP,
        "diagnosis_class": bool(needs.classes),
        "disability_grade": bool(needs.grades),
        "other_aid": needs.other_aid,
        "circumstances": exclusions,
    }


def _initial(claim: Claim) -> dict[str, Any]:
    told = {name: getattr(claim, name) for name in adjudication.ESTABLISHED if name != "other_aid_fen"}
    if claim.other_aid_fen is not None:
        told["other_aid"] = format_yuan(claim.other_aid_fen).replace(",", "")
    return told


def facts_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Settle the facts, with a note of where they are from; the estimate follows at once."""
    claim = get_object_or_404(Claim.objects.select_related("member", "claimant", "enrolment", "terms", "program"), pk=pk, state="submitted")
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    data = request.POST if request.method == "POST" else None
    form = EstablishForm(data, claim=claim, schedule=schedule_of(claim.terms), language=language)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():

            def act() -> str:
                adjudication.refuse_unseen(claim, "review", form.cleaned_data["seen"])
                adjudication.establish(
                    claim, form.facts(), by=actor(request), note=form.cleaned_data["note"], grades=form.grades()
                )
                return reverse("admin:claim_review", args=[pk])

            if address := attempt(form, act):
                messages.success(request, gettext("申领 {number} 的事实已核定，已重新试算。").format(number=claim.number))
                return redirect(address)
            status = form.status
    trail = [list_of(Claim)]
    title = gettext("申领 {number}：核定事实").format(number=claim.number)
    context = desk_context(request, trail=trail, title=title, form=form, claim=claim)
    return render(request, "desk/claim_facts.html", context, status=status)

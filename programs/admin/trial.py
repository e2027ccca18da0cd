"""Terms tried on a case that staff type: the statement as worker, reviewer and auditor would read it. Nothing is stored."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from programs.forms.case import MOST_STAYS, CaseForm, moved, stays_in
from programs.models import Terms
from programs.rules.applicant import NO, OPEN, YES, judged, may_join
from programs.rules.assess import assess
from programs.rules.casefile import Situation, situation
from programs.rules.explain import yuan
from programs.rules.faults import ScheduleError
from programs.rules.limits import limit_names
from programs.rules.reading import statement
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of, visible_terms
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.lists import whole
from unionaid.web.files import send

READERS = (("worker", _("职工看到的")), ("reviewer", _("审核人看到的")), ("auditor", _("审计看到的")))
# Figures of one settlement that do not add up, by the name of the check.
ODD_SUMS = {
    "total": _("基金支付、个人负担、医院负担加起来不等于医疗费总额。"),
    "personal": _("个人账户支付、共济支付和个人现金支付加起来不等于个人负担总额。"),
    "own_expense": _("全自费和超限价自费加起来大于个人负担总额。"),
    "funds": _("各项基金的支出加起来大于基金支付总额。"),
}


@require_http_methods(["GET", "POST", "HEAD"])
def trial_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Type a case, read what it comes to and why; or take it home as a case file."""
    rows = visible_terms(request.actor).select_related("program")  # type: ignore[attr-defined]
    terms = get_object_or_404(rows, pk=pk)
    schedule = schedule_of(terms)
    form = _form(request, schedule)
    told = _situation(form, schedule) if form.is_bound and form.is_valid() else None
    if told and request.POST.get("answer") == "file":
        text = json.dumps(form.case(), ensure_ascii=False, indent=2)
        return send(text.encode(), content_type="application/json", file_name=f"{schedule.code}.case.json", as_attachment=True)
    context = desk_context(
        request,
        trail=[list_of(Terms)],
        title=gettext("试算：{program}（{version}）").format(program=terms.program.title, version=terms.version_name),
        terms=terms,
        form=form,
        examples=[(i, one["name"]) for i, one in enumerate(schedule.examples, start=1) if _fits(one)],
        **(_result(terms, schedule, told, request.LANGUAGE_CODE) if told else {}),  # type: ignore[attr-defined]
        **(_joining(schedule, form.case(), told, request.LANGUAGE_CODE) if told else {}),  # type: ignore[attr-defined]
    )
    return render(request, "desk/terms_trial.html", context, status=form.status if form.errors else 200)


def _form(request: HttpRequest, schedule: Schedule) -> CaseForm:
    """As it was sent in; with one stay more or less, nothing else asked yet; or begun with one of the plan's own examples."""
    if request.method == "POST" and (row := request.POST.get("row")):
        typed, stays = moved(request.POST, row)
        return CaseForm(None, schedule=schedule, stays=stays, initial=typed)
    if request.method == "POST":
        return CaseForm(request.POST, schedule=schedule, stays=stays_in(request.POST))
    case = _example(schedule, request.GET.get("example"))
    form = CaseForm(None, schedule=schedule, stays=max(1, len(case.get("stays", ()))))
    form.initial = form.fill(case)
    return form


def _situation(form: CaseForm, schedule: Schedule) -> Situation | None:
    try:
        return situation(schedule, form.case())
    except ScheduleError as error:
        form.refuse_case(error)
        return None


def _fits(example: Any) -> bool:
    """Can this form hold the example? Contributions are not tried here."""
    return "case" in example and len(example["case"].get("stays", ())) <= MOST_STAYS


def _example(schedule: Schedule, number: str | None) -> dict[str, Any]:
    """The case of one of the plan's own examples, to begin with."""
    place = whole(number) - 1
    if 0 <= place < len(schedule.examples) and _fits(schedule.examples[place]):
        return dict(schedule.examples[place]["case"])
    return {}


def _result(terms: Terms, schedule: Schedule, told: Situation, language: str) -> dict[str, Any]:
    found = assess(schedule, person=told.person, cover=told.cover, case=told.case, prior=told.prior)
    data = found.as_data()
    name = f"{schedule.code} {schedule.version}"
    names, told_by = limit_names(schedule), terms.content_hash
    readings = [(words, statement(data, reader=reader, names=names, terms=name, content_hash=told_by)) for reader, words in READERS]
    return {
        "total": yuan(found.total),
        "missing": bool(found.missing),
        "none_answers": not found.items,
        "readings": [(words, [line.words.in_language(language) for line in lines]) for words, lines in readings],
        "odd": [ODD_SUMS[fault] for fault in _odd(told)],
        "cover": told.cover,
        "event_on": told.case.event_on,
        "last_day": told.cover.period.last_day,
    }


MAY_JOIN = {
    YES: _("可以参加：条件都符合。"),
    NO: _("不能参加：有条件不符合。上面的金额按已经参加计算。"),
    OPEN: _("还不能判断能不能参加：有的条件没有填。"),
}


def _joining(schedule: Schedule, case: dict[str, Any], told: Situation, language: str) -> dict[str, Any]:
    """Every rule of joining, where anything of the person, the unit or the day of joining was typed."""
    if not case.keys() & {"person", "unit", "joined_on"}:
        return {}
    verdicts = judged(schedule, case, cover_start=told.cover.period.start)
    rules = [
        (one.outcome, one.sentence.in_language(language), one.evidence_words.in_language(language) if one.evidence_words else "")
        for one in verdicts
    ]
    return {"may_join": MAY_JOIN[may_join(verdicts)], "rules": rules}


def _odd(told: Situation) -> list[str]:
    """Only a settlement that was typed whole can be checked."""
    settlements = [stay.settlement for stay in told.case.stays if stay.settlement.fund_pay_sumamt]
    return [fault for settlement in settlements for fault in settlement.faults()]

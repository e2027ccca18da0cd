"""A unit's rosters: which plan, from which list, sent in, being checked, what would come of it, enrolled."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from members.forms.unit import RosterForm
from members.models import Roster, RosterRow, WorkUnit
from members.selectors import rosters as reading
from members.services import participation, rosters
from members.services.roster_rows import own_workers
from members.transitions import ROSTER_GONE
from members.views.unit_parts import due_parts, show, unit_or_404
from programs.models import Terms
from programs.rules.fees import chosen_splits
from programs.rules.waits import Wait, waits, waits_in_words
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor, requires
from unionaid.web.asking import AskForm, sent
from unionaid.web.dates import length
from unionaid.web.files import XLSX, send
from unionaid.workflow import stepup
from unionaid.workflow.asking import attempt, status_of
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import progress_of


@result_page("members.check_roster", "unit", "unit.use")
@result_page("members.commit_roster", "unit", "unit.use")
def _address(roster_id: int) -> str:
    return reverse("members:roster", args=[roster_id])


def _roster(pk: int) -> Roster:
    roster = reading.my_roster(pk)
    if roster is None:
        raise Http404
    return roster


# -- before: the plan, the empty template or last period's list, the file -----------------------------------------------


@requires("rosters.upload")
@never_cache
def plans(request: HttpRequest, pk: int) -> HttpResponse:
    """The plans this unit may join now, those to be renewed first, each with its template, last period's list when there is one, and the
    way to upload."""
    found = unit_or_404(pk)
    if found.state != "approved":
        messages.warning(request, _("单位登记还没有通过审核，通过后才能上传名册。"))
        return redirect("members:unit", pk)
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    open_now = [terms for terms in reading.plans_of(found) if schedule_of(terms).enrolling.relations[0] == "self"]
    sizes = rosters.last_list_sizes(found, open_now, on=today())
    offered = [
        {
            "terms": terms,
            "name": (s := schedule_of(terms)).name.in_language(language),
            "summary": s.summary.in_language(language),
            "closes": s.enrolling.closes,
            "last": sizes.get(terms.pk, 0),
        }
        for terms in sorted(open_now, key=lambda terms: terms.pk not in sizes)
    ]
    return show(request, "roster_plans", unit=found, plans=offered)


def _plan(found: WorkUnit, terms_id: int) -> Terms:
    terms = next((terms for terms in reading.plans_of(found) if terms.pk == terms_id), None)
    if terms is None:
        raise Http404
    return terms


@requires("rosters.upload")
@never_cache
def template(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """An empty roster to fill in."""
    terms = _plan(unit_or_404(pk), terms_id)
    content = rosters.template_sheet(schedule_of(terms))
    return send(content, content_type=XLSX, file_name=_("名册模板-{plan}.xlsx").format(plan=terms.program.title), as_attachment=True)


@requires("rosters.upload")
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def last_list(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """Last period's list in the columns of the template: the starting point of a renewal. The look is recorded."""
    found = unit_or_404(pk)
    terms = _plan(found, terms_id)
    if not rosters.last_list_sizes(found, [terms], on=today()):
        raise Http404
    back = reverse("members:roster_upload", args=[pk, terms_id])
    if asking := _ask_first(request, found, title=_("下载上期名单"), back=back):
        return asking
    content = rosters.last_list(found, terms, by=actor(request), on=today())
    return send(content, content_type=XLSX, file_name=_("上期名单-{plan}.xlsx").format(plan=terms.program.title), as_attachment=True)


def _ask_first(request: HttpRequest, thing: Model, *, title: str, back: str) -> HttpResponse | None:
    """Everybody's whole number stands in this list: whoever takes it shows again who they are. None once that is done."""
    form = AskForm(sent(request)[0])
    stepup.ask(form, request)
    if not form.fields or form.is_valid() and stepup.prove(form, request, thing, actor(request)):
        return None
    return show(request, "list_proof", form, title=title, back=back)


@requires("rosters.upload")
@never_cache
def upload(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """Send the roster's file; it is checked in the background."""
    found = unit_or_404(pk)
    terms = _plan(found, terms_id)
    schedule = schedule_of(terms)
    asked: dict[str, Any] = {"terms": schedule.terms, "choices": chosen_splits(schedule)}
    form = RosterForm(request.POST, request.FILES, **asked) if request.method == "POST" else RosterForm(**asked)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]

        def act() -> str:
            made = rosters.upload(
                unit=found, terms=terms, data=file.read(), file_name=file.name, by=actor(request), on=today(),
                term_months=form.cleaned_data.get("term_months"), person_fen=form.cleaned_data.get("person_fen"),
            )  # fmt: skip
            return reverse("members:roster", args=[made.pk])

        if address := attempt(form, act):
            return redirect(address)
    last = rosters.last_list_sizes(found, [terms], on=today()).get(terms.pk, 0)
    return show(request, "roster_upload", form, unit=found, terms=terms, last=last, own_workers=own_workers(schedule))


# -- after: one roster --------------------------------------------------------------------------------------------------


@requires("unit.use")
@never_cache
def roster(request: HttpRequest, pk: int) -> HttpResponse:
    """One roster: being read, its preview with every row, being enrolled, what to pay."""
    found = _roster(pk)
    if request.htmx and found.state in reading.WORKING:  # type: ignore[attr-defined]
        return render(request, "workflow/job_progress.html", {"progress": _progress(request, found)})
    answer = _page(request, found)
    if request.htmx:  # type: ignore[attr-defined]
        answer["HX-Refresh"] = "true"  # the work is over: the whole page shows what came of it
    return answer


def _progress(request: HttpRequest, found: Roster) -> Any:
    job = reading.work_on(found)
    return progress_of(job, side="", by=actor(request)) if job else None


def _page(request: HttpRequest, found: Roster, *, refused: str = "", status: int = 200) -> HttpResponse:
    only = request.GET.get("only", "")
    only = only if only in reading.ONLY else ""
    working = found.state in reading.WORKING
    context = {
        "roster": found,
        "unit": found.unit,
        "length": length(found.term_months) if found.term_months else "",
        "person_part": "" if found.person_fen is None else format_yuan(found.person_fen),
        "working": working,
        "gone": found.state in ROSTER_GONE,
        "progress": _progress(request, found) if working else None,
        "tiles": reading.tiles_of(found),
        "only": only,
        "only_words": reading.only_words(found, only),
        "waiting": _waiting(found),
        "hindrance": participation.hindrance(found, on=today()) if found.state == "checked" and found.good_count else "",
        "dues": [due_parts(due) for due in reading.dues_of(found)],
        "total": format_yuan(found.total_fen),
        "refused": refused,
        **_lines(request, found, only),
    }
    return render(request, "members/unit/roster.html", context, status=status)


def _lines(request: HttpRequest, found: Roster, only: str) -> dict[str, Any]:
    """The lines of this page, and where the next ones begin."""
    after = reading.place(request.GET.get("after"))
    if only == "left":
        people = rosters.left_members(found, after=after, limit=reading.PAGE + 1) if found.left_count else []
        more = people[reading.PAGE - 1].pk if len(people) > reading.PAGE else None
        return {"left": reading.recognisable(people[: reading.PAGE]), "more": more, "begun": after > 0}
    if only == "lapsed":
        lapses = reading.lapses_of(found, after=after)
        shown = lapses[: reading.PAGE]
        names = reading.recognisable([one.enrolment.member for one in shown])
        more = shown[-1].pk if len(lapses) > reading.PAGE else None
        return {"lapses": list(zip(names, shown, strict=True)), "more": more, "begun": after > 0}
    rows = reading.rows_of(found, only=only, after=after)
    more = rows[reading.PAGE - 1].row_number if len(rows) > reading.PAGE else None
    return {"rows": _told(found, rows[: reading.PAGE]), "more": more, "begun": after > 0}


def _told(found: Roster, rows: Sequence[RosterRow]) -> list[tuple[RosterRow, str, str]]:
    """Each line with its contribution and what is said of waiting."""
    covers, schedule = reading.covers_of(found, rows), schedule_of(found.terms)
    told = []
    for row in rows:
        cover = covers.get(row.row_number)
        waiting = _waits(waits(schedule, cover.cover.lower, cover.days_since_cover)) if cover else ""
        told.append((row, format_yuan(row.fee_fen) if row.outcome != "bad" else "", waiting))
    return told


def _waits(found: Sequence[Wait]) -> str:
    """What is said of one person's waiting; of whoever never had to wait, nothing."""
    if len(found) > 1:
        return _("等待期：{words}").format(words=waits_in_words(found).in_language(get_language() or ""))
    if found[0].waived:
        return _("接续上期，免等待期")
    return _("等待期至 {day}").format(day=date_format(found[0].until)) if found[0].until else ""


def _waiting(found: Roster) -> str:
    """What the preview says of waiting: who stays and who is new are not the same."""
    new, waivers = reading.waiting_of(found)
    if found.state != "checked" or not any(one.until for one in new):
        return ""
    said = [_("新参加的人有等待期：{words}。").format(words=waits_in_words(new).in_language(get_language() or ""))]
    for days, waiting in waivers:
        words = _("上期保障结束后 {days} 天内接上的人（包括从其他单位转来的）：{words}。")
        said.append(words.format(days=days, words=waits_in_words(waiting).in_language(get_language() or "")))
    return "".join(said)


@requires("rosters.upload")
@never_cache
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """The agent has seen the preview: enrol the good rows."""
    return _act(request, pk, lambda found: rosters.confirm(found, by=actor(request)), _confirmed)


def _confirmed(moved: Roster) -> str:
    if moved.state == "committing":
        return _("正在登记，请稍候。")
    return _("这份名册不是今天核对的，结果可能已经不同，正在按今天重新核对。核对完请再看一遍结果，然后确认。")


@requires("rosters.upload")
@never_cache
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the roster aside; nobody is enrolled by it."""
    return _act(request, pk, lambda found: rosters.cancel(found, by=actor(request)), lambda _moved: _("名册已取消，没有登记任何人。"))


def _act(request: HttpRequest, pk: int, act: Callable[[Roster], Roster], done: Callable[[Roster], str]) -> HttpResponse:
    found = _roster(pk)
    try:
        moved = act(found)
    except MoveRefused as no:
        found.refresh_from_db()
        return _page(request, found, refused=no.message, status=status_of(no))
    messages.success(request, done(moved))
    return redirect("members:roster", pk)


@requires("unit.use")
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def problems(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines that are not enrolled with a column of reasons, to be corrected and uploaded again."""
    found = _roster(pk)
    if not found.bad_count:
        raise Http404
    sheet = found.sheets.filter(language=request.LANGUAGE_CODE).first()  # type: ignore[attr-defined]
    if sheet is None:
        gone, soon = _("这份名册的文件已经按规定删除，不能再下载。"), _("要改正的名单正在生成，请过几秒再下载。")
        over = _("这份名册已不再有效，没有要改正的名单。")
        messages.warning(request, gone if not found.file else over if found.state in ROSTER_GONE else soon)
        return redirect("members:roster", pk)
    if asking := _ask_first(request, found, title=_("下载要改正的名单"), back=reverse("members:roster", args=[pk])):
        return asking
    with sheet.file.open() as stored:
        content = stored.read()
    return send(content, content_type=XLSX, file_name=_("要改正的名单-{name}.xlsx").format(name=found.pk), as_attachment=True)

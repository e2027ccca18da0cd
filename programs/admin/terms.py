"""The lists of programs and terms; terms to be read, with the rules in sentences, the plan's own examples recomputed, and the
acts this person may take."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from programs import services
from programs.admin.compare import compare_page
from programs.admin.drafts import draft_page, file_page, schema_page
from programs.admin.trial import trial_page
from programs.forms.terms import ActForm
from programs.models import Program, Terms
from programs.rules import outline
from programs.rules.examples import run_example
from programs.rules.outline import EVENT_WORDS
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of, visible_programs, visible_terms
from unionaid.lib.calendar import plus_days
from unionaid.offices.desk import HouseAdmin, Link, beside_of, desk_context, list_of
from unionaid.offices.first_page import Todo, todo
from unionaid.offices.lists import titled
from unionaid.offices.roles import Actor, may
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.selectors import findable, told_history

findable(Terms, number="", label="version_name", page="admin:terms", hidden={"state__in": ["draft", "checked"]})

# What is done with terms in a state, and what comes next, for those who may.
NEXT = {
    "draft": _("草稿只有能为这个计划写条款的人看得到。读一遍下面的内容，与文件对照，没有问题就核对。"),
    "checked": _("已核对的条款要由起草人以外的人发布。发布后职工能看到并参加，内容不能再改。"),
    "published": _("已发布的条款不能改动。要改内容，以它为底稿写下一期；不再接受参加时，办理结束。"),
    "closed": _("已结束的条款不再接受参加；已经参加的人，保障和申领照旧。"),
}
FINAL = ("publish", "close")
DONE = {
    "check": _("已核对，请由起草人以外的人发布。"),
    "reopen": _("已改回草稿。"),
    "publish": _("已发布。"),
    "close": _("已结束，不再接受参加。"),
}


def _days(terms: Terms) -> str:
    first, last = date_format(terms.period.lower), date_format(plus_days(terms.period.upper, -1))
    return gettext("{first}至{last}").format(first=first, last=last)


@require_GET
def program_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One program and all its terms."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    program = get_object_or_404(visible_programs(actor).select_related("office", "replaces"), pk=pk)
    rows = list(visible_terms(actor).filter(program=program).order_by("-period", "-id"))
    terms = [(one, _days(one), before) for one, before in zip(rows, [*rows[1:], None], strict=True)]
    context = desk_context(
        request, trail=[list_of(Program)], title=program.title, program=program, terms=terms,
        may_draft=may(actor, "programs.draft", program.owner_id),
    )  # fmt: skip
    return render(request, "desk/program.html", context)


def terms_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The terms in sentences, every example of the plan with what it comes to, and the acts this person may take."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    rows = visible_terms(actor).select_related("program__office", "drafted_by", "published_by")
    terms = get_object_or_404(rows, pk=pk)
    form = ActForm(request.POST) if request.method == "POST" else None
    if form is not None:
        if not any(may(actor, right, terms.office_id) for right in ("programs.draft", "programs.publish")):
            form.refuse(gettext("您的岗位不能办理这份条款。"))
            form.status = 403
        elif form.is_valid() and (address := attempt_once(request, form, lambda: _acted(request, terms, form.cleaned_data))):
            return redirect(address)
        terms.refresh_from_db()
    return render(request, "desk/terms.html", _context(request, terms, form), status=form.status if form else 200)


def _acted(request: HttpRequest, terms: Terms, said: dict[str, Any]) -> str:
    act = getattr(services, said["act"])
    act(terms, by=request.actor, expect_version=said["seen"])  # type: ignore[attr-defined]
    messages.success(request, DONE[said["act"]])
    return reverse("admin:terms", args=[terms.pk])


def _context(request: HttpRequest, terms: Terms, form: ActForm | None) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    schedule, owner = schedule_of(terms), terms.office_id
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]

    def said(words: Any) -> str:
        return str(words.in_language(language))

    def named(events: Iterable[str]) -> list[str]:
        return [said(EVENT_WORDS[event]) for event in events]

    arrows = [arrow for arrow in Terms.graph.from_state(terms.state) if may(actor, arrow.permission, owner)]
    return desk_context(
        request,
        trail=[list_of(Terms)],
        title=gettext("{program}（{version}）").format(program=terms.program.title, version=terms.version_name),
        terms=terms,
        days=_days(terms),
        next=NEXT[terms.state] if arrows else "",
        form=form,
        offers=[(arrow, ActForm(initial={"act": arrow.action, "seen": terms.version}), arrow.action in FINAL)
                for arrow in arrows if not _own(arrow, terms, actor)],
        own=any(_own(arrow, terms, actor) for arrow in arrows),
        may_draft=may(actor, "programs.draft", owner),
        summary=said(schedule.summary),
        joining=[said(words) for words in outline.joining_lines(schedule)],
        fees=[said(words) for words in outline.fee_lines(schedule)],
        cover=[said(words) for words in (outline.cover_words(schedule), *outline.survival_lines(schedule))],
        waiting=said(outline.waiting_words(schedule)),
        deadline=said(outline.deadline_words(schedule)),
        deciding=[said(line) for line in outline.deciding_lines(schedule)],
        items=[
            (said(item.name), item.clause, named(item.events), [said(words) for words in outline.item_lines(item)])
            for item in schedule.items
        ],
        exclusions=[said(words) for words in outline.exclusion_lines(schedule)],
        documents=[(said(paper.name), named(paper.events), paper.required) for paper in schedule.documents],
        examples=list(_examples(schedule)),
        beside=beside_of("admin:terms", terms, actor),
        history=told_history(terms),
    )  # fmt: skip


def _own(arrow: Arrow, terms: Terms, actor: Actor) -> bool:
    """Must somebody else take this act, because this person took an earlier one?"""
    return any(getattr(terms, f"{column}_id") == actor.user_id for column in arrow.not_by)


def _examples(schedule: Schedule) -> Iterator[tuple[str, str, str, bool]]:
    """(name, as published, recomputed now, the same?)"""
    for i, example in enumerate(schedule.examples, start=1):
        found, expected = run_example(schedule, example), str(example["expect"])
        yield str(example.get("name", i)), outline.yuan(expected), outline.yuan(found), outline.yuan(expected) == outline.yuan(found)


@admin.register(Program)
class ProgramAdmin(HouseAdmin):
    """What is offered."""

    view_action = "programs.view"
    section, place = "offer", 10
    page = "admin:program"
    desk_urls = (("<int:pk>/record/", "program", "programs.view", program_page),)
    list_display = ("name", "category", "organiser_name", "office_name", "published")
    list_filter = ("category", "organiser")
    list_select_related = ("office",)
    ordering = ("code",)
    empty_hint = _("没有符合条件的互助计划。")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Program]:
        rows = visible_programs(request.actor)  # type: ignore[attr-defined]
        return rows.order_by("code").annotate(published_count=Count("terms", filter=Q(terms__state="published")))

    @admin.display(description=_("范围"))
    def office_name(self, program: Program) -> Any:
        return program.office.name if program.office else _("全国")

    @admin.display(description=_("已发布的期次"))
    def published(self, program: Any) -> int:
        return int(program.published_count)


@admin.register(Terms)
class TermsAdmin(HouseAdmin):
    """The terms of all programs, the latest period first."""

    view_action = "programs.view"
    section, place = "offer", 20
    page = "admin:terms"
    list_links = (Link(_("写入条款"), "admin:terms_draft", "programs.draft"),)
    desk_urls = (
        ("new/", "terms_draft", "programs.draft", draft_page),
        ("format/", "terms_format", "programs.view", schema_page),
        ("<int:pk>/record/", "terms", "programs.view", terms_page),
        ("<int:pk>/file/", "terms_file", "programs.view", file_page),
        ("<int:pk>/compare/", "terms_compare", "programs.view", compare_page),
        ("<int:pk>/trial/", "terms_trial", "programs.view", trial_page),
    )
    list_display = ("name", "version_name", "days", "category", "source", "standing")
    list_filter = (("state", titled(_("状态"))), "program__category")
    list_select_related = ("program",)
    ordering = ("-period", "-id")
    empty_hint = _("没有符合条件的条款。")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Terms]:
        return visible_terms(request.actor).order_by(*self.ordering)  # type: ignore[attr-defined]

    @admin.display(description=_("计划"))
    def name(self, terms: Terms) -> str:
        return terms.program.title

    @admin.display(description=_("期间"))
    def days(self, terms: Terms) -> str:
        return _days(terms)

    @admin.display(description=_("类别"))
    def category(self, terms: Terms) -> str:
        return terms.program.get_category_display()


@todo("programs.publish")
def terms_to_publish(actor: Actor) -> Iterable[Todo]:
    """Checked terms that somebody else drafted, and one's own office's drafts. One statement."""
    mine = Q(drafted_by=actor.user_id)
    found = visible_terms(actor).aggregate(checked=Count("pk", Q(state="checked") & ~mine), drafts=Count("pk", Q(state="draft")))
    address = f"{reverse('admin:programs_terms_changelist')}?state__exact="
    yield Todo(_("待发布的条款"), found["checked"], f"{address}checked")
    yield Todo(_("待核对的条款草稿"), found["drafts"], f"{address}draft")

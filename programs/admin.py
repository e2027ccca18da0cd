"""Programs and their terms at the desk: to be read, with the rules in sentences and the plan's own examples recomputed."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from programs.models import Program, Terms
from programs.rules import outline
from programs.rules.examples import run_example
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of
from unionaid.lib.calendar import plus_days
from unionaid.offices.desk import HouseAdmin, badge, desk_context, list_of, titled
from unionaid.workflow.selectors import findable, history_of
from unionaid.workflow.words import act_words

findable(Terms, number="", label="version_name", page="admin:terms")

EVENTS = {
    "admission": _("住院"),
    "outpatient": _("门诊"),
    "diagnosis": _("确诊"),
    "surgery": _("手术"),
    "accident_disability": _("意外伤残"),
    "accident_death": _("意外身故"),
    "disease_death": _("疾病身故"),
}


def _days(terms: Terms) -> str:
    first, last = date_format(terms.period.lower), date_format(plus_days(terms.period.upper, -1))
    return gettext("{first}至{last}").format(first=first, last=last)


@require_GET
def program_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One program and all its terms."""
    program = get_object_or_404(Program.objects.select_related("office"), pk=pk)
    terms = [(one, _days(one)) for one in program.terms.order_by("-period", "-id")]
    context = desk_context(request, trail=[list_of(Program)], title=program.title, program=program, terms=terms)
    return render(request, "desk/program.html", context)


@require_GET
def terms_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The terms in sentences; every example of the plan with what it comes to."""
    rows = Terms.objects.select_related("program__office", "drafted_by", "published_by")
    terms = get_object_or_404(rows, pk=pk)
    schedule = schedule_of(terms)
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]

    def said(words: Any) -> str:
        return str(words.in_language(language))

    context = desk_context(
        request,
        trail=[list_of(Terms)],
        title=gettext("{program}（{version}）").format(program=terms.program.title, version=terms.version_name),
        terms=terms,
        days=_days(terms),
        summary=said(schedule.summary),
        joining=[said(words) for words in outline.joining_lines(schedule)],
        fees=[said(words) for words in outline.fee_lines(schedule)],
        waiting=said(outline.waiting_words(schedule)),
        deadline=said(outline.deadline_words(schedule)),
        items=[
            (said(item.name), item.clause, [EVENTS[event] for event in item.events], [said(words) for words in outline.item_lines(item)])
            for item in schedule.items
        ],
        documents=[(said(paper.name), [EVENTS[event] for event in paper.events], paper.required) for paper in schedule.documents],
        examples=list(_examples(schedule)),
        history=[(act, act_words(act.entity, act.action)) for act in history_of(terms)[:100]],
    )
    return render(request, "desk/terms.html", context)


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
        return super().get_queryset(request).annotate(published_count=Count("terms", filter=Q(terms__state="published")))

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
    desk_urls = (("<int:pk>/record/", "terms", "programs.view", terms_page),)
    list_display = ("name", "version_name", "days", "category", "source", "standing")
    list_filter = (("state", titled(_("状态"))), "program__category")
    list_select_related = ("program",)
    ordering = ("-period", "-id")
    empty_hint = _("没有符合条件的条款。")

    @admin.display(description=_("计划"))
    def name(self, terms: Terms) -> str:
        return terms.program.title

    @admin.display(description=_("期间"))
    def days(self, terms: Terms) -> str:
        return _days(terms)

    @admin.display(description=_("类别"))
    def category(self, terms: Terms) -> str:
        return terms.program.get_category_display()

    @admin.display(description=_("状态"))
    def standing(self, terms: Terms) -> str:
        return badge(terms.state_label, terms.state_tone)

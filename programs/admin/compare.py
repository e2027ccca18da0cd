"""Two versions of terms beside each other: the same examples under both, field by field, and in sentences."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from programs.forms.terms import CompareForm
from programs.models import Program, Terms
from programs.rules.compare import Difference, Recomputed, days_move, differences, recomputed, side_by_side
from programs.rules.explain import yuan
from programs.rules.words import Words
from programs.selectors import schedule_of, visible_terms
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.roles import Actor

MOST_CHOICES = 200


@require_GET
def compare_page(request: HttpRequest, pk: int) -> HttpResponse:
    """These terms against an earlier period of the program, or against the program they stand in for."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    rows = visible_terms(actor).select_related("program__office")
    terms = get_object_or_404(rows, pk=pk)
    others = _others(terms, actor)
    form = CompareForm(request.GET if "other" in request.GET else None, choices=[(one.pk, _named(one)) for one in others])
    context: dict[str, Any] = {"terms": terms, "others": others, "form": form, "trail": [list_of(Terms)]}
    context["title"] = gettext("对比条款：{terms}").format(terms=_named(terms))
    chosen = _chosen(form, terms, others)
    if chosen:
        context |= _compared(chosen, terms, request.LANGUAGE_CODE)  # type: ignore[attr-defined]
    return render(request, "desk/terms_compare.html", desk_context(request, **context), status=400 if form.errors else 200)


def _others(terms: Terms, actor: Actor) -> list[Terms]:
    """The other terms of the program, of the one it stands in for, and of its office's programs of the same kind; the
    latest first."""
    program = terms.program
    alike = Q(program__category=program.category, program__office=program.office_id)
    if program.office_id is None:
        alike = Q(program__category=program.category, program__office__isnull=True)
    related = alike | Q(program=program.pk) | Q(program=program.replaces_id or 0)
    rows = visible_terms(actor).filter(related).exclude(pk=terms.pk).select_related("program__office")
    return list(rows.order_by("-period", "-id")[:MOST_CHOICES])


def _chosen(form: CompareForm, terms: Terms, others: list[Terms]) -> Terms | None:
    """What was chosen; before that, the period before this one, or else that of the program it stands in for."""
    if form.is_bound:
        return next((one for one in others if form.is_valid() and str(one.pk) == form.cleaned_data["other"]), None)
    own = [one for one in others if one.program_id == terms.program_id]
    own = own or [one for one in others if one.program_id == terms.program.replaces_id]
    return next((one for one in own if one.first_day <= terms.first_day), own[0] if own else None)


def _named(terms: Terms) -> str:
    name = gettext("{program}（{version}）").format(program=terms.program.title, version=terms.version_name)
    return name if terms.state == "published" else f"{name} · {terms.state_label}"


def _compared(before: Terms, after: Terms, language: str) -> dict[str, Any]:
    a, b = schedule_of(before), schedule_of(after)
    offices = {one.office.code: Words(one.office.name, one.office.name) for one in _programs(before, after) if one.office}

    def said(words: Words | None) -> str:
        return "" if words is None else str(words.in_language(language))

    found = [one for one in differences(before.schedule, after.schedule, names=offices) if one.path[0] != "examples"]
    sections = side_by_side(a, b)
    return {
        "other": before,
        "names": (_named(before), _named(after)),
        "differences": [_field(one, said) for one in found],
        "money_count": sum(one.money for one in found),
        "examples": [_example(one) for one in recomputed(a, b)],
        "days_move": days_move(a, b),
        "sections": [
            (said(section.title), [(said(row.before), said(row.after), row.same) for row in section.rows], section.same)
            for section in sections
        ],
    }


def _programs(*terms: Terms) -> list[Program]:
    return [one.program for one in terms]


def _field(one: Difference, said: Any) -> dict[str, Any]:
    return {
        "words": [said(words) for words in one.words],
        "before": said(one.before),
        "after": said(one.after),
        "change": said(one.change),
        "money": one.money,
    }


def _example(one: Recomputed) -> dict[str, Any]:
    more = None if one.before is None or one.after is None else one.after - one.before
    return {
        "name": one.name,
        "before": "" if one.before is None else yuan(one.before),
        "after": "" if one.after is None else yuan(one.after),
        "more": "" if not more else f"{more:+,.2f}",
    }

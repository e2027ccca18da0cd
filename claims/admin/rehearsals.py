"""Rehearsals (测算) at the desk: terms, an office and a year are chosen, the job is watched, the result is read and taken home."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from claims.models import Rehearsal
from claims.selectors.rehearsed import Table, compared, found_in, notes_of, tables_of
from claims.services import rehearsal as rehearsals
from members.models import Enrolment
from programs.models import Program, Terms
from programs.selectors import visible_programs, visible_terms
from unionaid.lib.calendar import day_of, today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import Beside, HouseAdmin, Link, badge, beside, desk_context, list_of
from unionaid.offices.lists import column
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import KeyedForm
from unionaid.web.files import XLSX, send
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.jobs import result_page
from unionaid.workflow.models import Job
from unionaid.workflow.selectors import findable, job_by_key

YEARS_BACK = 6
BESIDE = 5  # how many of the latest rehearsals the page of the terms names
WIDE = 30  # columns of text that are wider than so many characters are wrapped
DRAFTS_FIRST = ("draft", "checked", "published", "closed")
PICK = {"required": _("请选择一项"), "invalid_choice": _("请选择列出的一项")}

# No page: the record of acts is read by auditors too, a rehearsal by managers and headquarters alone.
findable(Rehearsal, number="", label="office__name")


@result_page("claims.rehearse", "desk", "programs.draft")
def _done(rehearsal_id: int) -> str:
    return reverse("admin:rehearsal", args=[rehearsal_id])


class RehearsalForm(KeyedForm):
    """Which terms, over whose year, and over which plans' claims."""

    terms = forms.ChoiceField(label=_("测算哪份条款"), help_text=_("草稿在前；已发布的条款也可以测算"), error_messages=PICK)
    office = forms.ChoiceField(label=_("机构（含所属机构）"), error_messages=PICK)
    year = forms.TypedChoiceField(label=_("用哪一年的申领"), coerce=int, error_messages=PICK, help_text=_("按作出决定的日期"))
    programs = forms.MultipleChoiceField(
        label=_("用哪些计划的申领"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("不选就用条款自己的计划。新计划还没有申领，请选它要接替的计划。"),
        error_messages=PICK,
    )

    def __init__(self, data: Any, *, terms: Sequence[Terms], offices: Sequence[Office], programs: Sequence[Program], chosen: str) -> None:
        last = today().year
        super().__init__(data, initial={"terms": chosen, "year": last - 1})
        choices: dict[str, list[tuple[Any, Any]]] = {
            "terms": [("", _("请选择")), *((one.pk, f"{one.program.title}（{one.version_name}）· {one.state_label}") for one in terms)],
            "office": [(one.pk, _indented(one, offices)) for one in offices],
            "year": [(year, gettext("{year} 年").format(year=year)) for year in range(last, last - YEARS_BACK, -1)],
            "programs": [(one.pk, one.title) for one in programs],
        }
        for name, options in choices.items():
            self.fields[name].choices = options  # type: ignore[attr-defined]


def _indented(office: Office, offices: Sequence[Office]) -> str:
    return "　" * (sum(office.path.startswith(other.path) for other in offices) - 1) + office.name


def request_page(request: HttpRequest) -> HttpResponse:
    """Choose; the form sent twice runs one rehearsal."""
    by = actor(request)
    terms = sorted(visible_terms(by).select_related("program"), key=lambda one: (DRAFTS_FIRST.index(one.state), one.program.code))
    offices = [office for office in offices_below(by).order_by("path") if may(by, "programs.draft", office.pk)]
    joined = visible_programs(by).filter(Exists(Enrolment.objects.filter(program=OuterRef("pk"))))
    form = RehearsalForm(
        request.POST if request.method == "POST" else None,
        terms=terms,
        offices=offices,
        programs=list(joined),
        chosen=request.GET.get("terms", ""),
    )
    if form.is_valid():

        def act() -> str:
            return _requested(form.cleaned_data, terms, offices, by)

        if address := attempt_once(request, form, act):
            return redirect(address)
    context = desk_context(request, trail=[list_of(Rehearsal)], title=_("测算条款"), form=form)
    return render(request, "desk/rehearsal_request.html", context, status=form.status if form.errors else 200)


def _requested(said: dict[str, Any], terms: Sequence[Terms], offices: Sequence[Office], by: Actor) -> str:
    """The address of the job that runs the rehearsal."""
    chosen = next(one for one in terms if str(one.pk) == said["terms"])
    office = next(one for one in offices if str(one.pk) == said["office"])
    made = rehearsals.request(chosen, office, said["year"], programs=[int(key) for key in said["programs"]], by=by)
    return reverse("admin:job", args=[Job.objects.get(key=rehearsals.job_key(made)).public_id])


@require_GET
def rehearsal_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Before and after first, then the tables and the file; or how far it is."""
    found = get_object_or_404(Rehearsal.objects.select_related("office", "requested_by", "terms__program"), pk=pk)
    context: dict[str, Any] = {
        "rehearsal": found,
        "trail": [list_of(Rehearsal)],
        "title": gettext("测算：{terms}").format(terms=found.terms),
        "changed": found.terms.content_hash != found.content_hash,
    }
    if found.frozen_at is None:
        context["job"] = job_by_key(rehearsals.job_key(found))
        return render(request, "desk/rehearsal.html", desk_context(request, **context))
    tally, _charged = found_in(found)
    context |= {
        "programs": "、".join(found.result["programs"]),
        "is_empty": not (tally.claims or tally.unknown_claims),
        "figures": _figures(found),
        "tables": [_shown(table) for table in tables_of(found)],
        "notes": list(notes_of(found)),
    }
    return render(request, "desk/rehearsal.html", desk_context(request, **context))


def _figures(found: Rehearsal) -> list[tuple[Any, str, Any]]:
    """(name, figure, what it says) of the head."""
    tally, charged = found_in(found)
    sides = compared(tally, charged)
    (paid, would_pay), (ratio, would_be) = sides.benefits_fen, sides.ratios
    apart = _("原来 {before} 元，相差 {apart} 元").format(before=_plain(paid), apart=_signed(would_pay - paid))
    return [
        (_("给付金额"), _yuan(would_pay), apart),
        (_("赔付率"), _percent(would_be), _("原来 {before}").format(before=_percent(ratio))),
        (_("互助费"), _yuan(charged.after_fen), _("原来 {before} 元").format(before=_plain(charged.before_fen))),
        (_("申领件"), _count(tally.claims + tally.unknown_claims), _("{count} 人的申领").format(count=_count(tally.people))),
        (_("给付增加"), _count(tally.gain_claims), _("共增加 {amount} 元").format(amount=_plain(tally.gain_fen))),
        (_("给付减少"), _count(tally.loss_claims), _("共减少 {amount} 元").format(amount=_plain(tally.loss_fen))),
    ]


def _shown(table: Table) -> dict[str, Any]:
    """A table as texts; rows of claims lead to the claim."""
    shapes = ["num" if one.kind != "text" else "wide" if one.width > WIDE else "" for one in table.columns]
    addresses = [reverse("admin:claim_review", args=[key]) for key in table.claim_ids] or [""] * len(table.rows)
    return {
        "title": table.title,
        "hint": table.hint,
        "header": [(one.title, shape) for one, shape in zip(table.columns, shapes, strict=True)],
        "rows": [
            (address, [(_cell(one.kind, value), shape) for one, value, shape in zip(table.columns, row, shapes, strict=True)])
            for address, row in zip(addresses, table.rows, strict=True)
        ],
        "has_total": table.has_total,
    }


def _cell(kind: str, value: Any) -> str:
    if value is None:
        return ""
    return {"count": _count, "yuan": _plain, "ratio": _percent}.get(kind, str)(value)


def _count(value: int) -> str:
    return f"{value:,}"


def _plain(fen: int) -> str:
    return format_yuan(fen)


def _signed(fen: int) -> str:
    return f"{'+' if fen > 0 else ''}{format_yuan(fen)}"


def _yuan(fen: int) -> str:
    return gettext("¥{amount} 元").format(amount=format_yuan(fen))


def _percent(value: Any) -> str:
    return "—" if value is None else f"{value * 100:,.1f}%"


@require_GET
def workbook(request: HttpRequest, pk: int) -> HttpResponse:
    """The frozen file, the same bytes for ever."""
    found = get_object_or_404(Rehearsal.objects.select_related("office"), pk=pk, frozen_at__isnull=False)
    name = gettext("{office}{year}年测算{number}.xlsx").format(office=found.office.name, year=found.year, number=found.pk)
    with found.workbook.open() as stored:
        return send(stored.read(), content_type=XLSX, file_name=name, as_attachment=True)


@beside("admin:terms", "programs.draft")
def of_terms(actor: Actor, terms: Terms) -> Beside:
    """On the page of the terms: the latest rehearsals of them that this person may see, and a way to begin one. One statement."""
    found = Rehearsal.objects.filter(terms=terms).select_related("office").order_by("-id")[:BESIDE]
    rows = [
        (
            gettext("{office} {year} 年的申领").format(office=one.office.name, year=one.year),
            reverse("admin:rehearsal", args=[one.pk]),
            _said(one, terms),
        )
        for one in found
    ]
    everything = f"{reverse('admin:claims_rehearsal_changelist')}?terms__id__exact={terms.pk}"
    return Beside(
        _("测算"),
        rows,
        _("还没有测算过。测算把这份条款套到往年的申领上，看给付和赔付率会怎样变化，不改动任何申领。"),
        (_("这份条款的全部测算"), everything),
        (_("开始测算"), f"{reverse('admin:rehearsal_request')}?terms={terms.pk}"),
    )


def _said(one: Rehearsal, terms: Terms) -> Any:
    if one.frozen_at is None:
        return _("测算中")
    day = date_format(day_of(one.frozen_at))
    words = _("{day}完成") if one.content_hash == terms.content_hash else _("{day}完成，之后条款又改过")
    return words.format(day=day)


@admin.register(Rehearsal)
class RehearsalAdmin(HouseAdmin):
    """The rehearsals of the office and of those below it, newest first."""

    view_action = "programs.draft"
    section, place = "offer", 30
    page = "admin:rehearsal"
    list_hint = _("把一份条款（通常是草稿）套到往年的申领上，看给付、赔付率和每件申领会怎样变化。测算不改动任何申领。")
    empty_hint = _("还没有测算过。点“新的测算”，选择条款、机构和年度。")
    list_links = (Link(_("新建测算"), "admin:rehearsal_request", "programs.draft"),)
    desk_urls = (
        ("new/", "rehearsal_request", "programs.draft", request_page),
        ("<int:pk>/result/", "rehearsal", "programs.draft", rehearsal_page),
        ("<int:pk>/workbook/", "rehearsal_workbook", "programs.draft", workbook),
    )
    list_display = (
        "name", column("office", _("机构")), "year", "standing", column("requested_by", _("申请人")), column("requested_at", _("申请时间")),
    )  # fmt: skip
    list_filter = ("year",)
    list_select_related = ("office", "requested_by", "terms__program")
    ordering = ("-id",)

    @admin.display(description=_("条款"))
    def name(self, found: Rehearsal) -> str:
        return str(found.terms)

    @admin.display(description=_("状态"))
    def standing(self, found: Rehearsal) -> str:
        return badge(_("已完成"), "good") if found.frozen_at else badge(_("测算中"), "todo")

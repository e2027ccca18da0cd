"""Corrections at the desk: what is asked for beside what is recorded, the photo, and the decision."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from members.admin.unit_changes import AnswerForm, decided
from members.models import Correction, CorrectionPaper
from members.services import corrections
from unionaid.offices.desk import HouseAdmin, desk_context, list_of, refused
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.files import send_paper
from unionaid.workflow.moves import NotAllowed
from unionaid.workflow.selectors import findable, told_history

findable(Correction, number="", label="member__name", page="admin:correction")


def correction_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Old beside new, the photos, and the decision."""
    found = get_object_or_404(Correction.objects.select_related("member", "unit", "office", "asked_by", "decided_by"), pk=pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form, status, words, numbers = AnswerForm(request.POST or None), 200, "", None
    if request.method == "POST" and request.POST.get("decision") == "see":
        try:
            numbers = corrections.numbers_to_compare(found, by=actor)
        except NotAllowed as no:
            return refused(request, no.message, status=403)
    elif request.method == "POST":
        acts = {
            "approve": lambda _note: corrections.approve(found, by=actor),
            "return": lambda note: corrections.give_back(found, by=actor, note=note),
        }
        status, words = decided(may(actor, "corrections.decide", found.office_id), form, acts)
        if status == 302:
            done = gettext("已更正，凭证从现在起按新的资料显示。") if found.state == "approved" else gettext("已退回，登记资料没有改动。")
            messages.success(request, done)
            return redirect(_next(pk))
        found.refresh_from_db()
    return render(request, "desk/correction.html", _context(request, found, form, words, numbers), status=status)


def _context(
    request: HttpRequest, found: Correction, form: AnswerForm, words: str, numbers: tuple[str, str] | None
) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    own = actor.user_id in (found.asked_by_id, found.member.user_id)
    open_to = found.state == "asked" and may(actor, "corrections.decide", found.office_id)
    return desk_context(
        request,
        trail=[list_of(Correction)],
        title=gettext("{name}：资料更正").format(name=found.member.name),
        correction=found,
        form=form,
        refused=words,
        compared=corrections.in_words(found),
        numbers=numbers,
        may_see=found.id_masked and found.state == "asked" and may(actor, "members.see_number", found.office_id),
        may_decide=open_to and not own,
        own=open_to and own,
        papers=[(one, _("证件照片"), reverse("admin:correction_paper", args=[one.pk])) for one in found.papers.all()],
        history=told_history(found),
    )


def _next(after: int) -> str:
    """The next one that waits, or the list."""
    following = Correction.objects.filter(state="asked", pk__gt=after).order_by("pk").values_list("pk", flat=True).first()
    return reverse("admin:correction", args=[following]) if following else reverse("admin:members_correction_changelist")


@require_GET
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """A photo of a correction of one's office."""
    return send_paper(get_object_or_404(CorrectionPaper, pk=pk))


@admin.register(Correction)
class CorrectionAdmin(HouseAdmin):
    """What people of the office ask to be put right."""

    view_action = "corrections.view"
    section, place = "joining", 32
    page = "admin:correction"
    desk_urls = (
        ("<int:pk>/compare/", "correction", "corrections.view", correction_page),
        ("papers/<int:pk>", "correction_paper", "corrections.decide", paper),
    )
    empty_hint = _("没有符合条件的更正。职工或单位经办人提出“资料有误”后，会出现在这里等待核对。")
    list_display = (column("member", _("职工")), "what", column("unit", _("单位")), column("office", _("机构")), "asked_at", "standing")
    list_filter = (("state", titled(_("状态"))), OfficeFilter, since("asked_at", _("提出时间")))
    list_select_related = ("member", "unit", "office")
    ordering = ("-id",)

    @admin.display(description=_("更正内容"))
    def what(self, row: Correction) -> str:
        return "、".join(words for words, _old, _new in corrections.in_words(row))


@todo("corrections.decide")
def waiting_corrections(actor: Actor) -> Iterable[Todo]:
    """Corrections that wait, with the age of the oldest."""
    address = f"{reverse('admin:members_correction_changelist')}?state__exact=asked"
    yield waiting(_("待核对的资料更正"), Correction.objects.filter(state="asked"), "asked_at", address)

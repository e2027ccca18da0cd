"""Notices at the desk: what people were told and whether it went out; what did not arrive may be sent again."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from members.models import Member
from unionaid.offices.desk import HouseAdmin, badge, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.workflow.asking import try_again
from unionaid.workflow.models import Notice
from unionaid.workflow.notices import AGAIN, send_again
from unionaid.workflow.selectors import findable, told_history

findable(Notice, number="", label="title", page="admin:notice")
TONES = {"sent": "good", "undelivered": "bad", "unsure": "bad", "waiting": "todo", "sending": "todo"}


@require_GET
def notice_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One notice: to whom, in which words, and how far it went."""
    notice = get_object_or_404(Notice.objects.select_related("office"), pk=pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    context = desk_context(
        request,
        trail=[list_of(Notice)],
        title=notice.title,
        notice=notice,
        member=Member.objects.filter(pk=notice.member_key).first(),
        delivery=badge(notice.get_delivery_display(), TONES.get(notice.delivery, "plain")),
        may_send=notice.delivery in AGAIN and may(actor, "notices.send_again", notice.office_id),
        history=told_history(notice),
    )
    return render(request, "desk/notice.html", context)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it once more."""
    notice = get_object_or_404(Notice, pk=pk)
    by: Actor = request.actor  # type: ignore[attr-defined]
    return try_again(request, lambda: send_again(notice, by=by), done=gettext("已重新排队发送。"), page=redirect("admin:notice", pk))


@admin.register(Notice)
class NoticeAdmin(HouseAdmin):
    """What people were told."""

    view_action = "notices.view"
    section, place = "watch", 60
    page = "admin:notice"
    list_hint = _("通知都会显示在职工本人的页面上；这里看的是短信或邮件有没有发出去。")
    empty_hint = _("没有符合条件的通知。")
    desk_urls = (
        ("<int:pk>/record/", "notice", "notices.view", notice_page),
        ("<int:pk>/again/", "notice_again", "notices.send_again", again),
    )
    list_display = ("title", "receiver", "at", "standing", column("channel", _("通道")), column("trouble", _("原因")), "attempts")
    list_filter = (("delivery", titled(_("发送情况"))), ("channel", titled(_("通道"))))
    ordering = ("-id",)

    def complete(self, rows: Sequence[Any]) -> None:
        people = Member.objects.in_bulk({row.member_key for row in rows}) if rows else {}
        for row in rows:
            row.member = people.get(row.member_key)

    @admin.display(description=_("收件人"))
    def receiver(self, notice: Any) -> str:
        return notice.member.name if notice.member else "—"

    @admin.display(description=_("发送情况"))
    def standing(self, row: Notice) -> str:
        return badge(row.get_delivery_display(), TONES.get(row.delivery, "plain"))


@todo("notices.send_again")
def not_delivered(actor: Actor) -> Iterable[Todo]:
    """Notices of which somebody should take care."""
    address = f"{reverse('admin:workflow_notice_changelist')}?delivery__in=undelivered,unsure"
    yield waiting(_("没有送达的通知"), Notice.objects.filter(delivery__in=["undelivered", "unsure"]), "at", address)

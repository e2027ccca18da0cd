"""Closing a period: asked for by one person, carried out by another's word. Nothing opens it again."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from unionaid.books.models import PeriodClosing
from unionaid.ledger import closing
from unionaid.lib.calendar import plus_days
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record


class ClosingRefused(MoveRefused):
    """The books are not closed so; the message says why. `field` is the field at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def propose(office: Office, *, last_day: date, by: Actor, on: date) -> PeriodClosing:
    """Ask to close an office's books through the end of a month that is over."""
    if not may(by, "periods.propose", office.pk) or by.user_id is None:
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("申请结账")))
    _refuse_day(office, last_day, on)
    try:
        with transaction.atomic():
            made = PeriodClosing.objects.create(office=office, last_day=last_day, proposed_by_id=by.user_id)
    except IntegrityError as error:
        if "one_open_closing" not in str(error):
            raise
        raise ClosingRefused(_("这个机构已有人申请结账，正在等另一个人复核。"), "office") from error
    record([made], "propose_closing", by=by, details={"last_day": f"{last_day}"})
    return made


def _refuse_day(office: Office, last_day: date, on: date) -> None:
    if plus_days(last_day, 1).day != 1 or last_day >= on:
        raise ClosingRefused(_("只能结到已经过完的月份的最后一天，例如 6 月 30 日。"), "last_day")
    opens = closing.first_open_day(office.pk)
    if opens is None:
        raise ClosingRefused(_("这个机构还没有记过账，不用结账。"), "office")
    if last_day < opens:
        words = _("{day} 以前已经结账，请选择以后的月份。")
        raise ClosingRefused(words.format(day=date_format(opens)), "last_day")


@transaction.atomic
def confirm(asked: PeriodClosing, *, by: Actor, on: date) -> PeriodClosing:
    """The second person has seen the figures: the books are closed through that day."""
    _refuse_day(asked.office, asked.last_day, on)
    try:
        period = closing.close(asked.office_id, last=asked.last_day)
    except closing.Busy as error:
        raise ClosingRefused(_("正好有人在这个机构记账（名册、放款或回盘），请过一会儿再结账。")) from error
    move([asked], "close", by=by, changes={"period": period})
    return asked


def drop(asked: PeriodClosing, *, by: Actor, note: str) -> PeriodClosing:
    """The books stay open; the reason stays on record."""
    if not note.strip():
        raise ClosingRefused(_("请写明不结账的原因。"), "note")
    return move([asked], "drop", by=by, note=note.strip())[0]

"""Erasing somebody at the desk: asked for by one person, carried out by another who has proved again who they are."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from claims.payouts.erasing import ErasureRefused, erase, needed_for
from claims.payouts.models import Erasure
from members.models import Member
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.workflow.moves import NotAllowed, move, record


def reasons_against(member: Member, *, on: date) -> list[str]:
    """What still needs to know who this is, in any office, in words; nothing when they can be erased."""
    with everywhere(reason="what still needs to know who somebody is"):
        return needed_for(member, on)


def ask(member: Member, *, basis: str, by: Actor, on: date) -> Erasure:
    """Somebody of the office responsible asks for it. ErasureRefused while it is needed, or was asked for already."""
    if member.office_id is None or by.user_id is None or not may(by, "erasures.ask", member.office_id):
        raise NotAllowed(_("这个人由另一个办事处负责，请那里办理。"))
    _refuse_needed(member, on)
    try:
        with transaction.atomic():
            made = Erasure.objects.create(office_id=member.office_id, member=member, basis=basis.strip(), asked_by_id=by.user_id)
    except IntegrityError as error:
        if "one_open_erasure" not in str(error):
            raise
        raise ErasureRefused(_("已有人提出删除，正在等另一个人复核。")) from error
    record([made], "ask_erasure", by=by)
    return made


def _refuse_needed(member: Member, on: date) -> None:
    if member.erased_on is not None:
        raise ErasureRefused(_("这个人的信息已经删除。"))
    if why := reasons_against(member, on=on):
        raise ErasureRefused(_("还不能删除：{why}。").format(why="；".join(why)))


@transaction.atomic
def carry_out(asked: Erasure, *, by: Actor, on: date) -> Erasure:
    """The second person has looked: nothing says who it was from now on. ErasureRefused when something needs it again."""
    (done,) = move([asked], "erase", by=by, changes={"basis": ""})
    with everywhere(reason="erase a person"):
        erase(Member.objects.get(pk=asked.member_id), by=by, on=on)
    return done


def drop(asked: Erasure, *, by: Actor, note: str) -> Erasure:
    """Everything stays; the reason stays on record."""
    if not note.strip():
        raise ErasureRefused(_("请写明不删除的原因。"))
    return move([asked], "drop", by=by, note=note.strip())[0]

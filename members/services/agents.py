"""Change of agent (更换经办人): whoever takes a unit over asks by its credit code, prints a form, has it stamped, hands it in;
the office approves, and on that day the old agents are unbound and the new one bound."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import AgentChange, AgentPaper, Member, UnitAgent, WorkUnit
from members.services.agent_news import tell_users
from members.services.units import UnitRefused
from unionaid.accounts.models import User
from unionaid.lib.calendar import now
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.web.files import kept
from unionaid.workflow.moves import move, record

OPEN = ("asked", "submitted")


def agents_on(unit: WorkUnit, *, on: date) -> list[UnitAgent]:
    """Who acts for the unit on this day, as far as the open scope shows them."""
    open_on = Q(until__isnull=True) | Q(until__gt=on)
    return list(UnitAgent.objects.filter(open_on, unit=unit, since__lte=on).select_related("user").order_by("since", "id"))


def users_acting(unit_ids: Iterable[int], *, on: date) -> dict[int, set[int]]:
    """Who acts for each of these units on this day, by key of the user, as far as the open scope shows them. One statement."""
    found: dict[int, set[int]] = {}
    open_on = Q(until__isnull=True) | Q(until__gt=on)
    for unit, user in UnitAgent.objects.filter(open_on, unit__in=unit_ids, since__lte=on).values_list("unit_id", "user_id"):
        found.setdefault(unit, set()).add(user)
    return found


def members_acting(unit_ids: Iterable[int], *, on: date) -> list[tuple[int, int]]:
    """(unit, worker) for each agent of these units on this day who is known as a worker, as far as the open scope shows them. Two
    statements."""
    acting = users_acting(unit_ids, on=on)
    users = {user for several in acting.values() for user in several}
    members = dict(Member.objects.filter(user_id__in=users).values_list("user_id", "pk"))
    return [(unit, members[user]) for unit, several in sorted(acting.items()) for user in sorted(several) if user in members]


def ask(credit_code: str, *, user: User, by: Actor, on: date) -> AgentChange:
    """Someone asks to take a unit over. Asked again, it is the same request."""
    with transaction.atomic(), everywhere(reason="ask to take a unit over"):
        unit = WorkUnit.objects.filter(credit_code=credit_code, state="approved").first()
        if unit is None:
            raise UnitRefused(_("没有已登记的单位用这个信用代码。请对照单位证照再输一遍；单位没有登记过的，请直接登记。"), "credit_code")
        if any(agent.user_id == user.pk for agent in agents_on(unit, on=on)):
            raise UnitRefused(_("您已经是这个单位的经办人。"), "credit_code")
        if known := AgentChange.objects.filter(unit=unit, user=user, state__in=OPEN).first():
            return known
        try:
            with transaction.atomic():
                change = AgentChange.objects.create(office_id=unit.office_id, unit=unit, user=user)
        except IntegrityError:
            return AgentChange.objects.get(unit=unit, user=user, state__in=OPEN)
        record([change], "ask_agent_change", by=by)
    return change


def hand_in(change: AgentChange, papers: Sequence[CleanUpload], *, by: Actor) -> AgentChange:
    """The stamped form goes to the office. A unit has one such request at a time."""
    if not papers:
        raise UnitRefused(_("请上传盖好章的申请表。"), "paper")
    try:
        with transaction.atomic():
            AgentPaper.objects.bulk_create(
                [AgentPaper(change=change, **kept(one)) for one in papers],
                ignore_conflicts=True,
            )
            return move([change], "hand_in", by=by, changes={"handed_in_at": now()})[0]
    except IntegrityError as error:
        if "one_submitted_agent_change" not in str(error):
            raise
        raise UnitRefused(_("这个单位已有一份更换经办人的申请在等办事处审核，请联系办事处。")) from error


def withdraw(change: AgentChange, *, by: Actor) -> AgentChange:
    """Whoever asked takes it back."""
    return move([change], "withdraw", by=by)[0]


def approve(change: AgentChange, *, by: Actor, on: date) -> AgentChange:
    """The office agrees: today the old agents are unbound and the new one bound; both are told."""
    with transaction.atomic():
        move([change], "approve", by=by)
        unit = WorkUnit.objects.select_for_update(of=("self",)).filter(pk=change.unit_id, state="approved").first()
        if unit is None:
            raise UnitRefused(_("单位已并入其他单位，不能更换经办人。"))
        old = agents_on(unit, on=on)
        UnitAgent.objects.filter(pk__in=[agent.pk for agent in old]).update(until=on)
        UnitAgent.objects.create(office_id=unit.office_id, unit=unit, user_id=change.user_id, since=on)
        details = {"unbound": [agent.user_id for agent in old], "bound": change.user_id}
        record([unit], "change_agent", by=by, details=details)
        gone = gettext_lazy("从今天起，“{unit}”的互助事务由新的经办人办理，您的经办权限已经结束。不是单位的意思，请马上联系办事处。")
        tell_users([agent.user_id for agent in old], unit, gettext_lazy("您不再是单位经办人"), gone)
        here = gettext_lazy("办事处已同意由您经办“{unit}”的互助事务，今天起生效。")
        tell_users([change.user_id], unit, gettext_lazy("您已是单位经办人"), here, link="/unit/")
    return change


def refuse(change: AgentChange, *, by: Actor, note: str) -> AgentChange:
    """The office does not agree, and says why; the agents stay who they are."""
    if not note.strip():
        raise UnitRefused(_("请写明为什么不同意，申请人会看到这段话。"), "note")
    words = note.strip()
    with transaction.atomic():
        move([change], "refuse", by=by, note=words, changes={"answer": words})
        said = gettext_lazy("办事处没有同意由您经办“{unit}”：{words}")
        tell_users([change.user_id], change.unit, gettext_lazy("更换经办人的申请未通过"), said, words=words)
    return change

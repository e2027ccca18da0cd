"""Work of this room done later."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from members.services import (
    bulk,
    contacts,
    contributions,
    deadlines,
    fee_news,
    lapses,
    lineage,
    packs,
    principals,
    problem_sheets,
    roster_news,
    rosters,
    sight,
    statements,
)
from unionaid.lib.calendar import today
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import Run, job, timetable

# `bulk` registers what the office does with many things of this room together.
__all__ = ["bulk"]

contacts.open_book()


@timetable
def find_due(on: date) -> None:
    """What is to be paid soon, and what was not paid in time; once a day, whom units see that nothing binds to them any more. Principal
    whose cover is over goes back. Units that renew nobody while there is still time, and the people they left without cover."""
    deadlines.find_unpaid(on)
    principals.find(on)
    sight.find(on)
    lapses.find(on)


@job("members.remind_unpaid", label=_("提醒缴费期限"))
def remind_unpaid(run: Run) -> dict[str, Any] | None:
    """Tell those concerned of one last day to pay."""
    deadlines.remind(run.subject_ids[0], on=run.on)


@job("members.cancel_unpaid", label=_("取消逾期未缴的参加"))
def cancel_unpaid(run: Run) -> dict[str, Any] | None:
    """Cancel one joining that was not paid for in time."""
    deadlines.cancel(run.subject_ids[0], on=run.on)


@job("members.free_principal", label=_("到期退还本金"))
def free_principal(run: Run) -> dict[str, Any] | None:
    """Let the principal of one joining go back whose cover is over."""
    principals.free(run.subject_ids[0], on=run.on)


@job("members.check_roster", label=_("核对名册"))
def check_roster(run: Run) -> dict[str, Any] | None:
    """Read and judge an uploaded roster."""
    rosters.check(run.subject_ids[0], by=SYSTEM, on=run.on, tell=run.tell)


@job("members.write_problems", label=_("生成要改正的名单"))
def write_problems(run: Run) -> dict[str, Any] | None:
    """Write the sheets of a roster's lines that are not enrolled."""
    problem_sheets.write(run.subject_ids[0])


@job("members.commit_roster", label=_("登记名册"))
def commit_roster(run: Run) -> dict[str, Any] | None:
    """Enrol the good rows of a confirmed roster."""
    rosters.commit(run.subject_ids[0], by=SYSTEM, on=run.on, tell=run.tell)


@job("members.end_sight", label=_("核对单位能看到的人"))
def end_sight(run: Run) -> dict[str, Any] | None:
    """Take people out of the sight of units that nothing binds them to any more."""
    return sight.end_for_all(run)


@job("members.end_sight_of_moved", label=_("核对原单位能看到的人"))
def end_sight_of_moved(run: Run) -> dict[str, Any] | None:
    """The same for the people of one roster."""
    return sight.end_after_roster(run.subject_ids[0], run)


@job("members.tell_enrolled", queue="notices", label=_("通知登记的职工"))
def tell_enrolled(run: Run) -> dict[str, Any] | None:
    """Tell the people of a roster that they are enrolled."""
    return roster_news.tell_people(run.subject_ids[0], roster_news.ENROLLED, run)


@job("members.tell_lapsed", queue="notices", label=_("通知没有续保的职工"))
def tell_lapsed(run: Run) -> dict[str, Any] | None:
    """Tell those whom a roster that renews the unit's list leaves without cover."""
    return lapses.tell(run.subject_ids[0], run, on=today())


@job("members.remind_renewal", queue="notices", label=_("提醒单位续保"))
def remind_renewal(run: Run) -> dict[str, Any] | None:
    """Tell the agents of units that sent in no list that the window closes soon."""
    return lapses.remind(run.subject_ids[0], run, on=today())


@job("members.tell_unrenewed", queue="notices", label=_("通知没有续保的职工"))
def tell_unrenewed(run: Run) -> dict[str, Any] | None:
    """Tell those whose unit sent in no list before the window closed."""
    return lapses.tell_unrenewed(run.subject_ids[0], run, on=today())


@job("members.tell_in_force", queue="notices", label=_("通知保障已生效"))
def tell_in_force(run: Run) -> dict[str, Any] | None:
    """Tell the people of a roster that their cover is in force."""
    return roster_news.tell_people(run.subject_ids[0], roster_news.IN_FORCE, run)


@job(fee_news.PAID, queue="notices", label=_("通知互助费到账"))
def tell_paid(run: Run) -> dict[str, Any] | None:
    """Tell whoever pays what arrived."""
    fee_news.tell_paid(run)


@job(fee_news.IN_FORCE, queue="notices", label=_("通知保障已生效"))
def tell_cover_in_force(run: Run) -> dict[str, Any] | None:
    """Tell whoever joined alone that the cover is in force."""
    fee_news.tell_in_force(run)


@job("members.make_certificates", queue="reports", label=_("生成凭证包"))
def make_certificates(run: Run) -> dict[str, Any] | None:
    """Make a part of a pack of certificates."""
    return packs.make(run.subject_ids[0], run)


@job("members.drop_certificates", label=_("删除过期的凭证包"))
def drop_certificates(run: Run) -> dict[str, Any] | None:
    """Throw away a pack of certificates whose day is over."""
    packs.drop(run.subject_ids[0])


@job("members.carry_unit", label=_("转移单位的记录"))
def carry_unit(run: Run) -> dict[str, Any] | None:
    """Carry the rows of a merged or divided unit, one kind after another."""
    return lineage.carry(run.subject_ids[0], run)


@job("members.read_statement", label=_("读取银行流水"))
def read_statement(run: Run) -> dict[str, Any] | None:
    """Read and judge an uploaded bank statement."""
    return statements.read(run.subject_ids[0], run)


@job("members.take_statement", label=_("导入银行流水"))
def take_statement(run: Run) -> dict[str, Any] | None:
    """Take in the money of a confirmed bank statement."""
    return statements.take(run.subject_ids[0], run)


@job("members.match_sure", label=_("核销来款"))
def match_sure(run: Run) -> dict[str, Any] | None:
    """Match the remittances of an office whose remark and amount agree with a debt."""
    return contributions.match_sure(run.subject_ids[0], run)

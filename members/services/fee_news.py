"""What those who pay are told of their money, and whoever joined alone of their cover: written as jobs with the act, told once each."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from members.models import ContributionDue, Enrolment, Match, Member, Refund, UnitAgent
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.models import Job
from unionaid.workflow.notices import tell

PAID, IN_FORCE = "members.tell_paid", "members.tell_cover_in_force"


def tell_later(kind: str, rows: Iterable[Any]) -> None:
    """Write the job that tells of each of these debts or enrolments, as it stands in this version. A constant number of statements."""
    enqueue(kind, [(row.pk, _key(kind, row), row) for row in rows], by=SYSTEM)


def _key(kind: str, row: Any) -> str:
    return f"{kind}:{row.pk}:{row.version}"


def _is_news(kind: str, row: Any, run: Run) -> bool:
    """Is the row as it was when the job was written? What changed since is told by a job of its own, and not twice."""
    return Job.objects.filter(pk=run.job_id, key=_key(kind, row)).exists()


def tell_paid(run: Run) -> None:
    """Money arrived for a debt: how much is still missing, or to the unit that all of it is there."""
    with everywhere(reason="tell whoever pays what arrived"):
        due = ContributionDue.objects.select_related("roster__terms__program", "enrolment__terms__program").get(pk=run.subject_ids[0])
        if not _is_news(PAID, due, run):
            return
        joining: Any = due.roster or due.enrolment
        values = {"program": joining.terms.program.title, "paid": format_yuan(due.paid_fen), "owed": format_yuan(due.owed_fen)}
        if due.state == "part_paid":
            text = gettext_lazy("“{program}”的互助费已收到 {paid} 元，还欠 {owed} 元。请补足欠的金额，附言不变；缴清后保障才生效。")
            _tell_payers([due], gettext_lazy("互助费还没有缴够"), text, values)
        elif due.state == "settled" and due.unit_id:
            text = gettext_lazy("“{program}”的互助费 {paid} 元已经到账。可以在缴费页面下载收据。")
            _tell_payers([due], gettext_lazy("互助费已到账"), text, values)


def tell_in_force(run: Run) -> None:
    """Whoever joined alone, or for husband, wife or child, is told that the cover is in force."""
    with everywhere(reason="tell of cover that is in force"):
        cover = Enrolment.objects.select_related("member", "terms__program").get(pk=run.subject_ids[0])
        if not _is_news(IN_FORCE, cover, run):
            return
        values = {"program": cover.terms.program.title, "first": cover.cover.lower, "last": cover.last_day, "name": cover.member.name}
        text = gettext_lazy("{name}的“{program}”已经生效。保障期从{first}到{last}，凭证请在“我的保障”里查看。")
        title, link = gettext_lazy("保障已生效"), f"/my/enrolments/{cover.public_id}/certificate"
        tell([cover.holder_id], office_id=cover.office_id, title=title, text=text, link=link, values=values)


def tell_refunded(refund: Refund) -> None:
    """The money is back with whoever paid it."""
    text = gettext_lazy("办事处已把 {amount} 元互助费退到{payee}尾号 {last} 的账户（{why}）。一般 1 到 2 个工作日到账。")
    _tell_of_refund(refund, gettext_lazy("互助费已退款"), text)


def tell_refund_failed(refund: Refund) -> None:
    """The bank sent the money back to the office: whoever is to get it should look at the account."""
    text = gettext_lazy("退给{payee}尾号 {last} 账户的 {amount} 元没有退成，被银行退回。请联系办事处核对收款账户，钱还在办事处。")
    _tell_of_refund(refund, gettext_lazy("互助费退款没有成功"), text)


def _tell_of_refund(refund: Refund, title: Promise, text: Promise) -> None:
    values = {
        "amount": format_yuan(refund.amount_fen), "payee": refund.payee_name, "last": refund.account_last_four,
        "why": Refund.Reason(refund.reason).label,
    }  # fmt: skip
    with everywhere(reason="tell whoever paid what went back"):
        _tell_payers(_debts_of(refund), title, text, values)


def _debts_of(refund: Refund) -> Sequence[ContributionDue]:
    """For what the money was sent: named in its remark or matched with it once, at the same office."""
    rows = ContributionDue.objects.filter(office_id=refund.office_id)
    once = Match.objects.filter(remittance=refund.remittance_id).values("due")
    return list((rows.filter(reference__in=refund.remittance.named) | rows.filter(pk__in=once)).order_by("pk"))


def _tell_payers(dues: Sequence[ContributionDue], title: Promise, text: Promise, values: dict[str, Any]) -> None:
    """The person who owes, or the present agents of the unit that does; once each, however many debts."""
    if not dues:
        return
    office_id, told = dues[0].office_id, {due.member_id for due in dues if due.member_id}
    tell(told, office_id=office_id, title=title, text=text, link="/my/", values=values)
    for unit_id, due in sorted({due.unit_id: due for due in dues if due.unit_id}.items()):
        users = UnitAgent.objects.filter(unit=unit_id, until__isnull=True).values("user")
        agents = set(Member.objects.filter(user__in=users).values_list("pk", flat=True)) - told
        tell(agents, office_id=office_id, title=title, text=text, link=f"/unit/dues/{due.pk}", values=values)
        told |= agents

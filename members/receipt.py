"""The receipt (收据) of a settled contribution as a PDF, with a QR code that leads to its public verification page."""

from datetime import date

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.models import ContributionDue, Match
from members.printed import case_of, write_code, write_facts, write_line
from unionaid.lib.money import capital_yuan, format_yuan
from unionaid.lib.pdf import Page


def receipted() -> QuerySet[ContributionDue]:
    """The debts of the open scope that have a receipt: settled ones, with what it says of them."""
    rows = ContributionDue.objects.filter(state="settled", paid_fen__gt=0)
    return rows.select_related("office", "unit", "member", "roster__terms__program", "enrolment__terms__program", "enrolment__member")


def number_of(due: ContributionDue) -> str:
    """The number printed on the receipt; another one when the debt was opened and settled again."""
    return f"SJ{due.pk:010d}-{due.version}"


def payers_of(due: ContributionDue) -> list[str]:
    """The names on the transfers that settled it."""
    live = Match.objects.filter(due=due, undone_at__isnull=True).select_related("remittance").order_by("pk")[:20]
    return list(dict.fromkeys(one.remittance.payer_name for one in live if one.remittance.payer_name))


def purpose_of(due: ContributionDue) -> str:
    """What was paid for: the plan, its period, and for whom."""
    terms = due.roster.terms if due.roster else due.enrolment.terms  # type: ignore[union-attr]
    plan = _("{plan}（{period}）互助费").format(plan=terms.program.title, period=terms.version_name)
    if due.roster:
        return _("{plan}，{count} 人").format(plan=plan, count=f"{due.roster.good_count:,}")
    return plan


def facts_of(due: ContributionDue) -> list[tuple[str, str]]:
    """What the receipt says, line by line."""
    assert isinstance(due.settled_on, date)
    owner = due.unit.name if due.unit else due.member.name if due.member else "—"
    payers = payers_of(due)
    return [
        (_("收据编号"), number_of(due)),
        (_("缴费单位或个人"), owner),
        (_("付款人"), "、".join(payers) or owner),
        (_("缴费方"), due.get_payer_display()),
        (_("收款事由"), purpose_of(due)),
        (_("金额（大写）"), _("人民币{amount}").format(amount=capital_yuan(due.paid_fen))),
        (_("金额（小写）"), _("¥{amount} 元").format(amount=format_yuan(due.paid_fen))),
        (_("转账附言"), due.reference),
        (_("缴清日期"), date_format(due.settled_on)),
        (_("收款机构"), due.office.name),
    ]


def render(due: ContributionDue, *, verify_url: str) -> bytes:
    """The PDF, one A4 page. Only a settled debt has one (ValueError)."""
    if due.state != "settled":
        raise ValueError("only settled contributions have a receipt")
    title, facts = _("职工互助费收据"), facts_of(due)
    said = [_("扫码核验收据真伪。退款或作废后，原收据失效。"), _("本收据证明互助费已经收到，不是发票。")]
    page = Page(title, case_of([title, *said, *(text for line in facts for text in line)]))
    page.box(12, 12, 186, 220, line=0.6, colour=(32, 64, 128))
    write_line(page, title, y=24, height=12, size=22, align="center")
    write_facts(page, facts, y=42, left=22, label=42, width=122, size=12)
    write_code(page, verify_url, x=148, y=178, width=40)
    for at, line in enumerate(said):
        write_line(page, line, y=208 + 6 * at, height=6, size=10, left=22)
    return page.written()

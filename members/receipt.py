"""The receipt (收据) of a settled contribution as a PDF, with a QR code that leads to its public verification page."""

from datetime import date

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.models import ContributionDue, Match
from members.printed import new_page, write_code, write_facts
from unionaid.lib.money import capital_yuan, format_yuan


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
    page = new_page(_("职工互助费收据"))
    page.set_draw_color(32, 64, 128)
    page.set_line_width(0.6)
    page.rect(12, 12, 186, 220)
    page.set_font("song", size=22)
    page.set_y(24)
    page.cell(0, 12, _("职工互助费收据"), align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(6)
    write_facts(page, facts_of(due), left=22, label=42, width=122, size=12)
    write_code(page, verify_url, x=148, y=178, width=40)
    page.set_xy(22, 208)
    page.set_font("song", size=10)
    page.cell(0, 6, _("扫码核验收据真伪。退款或作废后，原收据失效。"), new_x="LMARGIN", new_y="NEXT")
    page.set_x(22)
    page.cell(0, 6, _("本收据证明互助费已经收到，不是发票。"))
    return bytes(page.output())

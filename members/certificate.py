"""The certificate of an enrolment (互助保障凭证) as a PDF, with a QR code that leads to its public verification page."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.models import Enrolment
from members.printed import new_page, write_code, write_facts
from unionaid.lib.money import format_yuan


def number_of(enrolment: Enrolment) -> str:
    """The number printed on the certificate: the first group of the public id and the row's number."""
    return f"PZ{enrolment.pk:010d}-{enrolment.public_id.hex[:6].upper()}"


def facts_of(enrolment: Enrolment) -> list[tuple[str, str]]:
    """What the certificate says, line by line; page and PDF show the same."""
    first, last = enrolment.cover.lower, enrolment.last_day
    waiting = date_format(enrolment.waiting_until) if enrolment.waiting_until else _("无")
    return [
        (_("凭证编号"), number_of(enrolment)),
        (_("参加人"), enrolment.member.name),
        (_("互助计划"), enrolment.program.title),
        (_("期次"), enrolment.terms.version_name),
        (_("主办单位"), enrolment.program.organiser_name),
        (_("份数"), _("{count} 份").format(count=enrolment.shares)),
        (_("互助费"), _("{amount} 元").format(amount=format_yuan(enrolment.contribution_fen))),
        (_("保障期"), _("{first} 0 时起，至 {last} 24 时止").format(first=date_format(first), last=date_format(last))),
        (_("等待期至"), waiting),
        (_("参加单位"), enrolment.unit.name if enrolment.unit else _("个人参加")),
        (_("责任办事处"), enrolment.office.name),
    ]


def render(enrolment: Enrolment, *, verify_url: str) -> bytes:
    """The PDF, one A4 page. Only an effective enrolment has one (ValueError)."""
    if enrolment.state != "effective":
        raise ValueError("only effective enrolments have a certificate")
    page = new_page(_("职工互助保障凭证"))
    page.set_draw_color(160, 32, 32)
    page.set_line_width(0.8)
    page.rect(12, 12, 186, 273)
    page.set_font("song", size=24)
    page.set_y(28)
    page.cell(0, 14, _("职工互助保障凭证"), align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(8)
    write_facts(page, facts_of(enrolment), left=26, label=38, width=118, size=13)
    write_code(page, verify_url, x=78, y=196, width=54)
    page.set_y(252)
    page.set_font("song", size=11)
    page.cell(0, 7, _("扫码核验凭证真伪（只显示隐去姓名的信息）"), align="C", new_x="LMARGIN", new_y="NEXT")
    page.cell(0, 7, _("本凭证为职工互助保障参加证明，不是商业保险合同。"), align="C")
    return bytes(page.output())

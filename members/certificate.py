"""The certificate of an enrolment (互助保障凭证) as a PDF, with a QR code that leads to its public verification page."""

import io
from collections.abc import Container
from pathlib import Path

import pylopdf_fonts_zh_cn
import segno
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from fpdf import FPDF

from members.models import Enrolment
from unionaid.lib.money import format_yuan

FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"


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


def printable(text: str, known: Container[int]) -> str:
    """The text with every character that the font lacks written as its code, so that a rare name is never silently blank.

    >>> printable("䶮𠮷", {ord("䶮")})
    '䶮〔U+20BB7〕'
    """
    return "".join(c if ord(c) in known else f"〔U+{ord(c):X}〕" for c in text)


def render(enrolment: Enrolment, *, verify_url: str) -> bytes:
    """The PDF, one A4 page. Only an effective enrolment has one (ValueError)."""
    if enrolment.state != "effective":
        raise ValueError("only effective enrolments have a certificate")
    page = FPDF(format="A4")
    page.set_title(_("职工互助保障凭证"))
    page.add_font("song", fname=str(FONT))
    page.add_page()
    page.set_draw_color(160, 32, 32)
    page.set_line_width(0.8)
    page.rect(12, 12, 186, 273)
    page.set_font("song", size=24)
    page.set_y(28)
    page.cell(0, 14, _("职工互助保障凭证"), align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(8)
    for label, value in facts_of(enrolment):
        page.set_x(26)
        page.set_font("song", size=13)
        page.set_text_color(90, 90, 90)
        page.cell(38, 10, label)
        page.set_text_color(0, 0, 0)
        page.multi_cell(118, 10, printable(value, page.fonts["song"].cmap), new_x="LMARGIN", new_y="NEXT")
    image = io.BytesIO()
    segno.make(verify_url, error="m").save(image, kind="png", scale=8, border=2)
    page.image(image, x=78, y=196, w=54)
    page.set_y(252)
    page.set_font("song", size=11)
    page.cell(0, 7, _("扫码核验凭证真伪（只显示隐去姓名的信息）"), align="C", new_x="LMARGIN", new_y="NEXT")
    page.cell(0, 7, _("本凭证为职工互助保障参加证明，不是商业保险合同。"), align="C")
    return bytes(page.output())

"""The certificates (互助保障凭证) of an enrolment and of a unit's batch as PDFs, with a QR code that leads to their public
verification page."""

from collections.abc import Sequence
from pathlib import Path

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from members.facts import cover_waits
from members.models import Enrolment, Roster
from members.printed import FONT, new_page, write_code, write_facts
from members.selectors.unit_cover import Batch
from programs.selectors import schedule_of
from unionaid.lib.money import format_yuan


def number_of(enrolment: Enrolment) -> str:
    """The number printed on the certificate: the row's number and the last six letters of the public id, which nobody can guess (the
    first tell the time)."""
    return f"PZ{enrolment.pk:010d}-{enrolment.public_id.hex[-6:].upper()}"


def facts_of(enrolment: Enrolment) -> list[tuple[str, str]]:
    """What the certificate says, line by line; page and PDF show the same."""
    first, last = enrolment.cover.lower, enrolment.last_day
    waiting = cover_waits(enrolment, schedule_of(enrolment.terms)).in_language(get_language() or "")
    return [
        (_("凭证编号"), number_of(enrolment)),
        (_("参加人"), enrolment.member.name),
        (_("互助计划"), enrolment.program.title),
        (_("期次"), enrolment.terms.version_name),
        (_("主办单位"), enrolment.program.organiser_name),
        (_("份数"), _("{count} 份").format(count=enrolment.shares)),
        (_("互助费"), _("{amount} 元").format(amount=format_yuan(enrolment.contribution_fen))),
        (_("保障期"), _("{first} 0 时起，至 {last} 24 时止").format(first=date_format(first), last=date_format(last))),
        (_("等待期"), waiting),
        (_("参加单位"), enrolment.unit.name if enrolment.unit else _("个人参加")),
        (_("责任办事处"), enrolment.office.name),
    ]


def texts_of(enrolment: Enrolment) -> list[str]:
    """Every word on the certificate."""
    return [_heading(), *_footing(), *(text for line in facts_of(enrolment) for text in line)]


def render(enrolment: Enrolment, *, verify_url: str, font: Path = FONT) -> bytes:
    """The PDF, one A4 page. Only an effective enrolment has one (ValueError)."""
    if enrolment.state != "effective":
        raise ValueError("only effective enrolments have a certificate")
    return _page(_heading(), facts_of(enrolment), _footing(), verify_url, font)


def _heading() -> str:
    return _("职工互助保障凭证")


def _footing() -> list[str]:
    return [_("扫码核验凭证真伪（只显示隐去姓名的信息）"), _("本凭证为职工互助保障参加证明，不是商业保险合同。")]


def _page(heading: str, facts: Sequence[tuple[str, str]], footing: Sequence[str], verify_url: str, font: Path = FONT) -> bytes:
    """One A4 page: the heading, the facts line by line, the code that leads to the verification, what is said about it."""
    page = new_page(heading, font)
    page.set_draw_color(160, 32, 32)
    page.set_line_width(0.8)
    page.rect(12, 12, 186, 273)
    page.set_font("song", size=24)
    page.set_y(28)
    page.cell(0, 14, heading, align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(8)
    write_facts(page, facts, left=26, label=38, width=118, size=13)
    write_code(page, verify_url, x=78, y=196, width=54)
    page.set_y(252)
    page.set_font("song", size=11)
    for line in footing:
        page.cell(0, 7, line, align="C", new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


# -- of a unit's batch --------------------------------------------------------------------------------------------------


def number_of_batch(roster: Roster) -> str:
    """The number printed on a batch's certificate."""
    return f"PC{roster.pk:010d}-{roster.public_id.hex[-6:].upper()}"


def batch_facts(batch: Batch) -> list[tuple[str, str]]:
    """What the certificate of a unit's batch says, line by line; verification and PDF show the same."""
    roster, program = batch.roster, batch.roster.terms.program
    days = _("{first} 0 时起，至 {last} 24 时止").format(first=date_format(batch.first), last=date_format(batch.last))
    return [
        (_("凭证编号"), number_of_batch(roster)),
        (_("参加单位"), roster.unit.name),
        (_("互助计划"), program.title),
        (_("期次"), roster.terms.version_name),
        (_("主办单位"), program.organiser_name),
        (_("参加人数"), _("{count} 人").format(count=f"{batch.people:,}")),
        (_("互助费合计"), _("{amount} 元").format(amount=format_yuan(batch.total_fen))),
        (_("保障期"), days),
        (_("责任办事处"), roster.office.name),
    ]


def render_batch(batch: Batch, *, verify_url: str) -> bytes:
    """The PDF of a unit's batch, one A4 page without anybody's name."""
    footing = [_("扫码核验凭证真伪。名单以单位公示和每人的凭证为准。"), _("本凭证为职工互助保障参加证明，不是商业保险合同。")]
    return _page(_("单位参加职工互助保障凭证"), batch_facts(batch), footing, verify_url)

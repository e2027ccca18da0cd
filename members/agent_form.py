"""The form for a change of agent (更换经办人申请表) as a PDF: printed, signed, stamped by the unit's union, photographed."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from fpdf import FPDF

from members.models import AgentChange
from members.printed import new_page, settled
from unionaid.lib.calendar import day_of

LABEL, WIDTH, LINE = 46, 170, 12


def number_of(change: AgentChange) -> str:
    """The number printed on the form."""
    return f"JB{change.pk:08d}"


def render(change: AgentChange, *, applicant: str) -> bytes:
    """One A4 page. Who the agents were until now is for the unit to write: the applicant is not told."""
    page = new_page(_("更换经办人申请表"))
    page.set_margin(20)
    page.set_font("song", size=22)
    page.set_y(24)
    page.cell(0, 14, _("更换单位经办人申请表"), align="C", new_x="LMARGIN", new_y="NEXT")
    page.set_font("song", size=10)
    page.cell(0, 8, _("编号：{number}").format(number=number_of(change)), align="R", new_x="LMARGIN", new_y="NEXT")
    rows = [
        (_("单位名称"), change.unit.name),
        (_("统一社会信用代码"), change.unit.credit_code),
        (_("原经办人"), ""),
        (_("新经办人"), applicant),
        (_("新经办人手机号"), ""),
        (_("申请日期"), date_format(day_of(change.asked_at))),
    ]
    for label, value in rows:
        _row(page, label, value)
    promise = _("本人受本单位工会指定，办理职工互助的登记、名册和缴费，填写的内容真实，不外泄职工个人信息。")
    consent = _("同意由上述新经办人办理本单位职工互助事务，原经办人同时停止办理。")
    _box(page, _("新经办人承诺"), promise, _("签名：　　　　　　　　　日期："))
    _box(page, _("单位工会意见"), consent, _("（盖章）　　　　　　　　日期："), height=62)
    page.set_font("song", size=10)
    page.multi_cell(
        0, 7, _("盖章后拍照或扫描，登录后在“接手单位经办”里上传。{office}审核通过当天生效。").format(office=change.unit.office.name)
    )
    return bytes(page.output())


def _row(page: FPDF, label: str, value: str) -> None:
    page.set_font("song", size=12)
    text = settled(page, value) or " "
    lines = page.multi_cell(WIDTH - LABEL - 4, LINE, text, dry_run=True, output="LINES")
    height = LINE * max(1, len(lines))
    left, top = page.get_x(), page.get_y()
    page.rect(left, top, LABEL, height)
    page.rect(left + LABEL, top, WIDTH - LABEL, height)
    page.set_xy(left + 2, top)
    page.cell(LABEL - 4, height, label)
    page.set_xy(left + LABEL + 2, top)
    page.multi_cell(WIDTH - LABEL - 4, LINE, text)
    page.set_xy(left, top + height)


def _box(page: FPDF, label: str, words: str, sign: str, *, height: int = 44) -> None:
    left, top = page.get_x(), page.get_y()
    page.rect(left, top, LABEL, height)
    page.rect(left + LABEL, top, WIDTH - LABEL, height)
    page.set_font("song", size=12)
    page.set_xy(left + 2, top)
    page.cell(LABEL - 4, height, label)
    page.set_xy(left + LABEL + 2, top + 3)
    page.multi_cell(WIDTH - LABEL - 4, 8, words)
    page.set_xy(left + LABEL + 2, top + height - 12)
    page.cell(WIDTH - LABEL - 4, 8, sign)
    page.set_xy(left, top + height + (4 if height > 50 else 0))

"""The form for a change of agent (更换经办人申请表) as a PDF: printed, signed, stamped by the unit's union, photographed."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.models import AgentChange
from members.printed import broken, case_of, write_block, write_line
from unionaid.lib.calendar import day_of
from unionaid.lib.pdf import Page

LEFT, LABEL, WIDTH, LINE, SIZE = 20, 46, 170, 12, 12


def number_of(change: AgentChange) -> str:
    """The number printed on the form."""
    return f"JB{change.pk:08d}"


def render(change: AgentChange, *, applicant: str) -> bytes:
    """One A4 page. Who the agents were until now is for the unit to write: the applicant is not told."""
    title, number = _("更换单位经办人申请表"), _("编号：{number}").format(number=number_of(change))
    rows = [
        (_("单位名称"), change.unit.name),
        (_("统一社会信用代码"), change.unit.credit_code),
        (_("原经办人"), ""),
        (_("新经办人"), applicant),
        (_("新经办人手机号"), ""),
        (_("申请日期"), date_format(day_of(change.asked_at))),
    ]
    promise = _("本人受本单位工会指定，办理职工互助的登记、名册和缴费，填写的内容真实，不外泄职工个人信息。")
    consent = _("同意由上述新经办人办理本单位职工互助事务，原经办人同时停止办理。")
    boxes = [
        (_("新经办人承诺"), promise, _("签名：　　　　　　　　　日期："), 44),
        (_("单位工会意见"), consent, _("（盖章）　　　　　　　　日期："), 62),
    ]
    last = _("盖章后拍照或扫描，登录后在“接手单位经办”里上传。{office}审核通过当天生效。").format(office=change.unit.office.name)
    words = [title, number, last, *(text for row in rows for text in row), *(text for box in boxes for text in box[:3])]
    page = Page(_("更换经办人申请表"), case_of(words))
    write_line(page, title, y=24, height=14, size=22, left=LEFT, right=LEFT, align="center")
    write_line(page, number, y=38, height=8, size=10, left=LEFT, right=LEFT, align="right")
    y = 46.0
    for label, value in rows:
        y = _row(page, label, value, y)
    for label, text, sign, height in boxes:
        y = _box(page, label, text, sign, y, height)
    write_block(page, last, x=LEFT, y=y + 4, width=WIDTH, height=7, size=10)
    return page.written()


def _row(page: Page, label: str, value: str, y: float) -> float:
    """A line of the table; where the next begins."""
    height = LINE * max(1, len(broken(page.case, value, SIZE, WIDTH - LABEL - 4)))
    _cells(page, label, y, height)
    write_block(page, value, x=LEFT + LABEL + 2, y=y, width=WIDTH - LABEL - 4, height=LINE, size=SIZE)
    return y + height


def _box(page: Page, label: str, words: str, sign: str, y: float, height: int) -> float:
    """A field for a signature; where the next begins."""
    _cells(page, label, y, height)
    write_block(page, words, x=LEFT + LABEL + 2, y=y + 3, width=WIDTH - LABEL - 4, height=8, size=SIZE)
    write_block(page, sign, x=LEFT + LABEL + 2, y=y + height - 12, width=WIDTH - LABEL - 4, height=8, size=SIZE)
    return y + height


def _cells(page: Page, label: str, y: float, height: float) -> None:
    page.box(LEFT, y, LABEL, height)
    page.box(LEFT + LABEL, y, WIDTH - LABEL, height)
    write_block(page, label, x=LEFT + 2, y=y + (height - LINE) / 2, width=LABEL - 4, height=LINE, size=SIZE)

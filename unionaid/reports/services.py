"""Building an office's yearly statement: figures, frozen lines, workbook. A new build is a new revision."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from programs.models import Program
from programs.selectors import programs_by_id
from unionaid.lib.calendar import SHANGHAI, day_of, now
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import covers
from unionaid.reports import figures
from unionaid.reports.models import StatementLine, YearlyStatement
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import MoveRefused, NotAllowed, record


class ReportRefused(MoveRefused):
    """The statement is not built; the message says why."""


def request(office: Office, year: int, *, by: Actor) -> YearlyStatement:
    """Ask for a statement; a job builds it. Earlier revisions stay as they were."""
    if not may(by, "reports.build", office.pk):
        raise NotAllowed(_("您不能编制这个机构的年报。"))
    last = YearlyStatement.objects.filter(office=office, year=year).aggregate(last=Max("revision", default=0))["last"]
    try:
        with transaction.atomic():
            statement = YearlyStatement.objects.create(office=office, year=year, revision=last + 1, requested_by_id=by.user_id)
    except IntegrityError as error:
        raise ReportRefused(_("同一机构同一年度的年报刚刚有人申请编制，请到年报列表查看。")) from error
    record([statement], "request", by=by)
    enqueue("reports.build_yearly", [(statement.pk, job_key(statement), statement)], by=by, permission="reports.build")
    return statement


def job_key(statement: YearlyStatement) -> str:
    """The key of the job that builds this statement."""
    return f"reports.build_yearly:{statement.pk}"


def build(statement_id: int, run: Run) -> dict[str, Any] | None:
    """Count, then freeze and write out: a chunk each, so that the page shows how far it is. A second run does nothing."""
    statement = YearlyStatement.objects.select_for_update(of=("self",)).select_related("office").get(pk=statement_id)
    if statement.frozen_at is not None:
        return None
    offices, counted = covers(statement.office), run.cursor.get("counted", [])
    run.total = 3
    if not counted:
        run.stage, run.done = _("统计申领与给付"), 1
        return {"counted": [figures.count_enrolled(offices, statement.year)]}
    if len(counted) == 1:
        run.stage, run.done = _("定稿并写出表格"), 2
        asked, paid = figures.count_asked(offices, statement.year), figures.count_paid(offices, statement.year)
        return {"counted": [*counted, asked, paid]}
    _freeze(statement, counted, by=run.by)
    run.stage, run.done = "", 3
    return None


def _freeze(statement: YearlyStatement, counted: Sequence[figures.Counted], *, by: Actor) -> None:
    programs = programs_by_id({int(key) for part in counted for key in part["program"]})
    found = figures.figures_of(counted, {str(pk): program.category for pk, program in programs.items()})
    in_order = sorted(programs.values(), key=lambda program: (CATEGORIES.index(program.category), program.code))
    lines = [
        _line(statement, "by_program", program.code, found["program"][str(program.pk)], program.name, program.category)
        for program in in_order
    ]
    lines += [
        _line(statement, "by_category", key, found["category"][key])
        for key in sorted(found["category"], key=CATEGORIES.index)
    ]
    lines.append(_line(statement, "total", "total", found["total"]["all"]))
    for i, line in enumerate(lines):
        line.position = i
    StatementLine.objects.bulk_create(lines)
    statement.as_of = statement.frozen_at = now()
    content = workbook(statement, lines)
    statement.sha256 = hashlib.sha256(content).hexdigest()
    statement.workbook.save("yearly.xlsx", ContentFile(content), save=False)
    statement.save()
    record([statement], "freeze", by=by)


CATEGORIES = Program.Category.values


def _line(
    statement: YearlyStatement, table: str, key: str, row: figures.Figures, label: str = "", category: str = ""
) -> StatementLine:
    return StatementLine(statement=statement, table=table, key=key, label=label, figures=row.as_data() | {"category": category})


def label_of(line: StatementLine) -> str:
    """What the row is called, in the reader's language: only a plan's own name is frozen with its figures."""
    if line.table == "total":
        return _("合计")
    return _category(line.key) if line.table == "by_category" else line.label


def _category(key: str) -> str:
    return str(Program.Category(key).label) if key else ""


def lines_of(statement: YearlyStatement, table: str = "by_program") -> list[StatementLine]:
    """The frozen lines of one table, the total last."""
    return choose(list(statement.lines.all()), table)


def choose(lines: Sequence[StatementLine], table: str) -> list[StatementLine]:
    """The lines of one table out of all, the total last."""
    own = sorted((line for line in lines if line.table == table), key=lambda line: line.position)
    return own + [line for line in lines if line.table == "total"]


CATEGORY = Column(gettext_lazy("类别"), "text", 16)
COLUMNS = (
    Column(gettext_lazy("计划或类别"), "text", 36),
    CATEGORY,
    Column(gettext_lazy("单位数"), "count", 9),
    Column(gettext_lazy("参加人数"), "count", 10),
    Column(gettext_lazy("参加人次"), "count", 10),
    Column(gettext_lazy("份数"), "count", 9),
    Column(gettext_lazy("新参人次"), "count", 10),
    Column(gettext_lazy("互助费（元）"), "yuan", 16),
    Column(gettext_lazy("申领件"), "count", 9),
    Column(gettext_lazy("给付件"), "count", 9),
    Column(gettext_lazy("受益人数"), "count", 10),
    Column(gettext_lazy("给付金额（元）"), "yuan", 16),
    Column(gettext_lazy("件均（元）"), "yuan", 14),
    Column(gettext_lazy("单笔最高（元）"), "yuan", 14),
    Column(gettext_lazy("赔付率"), "ratio", 10),
    Column(gettext_lazy("受益率"), "ratio", 10),
)


# What each column of a row is, for those who read rows by name.
NAMES = (
    "label", "category", "units", "people", "enrolments", "shares", "first_time", "contributions_fen", "claims", "paid_claims",
    "beneficiaries", "benefits_fen", "mean_fen", "highest_fen", "benefit_ratio", "beneficiary_ratio",
)  # fmt: skip


def table_rows(lines: Sequence[StatementLine]) -> list[list[Any]]:
    """One row per line, in the order of `COLUMNS`; page and workbook show the same rows."""
    return [_row(line) for line in lines]


def _row(line: StatementLine) -> list[Any]:
    f: Mapping[str, Any] = line.figures
    mean = _half_up(f["benefits_fen"], f["paid_claims"])
    return [
        label_of(line),
        _category(f["category"]),
        f["units"],
        f["people"],
        f["enrolments"],
        f["shares"],
        f["first_time"],
        f["contributions_fen"],
        f["claims"],
        f["paid_claims"],
        f["beneficiaries"],
        f["benefits_fen"],
        mean,
        f["highest_fen"],
        _ratio(f["benefits_fen"], f["contributions_fen"]),
        _ratio(f["beneficiaries"], f["people"]),
    ]


def _half_up(total: int, count: int) -> int | None:
    return (2 * total + count) // (2 * count) if count else None


def _ratio(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001")) if whole else None


def workbook(statement: YearlyStatement, lines: Sequence[StatementLine]) -> bytes:
    """The xlsx: values only, the same rows as the page; one sheet by program and one by category."""
    moment = statement.as_of
    assert moment is not None
    notes = [
        _("数据截止：{day} {time:%H:%M}（北京时间）　第 {revision} 版　统计范围：{office}及所属机构").format(
            day=date_format(day_of(moment)), time=moment.astimezone(SHANGHAI), revision=statement.revision, office=statement.office.name
        ),
        *(str(text) for text in figures.DEFINITIONS),
    ]
    title = _("{office} {year} 年度职工医疗互助统计年报").format(office=statement.office.name, year=statement.year)
    by_program, by_category = choose(lines, "by_program"), choose(lines, "by_category")
    plain = [column for column in COLUMNS if column is not CATEGORY]
    out = io.BytesIO()
    write_workbook(
        out,
        [
            Sheet(_("按计划"), title, COLUMNS, table_rows(by_program), notes, has_total=True),
            Sheet(_("按类别"), title, plain, [row[:1] + row[2:] for row in table_rows(by_category)], notes, has_total=True),
        ],
    )
    return out.getvalue()

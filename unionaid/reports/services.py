"""Building an office's yearly statement: figures, frozen lines, workbook. A new build is a new revision."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import Max
from django.utils.translation import gettext as _

from programs.models import Program
from programs.selectors import programs_by_id
from unionaid.lib.calendar import now
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.offices.selectors import covers
from unionaid.reports import figures
from unionaid.reports.models import StatementLine, YearlyStatement
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import record


def request(office: Office, year: int, *, by: Actor) -> YearlyStatement:
    """Ask for a statement; a job builds it. Earlier revisions stay as they were."""
    last = YearlyStatement.objects.filter(office=office, year=year).aggregate(last=Max("revision", default=0))["last"]
    statement = YearlyStatement.objects.create(office=office, year=year, revision=last + 1, requested_by_id=by.user_id)
    record([statement], "request", by=by)
    enqueue(
        "reports.build_yearly",
        [(statement.pk, f"reports.build_yearly:{statement.pk}", statement)],
        by=by,
        permission="reports.build",
    )
    return statement


def build(statement_id: int, run: Run) -> None:
    """Compute, freeze and write out; a second run does nothing."""
    statement = YearlyStatement.objects.select_for_update(of=("self",)).select_related("office").get(pk=statement_id)
    if statement.frozen_at is not None:
        return
    offices = covers(statement.office)
    run.stage, run.total = _("统计"), 3
    parts = figures.by_program(offices, statement.year)
    whole = figures.in_all(offices, statement.year)
    programs = programs_by_id(parts)
    lines = [(programs[pk], row) for pk, row in parts.items()]
    lines.sort(key=lambda pair: (Program.Category.values.index(pair[0].category), pair[0].code))
    StatementLine.objects.bulk_create(
        [
            StatementLine(
                statement=statement,
                table="by_program",
                position=i,
                key=program.code,
                label=program.name,
                figures=row.as_data() | {"category": program.get_category_display()},
            )
            for i, (program, row) in enumerate(lines)
        ]
        + [
            StatementLine(
                statement=statement, table="total", position=0, key="total", label=_("合计"), figures=whole.as_data()
            )
        ]
    )
    statement.as_of = statement.frozen_at = now()
    content = workbook(statement, table_rows(lines_of(statement)))
    statement.sha256 = hashlib.sha256(content).hexdigest()
    statement.workbook.save("yearly.xlsx", ContentFile(content), save=False)
    statement.save()
    record([statement], "freeze", by=run.by)
    run.done = run.total


def lines_of(statement: YearlyStatement) -> list[StatementLine]:
    """The frozen lines, the total last."""
    return sorted(statement.lines.all(), key=lambda line: (line.table == "total", line.position))


COLUMNS = (
    Column("计划", "text", 36),
    Column("类别", "text", 16),
    Column("单位数", "count", 9),
    Column("参加人数", "count", 10),
    Column("参加人次", "count", 10),
    Column("份数", "count", 9),
    Column("新参人次", "count", 10),
    Column("互助费（元）", "yuan", 16),
    Column("申领件", "count", 9),
    Column("给付件", "count", 9),
    Column("受益人数", "count", 10),
    Column("给付金额（元）", "yuan", 16),
    Column("件均（元）", "yuan", 14),
    Column("单笔最高（元）", "yuan", 14),
    Column("赔付率", "ratio", 10),
    Column("受益率", "ratio", 10),
)


def table_rows(lines: Sequence[StatementLine]) -> list[list[Any]]:
    """One row per line, in the order of `COLUMNS`; page and workbook show the same rows."""
    return [_row(line) for line in lines]


def _row(line: StatementLine) -> list[Any]:
    f: Mapping[str, Any] = line.figures
    mean = _half_up(f["benefits_fen"], f["paid_claims"])
    return [
        line.label,
        f.get("category", ""),
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


def workbook(statement: YearlyStatement, rows: Sequence[Sequence[Any]]) -> bytes:
    """The xlsx: values only, the same rows as the page."""
    notes = [
        _("数据截止：{moment:%Y-%m-%d %H:%M}　第 {revision} 版").format(moment=statement.as_of, revision=statement.revision),
        *(str(text) for text in figures.DEFINITIONS),
    ]
    title = _("{office} {year} 年度职工医疗互助统计年报").format(office=statement.office.name, year=statement.year)
    out = io.BytesIO()
    write_workbook(out, [Sheet(_("年报"), title, COLUMNS, rows, notes, has_total=True)])
    return out.getvalue()

"""What whoever uploads a workbook may not see in it, and is told with the preview: sheets that nobody reads, rows that are hidden."""

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from unionaid.lib.spreadsheet import Table

NAMED = 10  # sheets, and stretches of rows


def unread_sheets(table: Table) -> list[Promise]:
    """People may stand on another sheet of the workbook: whoever uploads it is told that nobody there was read."""
    if not table.unread:
        return []
    words = gettext_lazy("文件里还有别的工作表没有读取：{names}。里面也有要参加的职工的，请把他们移到同一张表里，再上传。")
    return [format_lazy(words, names="、".join(name[:31] for name in table.unread[:NAMED]))]


def hidden_lines(table: Table, lines: Sequence[int]) -> list[Promise]:
    """People on rows that the workbook does not show are read as all others: whoever uploads it may not know of them. `lines`: the
    numbers of the rows that hold people."""
    found = sorted(set(table.hidden) & set(lines))
    if not found:
        return []
    words = gettext_lazy(
        "文件里有 {count} 行是隐藏的（筛选掉的，或手工隐藏的），里面的人也读取了：第 {rows} 行。不该参加的，请从文件里删除这些行，再上传。"
    )
    return [format_lazy(words, count=f"{len(found):,}", rows=_in_stretches(found))]


def _in_stretches(numbers: Sequence[int]) -> str:
    """Ascending numbers in few words: their first stretches.

    >>> _in_stretches([2, 3, 4, 9, 11, 12]), _in_stretches(range(1, 100, 2))
    ('2-4, 9, 11-12', '1, 3, 5, 7, 9, 11, 13, 15, 17, 19, …')
    """
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and stretches[-1][-1] == number - 1:
            stretches[-1][1:] = [number]
        else:
            stretches.append([number])
    said = ["-".join(map(str, one)) for one in stretches[:NAMED]]
    return ", ".join([*said, "…"] if len(stretches) > NAMED else said)

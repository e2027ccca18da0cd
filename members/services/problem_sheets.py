"""The sheet of a roster's lines that are not enrolled (要改正的名单): written by a job after the check and after the enrolment, in every
language of the house, sealed like the roster's own file; thrown away with its numbers when nothing comes of the roster."""

from collections.abc import Iterable

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import override

from members.models import Roster, RosterRow, RosterSheet
from members.services.roster_rows import problem_sheet, read_header
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of
from unionaid.lib.spreadsheet import read_table
from unionaid.offices.scope import everywhere

STATES = ("checked", "committing", "committed", "effective")


def write(roster_id: int) -> None:
    """Write the sheets of what is known now, in place of those there are. Running it again writes the same; a roster that was put
    aside meanwhile, or whose file is erased, has none."""
    with everywhere(reason="write the sheet of a roster's problems"):
        roster = Roster.objects.select_related("unit", "terms__program").get(pk=roster_id)
        if roster.state not in STATES or not roster.file:
            return
        made = _sheets(roster) if roster.bad_count else {}
        if not Roster.objects.select_for_update(of=("self",), no_key=True).filter(pk=roster_id, state__in=STATES).exists():
            return
        drop([roster_id])
        RosterSheet.objects.bulk_create(
            [RosterSheet(roster=roster, language=language, file=ContentFile(data, name="sheet.xlsx")) for language, data in made.items()]
        )


def problem_list(roster: Roster) -> bytes:
    """The lines that are not enrolled, as the file has them, with their reasons in the language that is spoken: to be corrected and
    uploaded again. Read anew from the file."""
    return _sheet(roster, _Lines(roster))


def drop(roster_ids: Iterable[int]) -> None:
    """Throw the sheets away; their files when that is sure to stand."""
    rows = RosterSheet.objects.filter(roster__in=list(roster_ids))
    for sheet in rows:
        transaction.on_commit(lambda file=sheet.file: file.storage.delete(file.name), robust=True)  # type: ignore[misc]
    rows.delete()


class _Lines:
    """The lines as the file has them, and which of them are not enrolled: read once for all languages."""

    def __init__(self, roster: Roster) -> None:
        with roster.file.open() as stored:
            table = read_table(stored.read(), roster.file_name)
        self.reading = read_header(table, on=day_of(roster.uploaded_at))
        self.bad = list(RosterRow.objects.filter(roster=roster, outcome="bad").only("roster_id", "row_number", "reasons"))


def _sheets(roster: Roster) -> dict[str, bytes]:
    lines, made = _Lines(roster), dict[str, bytes]()
    for language, _name in settings.LANGUAGES:
        with override(language):
            made[language] = _sheet(roster, lines)
    return made


def _sheet(roster: Roster, lines: _Lines) -> bytes:
    why = {row.row_number: row.why for row in lines.bad}
    return problem_sheet(lines.reading, why, schedule_of(roster.terms), f"{roster.unit.name} · {roster.terms.program.title}")

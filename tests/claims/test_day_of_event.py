"""The same story has the same day, and comes to the same verdict, written as a case and told as a claim."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from claims.facts import told_case
from programs.rules.assess import Assessment, assess
from programs.rules.casefile import day_told, situation
from programs.rules.facts import SETTLEMENT_FIELDS
from programs.rules.schedule import Schedule
from tests.programs.rules.plans import item, plan

EVENTS = ("accident_death", "accident_disability", "disease_death", "diagnosis", "surgery", "admission", "outpatient")
COVERED = plan(item({"fixed": "5000"}, events=EVENTS), waiting={"days": 30})  # covered in 2026, waiting until 30 January
DAYS = ("event_on", "accident_on", "death_on")
STORIES = {
    "an accident before the cover, a death in it": (
        "accident_death", {"accident_on": "2025-12-01", "death_on": "2026-02-01"}, "not_covered",
    ),
    "and the day of the claim told beside it": (
        "accident_death", {"accident_on": "2025-12-01", "event_on": "2026-02-01", "death_on": "2026-02-01"}, "not_covered",
    ),
    "an accident in cover": ("accident_disability", {"accident_on": "2026-01-02", "event_on": "2027-05-01"}, ""),
    "a death of disease after the cover": ("disease_death", {"event_on": "2026-03-05", "death_on": "2027-01-05"}, "not_covered"),
    "a death of disease while it waits": ("disease_death", {"death_on": "2026-01-30"}, "waiting"),
    "a death of disease after waiting": ("disease_death", {"death_on": "2026-01-31"}, ""),
    "a death that an old accident did not cause": ("disease_death", {"accident_on": "2026-01-02", "death_on": "2026-01-30"}, "waiting"),
    "an operation after an accident": ("surgery", {"accident_on": "2026-01-03", "event_on": "2026-01-05"}, ""),
    "an operation before the accident": ("surgery", {"accident_on": "2026-01-09", "event_on": "2026-01-05"}, "waiting"),
    "an operation after an accident before the cover": ("surgery", {"accident_on": "2025-12-30", "event_on": "2026-02-05"}, "not_covered"),
    "a diagnosis while it waits": ("diagnosis", {"event_on": "2026-01-10"}, "waiting"),
    "a diagnosis with its stay": ("diagnosis", {"event_on": "2026-02-10", "admitted_on": "2026-01-05"}, ""),
    "a diagnosis told by its stay": ("diagnosis", {"admitted_on": "2026-01-05"}, "waiting"),
    "a stay of an accident": ("admission", {"accident_on": "2026-01-03", "admitted_on": "2026-01-05"}, ""),
    "a stay before the accident": ("admission", {"accident_on": "2026-01-09", "admitted_on": "2026-01-05"}, "waiting"),
    "a stay of an accident before the cover": ("admission", {"accident_on": "2025-12-30", "admitted_on": "2026-02-05"}, "not_covered"),
    "a visit": ("outpatient", {"admitted_on": "2026-01-30"}, "waiting"),
}  # fmt: skip


def _claim(event: str, days: dict[str, str]) -> Any:
    """The columns of a claim that tells these days; as `intake` keeps it, the day of stays is the first admission."""
    told = {name: date.fromisoformat(days[name]) if name in days else None for name in DAYS}
    stays = []
    if "admitted_on" in days:
        day = date.fromisoformat(days["admitted_on"])
        stays = [SimpleNamespace(admitted_on=day, discharged_on=day, hospital_grade=None, **{f"{one}_fen": 0 for one in SETTLEMENT_FIELDS})]
        told["event_on"] = day if event in ("admission", "outpatient") else told["event_on"]
    blank = dict.fromkeys(("diagnosis_code", "diagnosis_class", "event_kind", "filed_as"), "")
    nothing = dict.fromkeys(("disability_grade", "claimed_on", "submitted_at", "other_aid_fen"))
    return told_case(SimpleNamespace(event=event, number="1", circumstances=[], declared={}, **told, **blank, **nothing), stays)


def _refused(found: Assessment) -> str:
    (one,) = found.items
    return one.refused.code if one.refused else ""


@pytest.mark.parametrize("story", STORIES)
def test_a_case_and_a_claim_come_to_the_same(story: str) -> None:
    event, days, verdict = STORIES[story]
    written, claim = situation(COVERED, {"event": event, **days}), _claim(event, days)
    assert written.case.event_on == claim.event_on == day_told({"event": event, **days})
    for case in (written.case, claim):
        found = assess(COVERED, person=written.person, cover=written.cover, case=case)
        assert (_refused(found), str(found.total)) == (verdict, "0.00" if verdict else "5000.00")


def test_a_claim_that_tells_no_day_of_its_own_kind_has_none() -> None:
    """Not even an accidental death that tells the day of death: which day the accident was decides, and nobody guesses it."""
    with pytest.raises(ValueError, match="tells no day"):
        _claim("accident_death", {"death_on": "2026-02-01"})


def _following(days: int | None) -> Schedule:
    told = {"follows_on_within_days": days} if days else {}
    period = {"start": "2026-01-01", "end": "2026-12-31", "rolling_months": 12} | told
    return plan(item({"fixed": "5000"}), period=period, waiting={"days": 30, "waived_on_renewal_within_days": 30})


@pytest.mark.parametrize(
    ("follows", "since", "start", "since_then"),
    [
        (30, 15, "2026-03-11", 0),
        (30, 30, "2026-02-24", 0),
        (30, 31, "2026-03-26", 31),
        (30, None, "2026-03-26", None),
        (None, 15, "2026-03-26", 15),
    ],
)
def test_a_renewal_in_a_case_follows_on_as_it_does_when_people_really_join(
    follows: int | None, since: int | None, start: str, since_then: int | None
) -> None:
    """Joined on 25 March; `days_since_cover` counts from the ordinary first day, 26 March."""
    told = {} if since is None else {"days_since_cover": since}
    cover = situation(_following(follows), {"event": "admission", "joined_on": "2026-03-25", **told}).cover
    assert (str(cover.period.start), cover.days_since_cover) == (start, since_then)
    own = {"event": "admission", "joined_on": "2026-03-25", "cover_start": "2026-03-20", **told}
    assert str(situation(_following(follows), own).cover.period.start) == "2026-03-20"  # what the case tells itself holds

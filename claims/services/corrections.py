"""Deciding anew what was decided: always a claim of its own, linked to the one it corrects, which stays as it was. The whole is
computed as if the first had not been decided; paid, and taken under the limits, is the difference."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from claims.facts import corrected_line
from claims.models import Admission, Claim, ClaimDocument
from claims.services import adjudication
from claims.services.adjudication import ESTABLISHED, DecisionRefused, accident_after_stays, changes_of
from claims.services.screening import screen
from claims.transitions import DECIDED
from programs.rules.facts import STAY_EVENTS
from unionaid.lib.calendar import day_of
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import NotAllowed, move, record

CORRECTABLE = tuple(state for state in DECIDED if state not in ("on_notice", "halt_proposed"))
_KEPT = (
    "office_id", "member_id", "claimant_id", "unit_id", "enrolment_id", "program_id", "terms_id", "fund", "event", "event_kind", "event_on",
    "happened", "hospital", "diagnosis", "diagnosis_code", "diagnosis_class", "disability_grade", "accident_on",
    "death_on", "other_aid_fen", "circumstances", "declared", "card_id", "submitted_by_id", "occasion",
    "filed_by_id", "filed_before_by_id", "filed_as", "kin_id", "relation", "heir", "agreed_at", "objected_at",
)  # fmt: skip


def reclassify(
    claim: Claim, facts: Mapping[str, Any], *, by: Actor, on: date, note: str, grades: Mapping[int, int | None] | None = None,
    struck: Collection[int] = (),
) -> Claim:
    """A reviewer finds that the case belongs to another class (mild → severe) after it was decided, or that a stay or bill should not
    have counted: a correction with these facts (keys of `ESTABLISHED`; `grades`: hospital grades by the key of the stay; `struck`:
    the keys of the stays that are left out) goes to the final review. This is its first review, so somebody else approves it."""
    unknown = set(facts) - set(ESTABLISHED)
    if unknown:
        raise KeyError(sorted(unknown)[0])
    adjudication.not_own(claim, by)
    if not may(by, "claims.review", claim.office_id):
        raise NotAllowed(_("您没有初审的权限。"))
    if not note.strip():
        raise DecisionRefused(_("请写明重新核定的依据。"))
    _lock(claim, CORRECTABLE)
    found = changes_of(claim, facts, grades or {})
    if not found and not struck:
        raise DecisionRefused(_("没有改变任何事实，不用重新核定。"))
    left_out = _struck(claim, struck, facts.get("accident_on", claim.accident_on))
    made = successor_of(claim, changes=found.columns, by=by, on=on, grades=found.grades, struck=struck)
    details = {**found.details, **({"struck": left_out} if left_out else {})}
    move([made], "reclassify", by=by, note=note, changes={"submitted_at": claim.submitted_at}, details=details)
    adjudication.write_review(made, "reclassify", by, note)
    adjudication.preview(made)
    screen([made])
    return made


def _struck(claim: Claim, keys: Collection[int], accident_on: date | None) -> list[dict[str, Any]]:
    """What the audit says of the stays that are left out. DecisionRefused when one is of no stay of the claim, when none would be left,
    and when the accident came after all that are."""
    stays = list(claim.admissions.all())
    gone = [stay for stay in stays if stay.pk in keys]
    left = [stay for stay in stays if stay.pk not in keys]
    if len(gone) != len(set(keys)):
        raise DecisionRefused(_("住院记录有变化，请刷新页面后再核定。"))
    if gone and not left:
        raise DecisionRefused(_("至少要留下一次。全部都不该给付的，不用剔除，请按查实的事实（例如除外情形）重新核定。"), "struck")
    if gone and accident_after_stays(accident_on, claim.event, left):
        raise DecisionRefused(_("意外发生的日期不能晚于入院日期，请核对。"), "accident_on")
    return [
        {"admitted_on": str(stay.admitted_on), "discharged_on": str(stay.discharged_on), "medfee_sumamt_fen": stay.medfee_sumamt_fen}
        for stay in gone
    ]


def successor_of(
    claim: Claim, *, changes: Mapping[str, Any], by: Actor, on: date, grades: Mapping[int, int | None] | None = None,
    struck: Collection[int] = (),
) -> Claim:
    """A draft with everything that was told and proved in `claim`, and `changes` in its place, `grades` in that of its stays, without
    the `struck` ones. A claim for stays counts from the first of those that are left.
    DecisionRefused when another correction of it is on its way or holds already: that one is then corrected."""
    first = (corrected_line(claim) or [claim])[-1]
    told = {name: getattr(claim, name) for name in _KEPT} | _first_day(claim, struck) | dict(changes)
    day = day_of(first.submitted_at) if first.submitted_at else on
    for draw in range(5):
        try:
            with transaction.atomic():
                number = f"SL{on:%y%m}{get_random_string(7, '0123456789')}"
                made = Claim.objects.create(number=number, corrects=claim, claimed_on=day, **told)
                break
        except IntegrityError as error:
            if "claim_corrected_once" in str(error):
                raise DecisionRefused(_("这份申领已有一次更正，请在那份更正上办理。")) from error
            if "number" not in str(error) or draw == 4:
                raise
    _copy(Admission, claim, made, {key: {"hospital_grade": grade} for key, grade in (grades or {}).items()}, struck)
    _copy(ClaimDocument, claim, made, {})
    record([made], "open_correction", by=by, details={"corrects": claim.number})
    return made


def _first_day(claim: Claim, struck: Collection[int]) -> dict[str, date]:
    """The day of a claim for stays, where some are left out."""
    if not struck or claim.event not in STAY_EVENTS:
        return {}
    return {"event_on": min(stay.admitted_on for stay in claim.admissions.all() if stay.pk not in struck)}


def _copy(
    model: type[Admission] | type[ClaimDocument], claim: Claim, made: Claim, changes: Mapping[int, Mapping[str, Any]],
    without: Collection[int] = (),
) -> None:
    """The same rows once more, with what changes of each (by its key), `without` these; a paper's file is kept once and named twice."""
    rows: list[Any] = list(model.objects.filter(claim=claim).exclude(pk__in=without))
    for row in rows:
        for name, value in changes.get(row.pk, {}).items():
            setattr(row, name, value)
        row.pk, row._state.adding, row.claim = None, True, made
        if isinstance(row, ClaimDocument):
            row.public_id = type(row)._meta.get_field("public_id").get_default()  # type: ignore[union-attr]
    model.objects.bulk_create(rows)


def _lock(claim: Claim, states: tuple[str, ...]) -> None:
    """Nothing moves the claim while its correction is made."""
    now = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
    if now.state not in states:
        raise DecisionRefused(_("这份申领现在是“{state}”，不能重新核定。").format(state=now.state_label))

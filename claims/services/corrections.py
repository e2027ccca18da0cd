"""Deciding anew what was decided: always a claim of its own, linked to the one it corrects, which stays as it was. The whole is
computed as if the first had not been decided; paid, and taken under the limits, is the difference."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from claims.facts import corrected_line
from claims.models import Admission, Claim, ClaimDocument
from claims.services import adjudication
from claims.services.adjudication import ESTABLISHED, DecisionRefused, changes_of
from claims.services.screening import screen
from claims.transitions import DECIDED
from unionaid.lib.calendar import day_of
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import NotAllowed, move, record

CORRECTABLE = tuple(state for state in DECIDED if state not in ("on_notice", "halt_proposed"))
_KEPT = (
    "office_id", "member_id", "claimant_id", "unit_id", "enrolment_id", "program_id", "terms_id", "fund", "event", "event_kind", "event_on",
    "happened", "hospital", "diagnosis", "diagnosis_code", "diagnosis_class", "disability_grade", "accident_on",
    "death_on", "other_aid_fen", "circumstances", "declared", "card_id", "submitted_by_id", "occasion",
)  # fmt: skip


def reclassify(
    claim: Claim, facts: Mapping[str, Any], *, by: Actor, on: date, note: str, grades: Mapping[int, int | None] | None = None
) -> Claim:
    """A reviewer finds that the case belongs to another class (mild → severe) after it was decided: a correction with these facts
    (keys of `ESTABLISHED`; `grades`: hospital grades by the key of the stay) goes to the final review. This is its first review, so
    somebody else approves it."""
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
    if not found:
        raise DecisionRefused(_("没有改变任何事实，不用重新核定。"))
    made = successor_of(claim, changes=found.columns, by=by, on=on, grades=found.grades)
    details = found.details
    move([made], "reclassify", by=by, note=note, changes={"submitted_at": claim.submitted_at}, details=details)
    adjudication.write_review(made, "reclassify", by, note)
    adjudication.preview(made)
    screen([made])
    return made


def successor_of(
    claim: Claim, *, changes: Mapping[str, Any], by: Actor, on: date, grades: Mapping[int, int | None] | None = None
) -> Claim:
    """A draft with everything that was told and proved in `claim`, and `changes` in its place, `grades` in that of its stays.
    DecisionRefused when another correction of it is on its way or holds already: that one is then corrected."""
    first = (corrected_line(claim) or [claim])[-1]
    told = {name: getattr(claim, name) for name in _KEPT} | dict(changes)
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
    _copy(Admission, claim, made, {key: {"hospital_grade": grade} for key, grade in (grades or {}).items()})
    _copy(ClaimDocument, claim, made, {})
    record([made], "open_correction", by=by, details={"corrects": claim.number})
    return made


def _copy(
    model: type[Admission] | type[ClaimDocument], claim: Claim, made: Claim, changes: Mapping[int, Mapping[str, Any]]
) -> None:
    """The same rows once more, with what changes of each (by its key); a paper's file is kept once and named twice."""
    rows: list[Any] = list(model.objects.filter(claim=claim))
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

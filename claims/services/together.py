"""One event, one form (一件事，一张表): the claims that were begun for one event are told, proved and sent in together. Each stays a
claim of its own, with its own stays and papers; once sent in, each goes its own way."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from claims.models import Admission, Claim, ClaimDocument
from claims.selectors.filing import Filing
from claims.services import intake
from claims.services.intake import ClaimRefused
from members.models import BankCard, Enrolment, Member
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor

_STAY = tuple(field.attname for field in Admission._meta.concrete_fields if field.attname not in ("id", "claim_id"))


@transaction.atomic
def open_all(
    touched: Sequence[tuple[Enrolment, str]], *, claimant: Member, days: Mapping[str, Mapping[str, date]], by: Actor, on: date,
    filing: Filing | None = None,
) -> list[Claim]:
    """Begin a claim for each cover and kind of event that one event touches; `days`: by kind of event, the days that are told with
    it (keys of `intake.TELLABLE`); `filing`: who fills them in for the claimant. All or none."""
    occasion, made = uuid.uuid4(), list[Claim]()
    for enrolment, event in touched:
        claim = intake.open_claim(enrolment=enrolment, claimant=claimant, event=event, by=by, on=on, occasion=occasion, filing=filing)
        made.append(intake.tell(claim, days[event], by=by, on=on))
    return made


@transaction.atomic
def tell(told: Sequence[tuple[Claim, Mapping[str, Any]]], *, by: Actor, on: date) -> None:
    """Write down for each claim what was told of it."""
    for claim, facts in _in_order(told):
        intake.tell(claim, facts, by=by, on=on)


@transaction.atomic
def set_stay(claims: Sequence[Claim], *, stay: Admission | None, by: Actor, on: date, **told: Any) -> None:
    """Write down one stay, or correct `stay`, in each of these claims."""
    for claim, row in [(claim, _same(claim, stay)) for claim in sorted(claims, key=_key)]:
        intake.set_stay(claim, stay=row, by=by, on=on, **told)


@transaction.atomic
def remove_stay(claims: Sequence[Claim], stay: Admission, *, by: Actor) -> None:
    """Take back a stay from each of these claims."""
    for claim, row in [(claim, _same(claim, stay)) for claim in sorted(claims, key=_key)]:
        if row is not None:
            intake.remove_stay(claim, row, by=by)


def _same(claim: Claim, stay: Admission | None) -> Admission | None:
    """This claim's row of a stay that was written down for several: the one that tells the same."""
    if stay is None or stay.claim_id == claim.pk:
        return stay
    return claim.admissions.filter(**{name: getattr(stay, name) for name in _STAY}).first()


@transaction.atomic
def add_documents(claims: Sequence[Claim], *, kind: str, uploads: Sequence[CleanUpload], by: Actor) -> None:
    """Keep clean papers for each of these claims, or none: uploaded once, kept once, named by every claim that needs them."""
    first, *others = sorted(claims, key=_key)
    papers = intake.add_documents(first, kind=kind, uploads=uploads, by=by)
    for claim in others:
        intake.share_documents(claim, papers)


@transaction.atomic
def remove_document(claims: Sequence[Claim], paper: ClaimDocument, *, by: Actor) -> None:
    """Take back a paper from each of these claims."""
    for claim in sorted(claims, key=_key):
        for row in claim.documents.filter(sha256=paper.sha256, kind=paper.kind):
            intake.remove_document(claim, row, by=by)


@transaction.atomic
def choose_card(claims: Sequence[Claim], card: BankCard, *, by: Actor) -> None:
    """The account that all of it goes to."""
    for claim in sorted(claims, key=_key):
        intake.choose_card(claim, card, by=by)


@transaction.atomic
def submit(claims: Sequence[Claim], *, by: Actor, on: date) -> None:
    """Send them in, all or none: what one of them lacks is said with its plan's name."""
    refused = intake.submit_each(claims, by=by, on=on)
    for claim in sorted(claims, key=_key):
        no = refused.get(claim.pk)
        if isinstance(no, ClaimRefused) and len(claims) > 1:
            words = _("“{program}”：{why}不想用这份保障申领的，可以在下面去掉它。").format(program=claim.program.title, why=no.message)
            raise ClaimRefused(words, no.field) from no
        if no:
            raise no


def _key(claim: Claim) -> int:
    """Claims are locked in one order, whoever asks."""
    return claim.pk


def _in_order(told: Sequence[tuple[Claim, Mapping[str, Any]]]) -> list[tuple[Claim, Mapping[str, Any]]]:
    return sorted(told, key=lambda pair: pair[0].pk)

"""What is on public notice now, masked as it is shown to everybody."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator

from claims.models import Claim
from unionaid.lib.identity import mask_name
from unionaid.lib.money import format_yuan
from unionaid.offices.scope import everywhere

SHOWN = 50  # of one page of the list


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the notice: no full name, no illness, no account."""

    public_id: uuid.UUID
    name: str
    unit: str
    office: str
    program: str
    amount: str
    last_day: date | None


def on_notice(*, on: date, page: str) -> Page[Notice]:
    """The claims on notice on this day, those that end first on top, one page after another (`page` as the address has it): every one
    of them can be read on every one of its days. Two statements."""
    with everywhere(reason="the public notice"):
        rows = Claim.objects.filter(stage="on_notice", notice_until__gte=on).select_related("member", "unit", "office", "program")
        found: Page[Any] = Paginator(rows.order_by("notice_until", "id"), SHOWN).get_page(page)
        found.object_list = [_masked(row) for row in found.object_list]
        return found


def noticed(public_id: uuid.UUID, *, on: date) -> tuple[Claim, Notice] | None:
    """One claim on notice and how it is shown, or None when it is not (any more)."""
    with everywhere(reason="the public notice"):
        rows = Claim.objects.filter(stage="on_notice", notice_until__gte=on).select_related("member", "unit", "office", "program")
        row = rows.filter(public_id=public_id).first()
    return (row, _masked(row)) if row else None


def _masked(row: Claim) -> Notice:
    return Notice(
        public_id=row.public_id,
        name=mask_name(row.member.name),
        unit=row.unit.name if row.unit else "",
        office=row.office.name,
        program=row.program.title,
        amount=format_yuan(row.approved_fen or 0),
        last_day=row.notice_until,
    )

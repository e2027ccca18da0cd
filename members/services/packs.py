"""Certificate packs: asked for, made part by part in the background, put aside, thrown away after a day.

A part is one transaction: whatever stops the work, it goes on behind the last part that is whole. No part ever holds more people
than `PART`, so neither the maker nor whoever downloads needs more memory for a large unit than for a small one; and none is made for
longer than `SPELL`, since the database ends a transaction in which nothing is asked of it for a minute.
"""

import io
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import IO, Any

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from members import certificate
from members.models import CertificatePack, Enrolment, PackPart, WorkUnit
from members.printed import small_font
from members.selectors.unit_cover import effective_covers
from programs.models import Terms
from unionaid.lib.calendar import now
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import MoveRefused, move, record

PART = 200  # people: some seconds of work, a few megabytes
SPELL = 15.0  # seconds after which a part is closed, however few it holds: a busy machine draws few certificates in that time
KEPT = timedelta(hours=24)


class PackRefused(MoveRefused):
    """The pack is not made; the message says why."""


def job_key(pack: CertificatePack) -> str:
    """The key of the job that makes this pack."""
    return f"members.make_certificates:{pack.pk}"


def request(unit: WorkUnit, terms: Terms, *, address: str, by: Actor) -> CertificatePack:
    """Ask for the certificates of all of the unit's people in these terms. While a pack is being made there is no second one:
    that one is given. `address`: of this site, for the codes on the certificates."""
    people = effective_covers(unit.pk, terms.pk).count()
    if not people:
        raise PackRefused(_("还没有已生效的保障。互助费到账、保障生效后就可以生成凭证。"))
    try:
        with transaction.atomic():
            pack = CertificatePack.objects.create(
                office_id=unit.office_id, unit=unit, terms=terms, address=address.rstrip("/"), people_count=people, asked_by_id=by.user_id
            )
    except IntegrityError as error:
        if "pack_one_at_a_time" not in str(error):
            raise
        return CertificatePack.objects.get(unit=unit, terms=terms, state="making")
    record([pack], "ask_pack", by=by, details={"people": people})
    enqueue("members.make_certificates", [(pack.pk, job_key(pack), pack)], by=by)
    return pack


def cancel(pack: CertificatePack, *, by: Actor) -> CertificatePack:
    """The agent does not want it any more: the work stops before its next part, what was made is thrown away."""
    gone = move([pack], "cancel", by=by)[0]
    _throw_away(gone)
    return gone


def make(pack_id: int, run: Run) -> dict[str, Any] | None:
    """One part: the next people's certificates into a file of their own; after the last one the pack is ready. Any number of
    runs at any time make each part once."""
    with everywhere(reason="certificates of a unit's people, wherever their covers are kept"):
        pack = CertificatePack.objects.get(pk=pack_id)
        if pack.state != "making":
            return None
        made = list(pack.parts.values_list("people_count", "last_enrolment"))
        after = made[-1][1] if made else 0
        people = list(effective_covers(pack.unit_id, pack.terms_id).filter(pk__gt=after).order_by("pk")[:PART])
        run.total = max(pack.people_count, sum(count for count, _last in made) + len(people))
        run.done = sum(count for count, _last in made)
        with tempfile.TemporaryFile() as out:
            drawn = _write(out, people, pack.address, run)
            more = drawn < len(people) or drawn == PART
            return _keep(pack, len(made), people[:drawn], out, run, more=more)


def _write(out: IO[bytes], people: Sequence[Enrolment], address: str, run: Run) -> int:
    """These people's certificates as a zip file, each under its number and name; how many of them are in it when the time is up."""
    until = time.monotonic() + SPELL
    texts = (text for one in people for text in certificate.texts_of(one))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as whole, small_font(texts) as font:
        for at, one in enumerate(people):
            if at % 20 == 0:
                run.tell(_("生成凭证"), done=run.done + at, total=run.total)
            page = certificate.render(one, verify_url=f"{address}{reverse('members:verify', args=[one.public_id])}", font=font)
            whole.writestr(f"{certificate.number_of(one)}-{one.member.name}.pdf", page)
            if time.monotonic() > until:
                return at + 1
    return len(people)


def _keep(
    pack: CertificatePack, number: int, people: Sequence[Enrolment], out: IO[bytes], run: Run, *, more: bool
) -> dict[str, Any] | None:
    """Keep the part, unless the pack was put aside meanwhile or another run was faster; make the pack ready when there are no more."""
    locked = CertificatePack.objects.select_for_update(of=("self",)).get(pk=pack.pk)
    if locked.state != "making":
        return None
    if locked.parts.count() != number:
        return {"again": number}
    if people:
        out.seek(0)
        part = PackPart(pack=locked, number=number + 1, people_count=len(people), last_enrolment=people[-1].pk)
        part.file.save("part.zip", File(out), save=False)
        part.save()
        run.done += len(people)
    if more:
        return {"after": people[-1].pk}
    until = now() + KEPT
    move([locked], "finish", by=SYSTEM, changes={"expires_at": until, "people_count": run.done})
    enqueue("members.drop_certificates", [(pack.pk, f"members.drop_certificates:{pack.pk}", locked)], by=SYSTEM, not_before=until)
    return None


def drop(pack_id: int) -> None:
    """The day is over: the files are thrown away. Running it again does nothing."""
    with everywhere(reason="throw away a pack whose day is over"):
        pack = CertificatePack.objects.select_for_update(of=("self",)).get(pk=pack_id)
        if pack.state == "ready" and pack.expires_at is not None and pack.expires_at <= now():
            move([pack], "expire", by=SYSTEM)
            _throw_away(pack)


def _throw_away(pack: CertificatePack) -> None:
    """Remove the parts; their files when that is sure to stand."""
    files = [part.file for part in pack.parts.all()]
    pack.parts.all().delete()
    for file in files:
        transaction.on_commit(lambda file=file: file.storage.delete(file.name), robust=True)  # type: ignore[misc]


class _Passing(io.RawIOBase):
    """A file that is written on one side and taken away on the other."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        whole, self.parts = b"".join(self.parts), []
        return whole


def zipped(files: Sequence[Any]) -> Iterator[bytes]:
    """The parts' files as one zip file, piece by piece: no more than one part is in memory at a time."""
    out = _Passing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as whole:
        for file in files:
            with file.open() as stored, zipfile.ZipFile(stored) as part:
                for entry in part.infolist():
                    whole.writestr(entry, part.read(entry))
                    yield out.take()
    yield out.take()

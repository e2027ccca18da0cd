"""Whether what is sealed can still be opened: every kept file there, whole and as it was, every key on the ring.

After a restore this is what the books cannot tell: rows may be back without their files, or without the keys."""

import hashlib
from collections.abc import Iterator

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.utils.translation import gettext as _

from claims.models import Rehearsal
from claims.payouts.models import BankFile, BankReturn, BatchPart, PayoutLine
from members.models import BankCard, BankStatement, Correction, MemberSecret, Refund, Roster
from unionaid.accounts.models import User
from unionaid.lib.cipher import CipherError
from unionaid.reports.models import YearlyStatement
from unionaid.web.keys import ring

# Where the digest that was written down is that of the bytes kept; of a photo it is that of the photo as it was sent, before it was
# cleaned. The seal alone tells a changed byte of any of them.
DIGESTS: dict[type[models.Model], str] = {
    Roster: "file_sha256",
    BankStatement: "file_sha256",
    YearlyStatement: "sha256",
    Rehearsal: "sha256",
}
# Model, sealed column, and the lookup whose value it is bound to.
SEALED: tuple[tuple[type[models.Model], str, str], ...] = (
    (User, "email", "pk"),
    (User, "totp_key", "pk"),
    (MemberSecret, "id_number", "pk"),
    (MemberSecret, "phone", "pk"),
    (BankCard, "number", "pk"),
    (Correction, "id_number", "public_id"),
    (Correction, "id_number_before", "public_id"),
    (Refund, "account_number", "number"),
    (PayoutLine, "account_number", "reference"),
    (BatchPart, "piece", "pk"),
    (BankFile, "content", "batch__number"),
    (BankReturn, "content", "sha256"),
)
SAMPLE = 20


def faults(*, files: int | None = None) -> Iterator[str]:
    """A sentence for each kept file that is missing, not readable or not the one written down, and for each sealed column that does
    not open. `files`: at most so many of the newest of each kind; without it, all."""
    for model in apps.get_models():
        for column in (one for one in model._meta.concrete_fields if isinstance(one, models.FileField)):
            yield from _of_files(model, column, files)
    for model, name, bound in SEALED:
        yield from _of_column(model, name, bound)


def _of_files(model: type[models.Model], column: models.FileField, most: int | None) -> Iterator[str]:
    digest = DIGESTS.get(model)
    rows = model._default_manager.exclude(**{column.name: ""}).order_by("-pk").values_list("pk", column.name, *([digest] if digest else []))
    for pk, name, *written in (rows if most is None else rows[:most]).iterator(chunk_size=500):
        where = f"{model._meta.label} {pk}"
        try:
            with column.storage.open(name) as kept:
                found = hashlib.sha256(kept.read()).hexdigest()
        except FileNotFoundError:
            yield _("{where}：文件 {name} 不在了").format(where=where, name=name)
        except (CipherError, OSError) as error:
            yield _("{where}：文件 {name} 打不开（{error}）").format(where=where, name=name, error=error)
        else:
            if written and written[0] != found:
                yield _("{where}：文件 {name} 与登记的校验值不符").format(where=where, name=name)


def _of_column(model: type[models.Model], name: str, bound: str) -> Iterator[str]:
    """Which keys the whole column needs, in one statement; then the newest rows really opened."""
    table, where = model._meta.db_table, f"{model._meta.label}.{name}"
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT substr({name}, 1, 3 + get_byte({name}, 2)) FROM {table} WHERE length({name}) > 3")
        for (head,) in cursor.fetchall():
            try:
                ring().key_id_of(bytes(head) + b"\x00")
            except CipherError as error:
                yield f"{where}: {error}"
                return
    rows = model._default_manager.exclude(**{name: None}).order_by("-pk").values_list("pk", name, bound)[:SAMPLE]
    for pk, sealed, to in rows:
        try:
            ring().open(sealed, bound_to=(table, name, getattr(to, "hex", to)))
        except CipherError as error:
            yield f"{where} {pk}: {error}"

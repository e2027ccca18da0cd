"""The same form sent twice has one effect: the second sender gets the first answer."""

import hashlib
import json
from collections.abc import Callable, Mapping

from django.db import connection, transaction
from django.utils.translation import gettext as _

from unionaid.workflow.models import RequestKey
from unionaid.workflow.moves import MoveRefused


class KeyReused(MoveRefused):
    """The key came with another form before → 422."""


@transaction.atomic
def once(user_id: int, key: str, body: Mapping[str, object], act: Callable[[], str]) -> str:
    """Run `act` (which returns an address to go to) once per user and key, in the caller's transaction; when `act`
    refuses, nothing of it stays, so that the form can be corrected and sent again.

    Same key and same body: the first answer again. Same key, other body: KeyReused. A parallel
    second sender waits on the unique index until the first commits.
    """
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).digest()
    made = _written(user_id, key[:64], digest)
    if made is None:
        first = RequestKey.objects.get(user_id=user_id, key=key[:64])
        if bytes(first.body_hash) != digest:
            raise KeyReused(_("这张表已经交过一次，但内容不同。请回到上一步重新填写。"))
        return first.answer
    answer = act()
    RequestKey.objects.filter(pk=made).update(answer=answer)
    return answer


def _written(user_id: int, key: str, digest: bytes) -> int | None:
    """The new row, or None where this person has sent the key before; waits for whoever is just sending it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {RequestKey._meta.db_table} (user_id, key, body_hash, answer) VALUES (%s, %s, %s, '')"
            " ON CONFLICT (user_id, key) DO NOTHING RETURNING id",
            [user_id, key, digest],
        )
        found = cursor.fetchone()
    return found[0] if found else None

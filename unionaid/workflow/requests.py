"""The same form sent twice has one effect: the second sender gets the first answer."""

import hashlib
import json
from collections.abc import Callable, Mapping

from django.db import IntegrityError, transaction
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
    try:
        with transaction.atomic():
            row = RequestKey.objects.create(user_id=user_id, key=key[:64], body_hash=digest, answer="")
    except IntegrityError:
        first = RequestKey.objects.get(user_id=user_id, key=key[:64])
        if bytes(first.body_hash) != digest:
            raise KeyReused(_("这张表已经交过一次，但内容不同。请回到上一步重新填写。")) from None
        return first.answer
    row.answer = act()
    row.save(update_fields=["answer"])
    return row.answer

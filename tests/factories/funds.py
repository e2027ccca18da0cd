"""Money in the funds, put there as an office does it: entered with a paper by one person, confirmed by another."""

import hashlib
from datetime import date

from tests.factories.offices import Cast
from unionaid.books.models import FundMovement
from unionaid.books.services import movements
from unionaid.ledger.accounts import Fund
from unionaid.lib.uploads import CleanUpload

OPENING_FEN = 10_000_000_00


def slip(name: str) -> CleanUpload:
    """A photo of a bank's paper."""
    content = name.encode()
    return CleanUpload("image/jpeg", content, f"{name}.jpg", hashlib.sha256(content).hexdigest())


def fill(cast: Cast, *, on: date, fund: str = Fund.MUTUAL_AID, amount_fen: int = OPENING_FEN) -> FundMovement:
    """So much opening money of a fund of office a, in the open scope of the caller."""
    made = movements.propose(
        cast.a, kind="opening", fund=fund, amount_fen=amount_fen, happened_on=on, basis="期初结余", papers=[slip("opening")],
        by=cast.actor(cast.payer), on=on,
    )  # fmt: skip
    return movements.confirm(made, by=cast.actor(cast.manager), on=on)

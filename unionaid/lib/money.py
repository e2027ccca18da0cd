"""Money: whole fen inside, Decimal yuan at the edges and in the rules; half-up, once.

>>> fen_from_yuan("4400.5")
440050
>>> str(round_half_up(Decimal("1213.688")))
'1213.69'
>>> split_fen(100, [1, 1, 1])
[34, 33, 33]
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
LIMIT_FEN = 10**12
_PLAIN = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2})?")


class MoneyError(ValueError):
    """The text is no amount of money; the message says so to a person."""


def round_half_up(amount: Decimal) -> Decimal:
    """To 0.01 yuan, halves away from zero: the convention of the trade, applied once per benefit item per claim."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def fen_from_yuan(amount: Decimal | str) -> int:
    """Exact conversion; MoneyError for more than two decimals, NaN, exponents or anything that is not a number."""
    if isinstance(amount, str):
        if not _PLAIN.fullmatch(amount):
            raise MoneyError(f"no amount: {amount[:30]}")
        amount = Decimal(amount)
    if not amount.is_finite() or amount != round_half_up(amount):
        raise MoneyError(f"not a whole number of fen: {amount}")
    return int(amount * 100)


def yuan_from_fen(fen: int) -> Decimal:
    """Exact yuan with two decimals."""
    return (Decimal(fen) / 100).quantize(CENT)


def format_yuan(fen: int) -> str:
    """With thousands separators and two decimals, without a sign of currency.

    >>> format_yuan(123456789)
    '1,234,567.89'
    """
    return f"{yuan_from_fen(fen):,.2f}"


def parse_yuan(text: str) -> int:
    """Fen from what a person typed: full-width digits, ¥, 元, commas and blanks are understood.

    0 ≤ amount < 10,000,000,000 yuan; MoneyError with the way out otherwise.

    >>> parse_yuan("￥１，２００.5 元")
    120050
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"[\s,¥元]", "", plain)  # zh: how amounts are written
    if not re.fullmatch(r"[0-9]{1,13}(\.[0-9]{1,2})?", plain):
        raise MoneyError("请只填数字，最多两位小数，例如 1200.50")
    fen = fen_from_yuan(Decimal(plain))
    if fen >= LIMIT_FEN:
        raise MoneyError("金额太大，请核对后再填")
    return fen


def split_fen(total: int, weights: Sequence[int]) -> list[int]:
    """Share out `total` by weights so that not a fen is lost: the remainder goes to the largest fractions first."""
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be positive")
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts

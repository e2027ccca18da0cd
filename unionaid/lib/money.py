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
        whole, _point, cents = amount.removeprefix("-").partition(".")
        fen = int(whole) * 100 + int(cents.ljust(2, "0"))
        return -fen if amount.startswith("-") else fen
    if not amount.is_finite() or amount != round_half_up(amount):
        raise MoneyError(f"not a whole number of fen: {amount}")
    return int(amount * 100)


def yuan_from_fen(fen: int) -> Decimal:
    """Exact yuan with two decimals."""
    return Decimal(fen) * CENT


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


_DIGITS, _PLACES, _GROUPS = "零壹贰叁肆伍陆柒捌玖", ("", "拾", "佰", "仟"), ("", "万", "亿", "万亿")  # zh: capital figures


def capital_yuan(fen: int) -> str:
    """An amount in the capital figures of receipts and cheques (大写), 0 ≤ fen < 10^17.

    >>> [capital_yuan(fen) for fen in (12500, 10005, 100110, 1000000000, 50, 5, 0)]
    ['壹佰贰拾伍元整', '壹佰元零伍分', '壹仟零壹元壹角整', '壹仟万元整', '伍角整', '伍分', '零元整']
    """
    if not 0 <= fen < 10**17:
        raise MoneyError(f"no amount: {fen}")
    yuan, (jiao, cent) = fen // 100, divmod(fen % 100, 10)
    text = _capital_whole(yuan) + "元" if yuan else ""  # zh: as above
    if jiao:
        text += _DIGITS[jiao] + "角"  # zh: as above
    elif cent and yuan:
        text += "零"  # zh: as above
    if cent:
        return text + _DIGITS[cent] + "分"  # zh: as above
    return (text or "零元") + "整"  # zh: as above


def _capital_whole(number: int) -> str:
    """A whole number in capital figures: one 零 for every gap, groups of four places.

    >>> [_capital_whole(n) for n in (10, 10001, 100000, 100010000, 20300405)]
    ['壹拾', '壹万零壹', '壹拾万', '壹亿零壹万', '贰仟零叁拾万零肆佰零伍']
    """
    text, gap = "", False
    for group in range(3, -1, -1):
        part = number // 10 ** (4 * group) % 10_000
        if not part:
            gap = gap or bool(text)
            continue
        for place in range(3, -1, -1):
            digit = part // 10**place % 10
            if digit:
                text += ("零" if gap and text else "") + _DIGITS[digit] + _PLACES[place]  # zh: as above
                gap = False
            else:
                gap = gap or bool(text)
        text += _GROUPS[group]
        gap = part % 10 == 0 and number % 10 ** (4 * group) != 0
    return text

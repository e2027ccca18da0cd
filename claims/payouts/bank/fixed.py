"""A fixed-width file in GB18030, as the hosts of banks take it: places are counted in bytes, not in characters (𠮷 is four bytes, 䶮 two).

Head   H, batch (24), day (8), count (8), sum in fen (18), payer's account (32), payer's name (60)
Line   D, sequence (8), account (32), name (60), bank (80), amount in fen (15), remark (40)
End    T, count (8), sum in fen (18)

Texts are filled with blanks on the right, numbers with zeros on the left. Lines end with CRLF.
"""

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from claims.payouts.bank.lines import Head, Payment, Totals, unfit_for

ENCODING = "gb18030"
NAME, BANK, REMARK, ACCOUNT = 60, 80, 40, 32
END = b"\r\n"


def unfit(payment: Payment) -> str:
    """Why the line cannot be written in its places; empty when it can."""
    if why := unfit_for(payment, ENCODING):
        return why
    for text, places in ((payment.name, NAME), (payment.bank, BANK), (payment.reference, REMARK)):
        if len(text.encode(ENCODING)) > places:
            return _("“{text}”超过银行文件的 {places} 个字节").format(text=text, places=places)
    return ""


def piece(payments: Sequence[Payment]) -> bytes:
    """A line each."""
    return b"".join(
        b"".join(
            (
                b"D", f"{one.sequence:08d}".encode(), _text(one.account, ACCOUNT), _text(one.name, NAME), _text(one.bank, BANK),
                f"{one.amount_fen:015d}".encode(), _text(one.reference, REMARK), END,
            )
        )
        for one in payments
    )  # fmt: skip


def join(head: Head, totals: Totals, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Head, the lines, end; count and sum stand in both."""
    sums = f"{totals.count:08d}{totals.total_fen:018d}".encode()
    first = (b"H", _text(head.batch_number, 24), f"{head.business_on:%Y%m%d}".encode(), sums)
    yield b"".join((*first, _text(head.payer_account, ACCOUNT), _text(head.payer_name, NAME), END))
    yield from pieces
    yield b"T" + sums + END


def _text(text: str, places: int) -> bytes:
    """Filled with blanks; a text of the payer's own that is too long ends at a whole character."""
    whole = text.encode(ENCODING)
    while len(whole) > places:
        text = text[:-1]
        whole = text.encode(ENCODING)
    return whole.ljust(places)

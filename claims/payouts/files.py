"""The file for the bank: each part of the batch writes its own piece of it, beside the others; whoever finishes the release joins them. Its
bytes are a function of the locked batch alone, whoever wrote which piece and in which order."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from claims.payouts import parts
from claims.payouts.bank import formats
from claims.payouts.bank.lines import Head, Payment, Totals
from claims.payouts.checking import PayoutRefused
from claims.payouts.models import BankFile, BatchPart, PayoutBatch
from unionaid.web.keys import ring

FILES, PIECES = "payouts_bankfile", "payouts_batchpart"
PRESSED = 1  # most is won by the first step already, in a third of the time


def head_of(batch: PayoutBatch) -> Head:
    """Whose file it is, as it stood when the batch was made."""
    return Head(batch.number, batch.business_on, batch.payer_name, batch.payer_account, batch.payer_bank)


def keep_piece(batch: PayoutBatch, part: BatchPart, payments: Sequence[Payment]) -> None:
    """What the file says of a part whose claims are marked, kept with it, and what these come to."""
    piece = zlib.compress(formats.piece(batch.bank_format, payments), PRESSED)
    part.piece = ring().seal(piece, bound_to=(PIECES, "piece", part.pk))
    part.marked, part.marked_fen = len(payments), sum(payment.amount_fen for payment in payments)
    part.save(update_fields=["marked", "marked_fen", "piece"])


def make(batch: PayoutBatch) -> None:
    """The file of all pieces; these go. PayoutRefused when they are not exactly what was counted."""
    totals = parts.marked(batch)
    if totals != Totals(batch.line_count, batch.total_fen):
        raise PayoutRefused(_("批次合计与明细不一致，已停止放款。"))
    digest, press, content = hashlib.sha256(), zlib.compressobj(PRESSED), bytearray()
    for some in formats.join(batch.bank_format, head_of(batch), totals, _pieces(batch)):
        digest.update(some)
        content += press.compress(some)
    content += press.flush()
    BankFile.objects.create(
        batch=batch,
        file_name=f"{batch.number}.{formats.FORMATS[batch.bank_format].suffix}",
        content=ring().seal(bytes(content), bound_to=(FILES, "content", batch.number)),
        sha256=digest.hexdigest(),
        line_count=totals.count,
        total_fen=totals.total_fen,
    )
    batch.parts.update(piece=None)


def _pieces(batch: PayoutBatch) -> Iterator[bytes]:
    """One after the other: a file of a hundred thousand payments may be large."""
    for pk in batch.parts.order_by("number").values_list("pk", flat=True):
        piece = BatchPart.objects.values_list("piece", flat=True).get(pk=pk)
        yield zlib.decompress(ring().open(piece, bound_to=(PIECES, "piece", pk)))


def file_bytes(batch: PayoutBatch) -> bytes:
    """The bank file, identical for ever; its hash is checked on the way out."""
    kept = batch.bank_file
    content = zlib.decompress(ring().open(kept.content, bound_to=(FILES, "content", batch.number)))
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        raise PayoutRefused(_("银行文件与记录的校验值不一致，已停止下载。"))
    return content

"""ISO 20022: a credit transfer initiation (pain.001.001.09), and what a bank says of it (pain.002 status report, camt.053 statement)."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _

from claims.payouts.bank.lines import Answer, Head, Payment, Totals, UnreadableReturn
from unionaid.lib.guarded_xml import guarded_parser
from unionaid.lib.money import MoneyError, fen_from_yuan, yuan_from_fen

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
# What the bank says of one payment; everything else is not decided yet.
SETTLED, REFUSED = {"ACSC", "ACCC"}, {"RJCT", "CANC"}
NAME_PLACES, ACCOUNT_PLACES = 140, 34
# The message that a bank sends, and what of it tells of one payment: pain.002, camt.053.
REPORT, STATEMENT = "CstmrPmtStsRpt", "BkToCstmrStmt"
PARTS = {REPORT: "TxInfAndSts", STATEMENT: "Ntry"}
_CHINESE = re.compile(rb"""\s*<\?xml[^>]*?encoding=["'](GBK|GB2312|GB18030|CP936)["']""", re.IGNORECASE)


def unfit(payment: Payment) -> str:
    """Why the message cannot hold the line; empty when it can."""
    if len(payment.name) > NAME_PLACES or len(payment.bank) > NAME_PLACES:
        return _("户名或开户行超过 {places} 个字").format(places=NAME_PLACES)
    if not re.fullmatch(r"[A-Za-z0-9-]{1,35}", payment.reference):
        return _("附言“{text}”不是 35 个以内的字母和数字").format(text=payment.reference)
    return ""


_HEAD = """<?xml version='1.0' encoding='UTF-8'?>
<Document xmlns="{namespace}">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>{number}</MsgId>
      <CreDtTm>{day}T00:00:00+08:00</CreDtTm>
      <NbOfTxs>{count}</NbOfTxs>
      <CtrlSum>{total}</CtrlSum>
      <InitgPty>
        <Nm>{payer}</Nm>
      </InitgPty>
    </GrpHdr>
    <PmtInf>
      <PmtInfId>{number}</PmtInfId>
      <PmtMtd>TRF</PmtMtd>
      <NbOfTxs>{count}</NbOfTxs>
      <CtrlSum>{total}</CtrlSum>
      <ReqdExctnDt>
        <Dt>{day}</Dt>
      </ReqdExctnDt>
      <Dbtr>
        <Nm>{payer}</Nm>
      </Dbtr>
      <DbtrAcct>
        <Id>
          <Othr>
            <Id>{account}</Id>
          </Othr>
        </Id>
      </DbtrAcct>
      <DbtrAgt>
        <FinInstnId>
          <Nm>{bank}</Nm>
        </FinInstnId>
      </DbtrAgt>
"""
_TRANSFER = """      <CdtTrfTxInf>
        <PmtId>
          <InstrId>{sequence}</InstrId>
          <EndToEndId>{reference}</EndToEndId>
        </PmtId>
        <Amt>
          <InstdAmt Ccy="CNY">{amount}</InstdAmt>
        </Amt>
        <CdtrAgt>
          <FinInstnId>
            <Nm>{bank}</Nm>
          </FinInstnId>
        </CdtrAgt>
        <Cdtr>
          <Nm>{name}</Nm>
        </Cdtr>
        <CdtrAcct>
          <Id>
            <Othr>
              <Id>{account}</Id>
            </Othr>
          </Id>
        </CdtrAcct>
        <RmtInf>
          <Ustrd>{reference}</Ustrd>
        </RmtInf>
      </CdtTrfTxInf>
"""
_END = "    </PmtInf>\n  </CstmrCdtTrfInitn>\n</Document>\n"


def piece(payments: Sequence[Payment]) -> bytes:
    """A transfer each, named by its reference (EndToEndId)."""
    return "".join(
        _TRANSFER.format(
            sequence=one.sequence, reference=one.reference, amount=yuan_from_fen(one.amount_fen), bank=escape(one.bank),
            name=escape(one.name), account=one.account,
        )
        for one in payments
    ).encode()  # fmt: skip


def join(head: Head, totals: Totals, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """One payment information block in yuan. The moment of making is the beginning of the business day, so that the bytes are a function
    of the batch alone. Written as text: as a tree in memory a hundred thousand payments would take half a gigabyte."""
    yield _HEAD.format(
        namespace=NAMESPACE, number=escape(head.batch_number), day=head.business_on, count=totals.count,
        total=yuan_from_fen(totals.total_fen), payer=escape(head.payer_name[:NAME_PLACES]), account=escape(head.payer_account),
        bank=escape(head.payer_bank),
    ).encode()  # fmt: skip
    yield from pieces
    yield _END.encode()


# -- what the bank says ----------------------------------------------------------------------------------------------


def read(data: bytes) -> list[Answer]:
    """The answers of a pain.002 (every payment it names) or a camt.053 (its outgoing entries, and what was sent back).
    UnreadableReturn for anything else. Read element by element: what was read is let go at once."""
    found = list[Answer]()
    try:
        data = _in_utf8(data)
        kind = _kind_of(data)
        if not kind:
            raise UnreadableReturn(_("XML 文件既不是付款状态报告（pain.002），也不是银行对账单（camt.053）"))
        for element in _parts(data, PARTS[kind]):
            found += (_status(len(found) + 1, element),) if kind == REPORT else _entry(len(found) + 1, element)
        found = found if kind == REPORT else _without_undone(found)
        if kind == REPORT and not found:
            raise UnreadableReturn(_("文件只说了整批，没有一笔一笔的结果。系统不猜每一笔的结果，请向银行要逐笔的回盘文件"))
    except (ElementTree.ParseError, expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, UnreadableReturn):
            raise
        raise UnreadableReturn(_("文件不是完整的 XML，请从网银重新下载回盘文件")) from error
    return found


def _in_utf8(data: bytes) -> bytes:
    """The message in UTF-8 where a bank wrote it in a Chinese encoding, which the parser does not know. ValueError when it is not in it."""
    said = _CHINESE.match(data[:200])
    return data[: said.start(1)] + b"UTF-8" + data[said.end(1) :].decode("gb18030").encode() if said else data


def _kind_of(data: bytes) -> str:
    """Which message it is, by the first element below its root that says so; empty for none of ours. UnsafeXml for a document with a type
    of its own. All bytes are looked at before any is made use of."""
    kind, depth = "", 0

    def start(name: str, _told: object) -> None:
        nonlocal kind, depth
        depth += 1
        local = name.rpartition("}")[2]
        if depth == 2 and local in PARTS:
            kind = local
            parser.StartElementHandler = parser.EndElementHandler = None

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = guarded_parser("}")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    return kind


def _parts(data: bytes, wanted: str) -> Iterator[ElementTree.Element]:
    """Each payment or entry when it is whole. The names are without their namespaces."""
    for _event, element in ElementTree.iterparse(io.BytesIO(data)):  # noqa: S314 (no document type, see above)
        element.tag = element.tag.rpartition("}")[2]
        if element.tag == wanted:
            yield element
            element.clear()


def _status(number: int, one: ElementTree.Element) -> Answer:
    """What it says of one payment. Its parts are gone through once; of what is there more than once the first counts."""
    there: dict[str, ElementTree.Element] = {}
    for part in one:
        there.setdefault(part.tag, part)
    reason = ""
    if "StsRsnInf" in there:
        reason = _said(one, "StsRsnInf/AddtlInf") or _said(one, "StsRsnInf/Rsn/Cd") or _said(one, "StsRsnInf/Rsn/Prtry")
    status = _text(there.get("TxSts"))
    succeeded = True if status in SETTLED else False if status in REFUSED else None
    fen = _fen(number, _once(there.get("OrgnlTxRef"), "Amt", "InstdAmt"))
    return Answer(number, _text(there.get("OrgnlEndToEndId")), fen, succeeded, reason[:120])


def _entry(number: int, entry: ElementTree.Element) -> Iterator[Answer]:
    """Only what names a payment of ours: entries of others' money are none of this file's business."""
    if _said(entry, "Sts/Cd") not in ("", "BOOK") or _said(entry, "Sts") not in ("", "BOOK"):
        return
    payments, undone = list(entry.iter("TxDtls")), _said(entry, "RvslInd") in ("true", "1")
    for one in payments:
        reference = _said(one, "Refs/EndToEndId")
        outgoing = (_said(one, "CdtDbtInd") or _said(entry, "CdtDbtInd")) == "DBIT"
        back = undone or one.find("RtrInf") is not None
        if not reference or reference == "NOTPROVIDED" or back == outgoing:
            continue
        # Of an entry of several payments its own amount is their sum, and none of them.
        own = entry.find("Amt") if len(payments) == 1 else None
        amount = next((found for way in _AMOUNTS if (found := one.find(way)) is not None), own)
        reason = _said(one, "RtrInf/AddtlInf") or _said(one, "RtrInf/Rsn/Cd") or _said(one, "RtrInf/Rsn/Prtry")
        yield Answer(number, reference, _fen(number, amount), outgoing, reason[:120])
        number += 1


def _without_undone(found: list[Answer]) -> list[Answer]:
    """A statement has what went out and what came back of it as two entries: of a payment that came back only that counts."""
    back = {(one.reference, one.amount_fen) for one in found if not one.succeeded}
    return [one for one in found if not one.succeeded or (one.reference, one.amount_fen) not in back]


# Where versions of the statement have the amount of one payment.
_AMOUNTS = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt")


def _said(element: ElementTree.Element, path: str) -> str:
    """The first text on this way down. Most ways end at once, and are not gone any further: whole paths are gone in Python."""
    return _text(element.find(path) if element.find(path.partition("/")[0]) is not None else None)


def _text(element: ElementTree.Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _once(found: ElementTree.Element | None, *names: str) -> ElementTree.Element | None:
    """What is below these elements, each of which the message has once."""
    for name in names:
        found = None if found is None else found.find(name)
    return found


def _fen(number: int, amount: ElementTree.Element | None) -> int:
    if amount is None:
        raise UnreadableReturn(_("第 {number} 笔没有金额，不能核对，请让银行在回盘里带上原金额").format(number=number))
    if amount.get("Ccy", "CNY") != "CNY":
        raise UnreadableReturn(_("第 {number} 笔不是人民币").format(number=number))
    try:
        return fen_from_yuan((amount.text or "").strip())
    except MoneyError:
        raise UnreadableReturn(_("第 {number} 笔的金额“{amount}”不能识别").format(number=number, amount=(amount.text or "")[:20])) from None

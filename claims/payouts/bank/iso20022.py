"""ISO 20022: a credit transfer initiation (pain.001.001.09), and what a bank says of it (pain.002 status report, camt.053 statement)."""

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from claims.payouts.bank.lines import Answer, Head, Payment, UnreadableReturn
from unionaid.lib.money import MoneyError, fen_from_yuan, yuan_from_fen

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
# What the bank says of one payment; everything else is not decided yet.
SETTLED, REFUSED = {"ACSC", "ACCC"}, {"RJCT", "CANC"}
NAME_PLACES, REFERENCE_PLACES = 140, 35


def unfit(payment: Payment) -> str:
    """Why the message cannot hold the line; empty when it can."""
    if len(payment.name) > NAME_PLACES or len(payment.bank) > NAME_PLACES:
        return _("户名或开户行超过 {places} 个字").format(places=NAME_PLACES)
    if not re.fullmatch(r"[A-Za-z0-9-]{1,35}", payment.reference):
        return _("附言“{text}”不是 35 个以内的字母和数字").format(text=payment.reference)
    return ""


def write(head: Head, payments: Sequence[Payment]) -> bytes:
    """One payment information block in yuan; each payment is named by its reference (EndToEndId). The moment of making is the
    beginning of the business day, so that the bytes are a function of the batch alone."""
    document = ElementTree.Element("Document", xmlns=NAMESPACE)
    message = ElementTree.SubElement(document, "CstmrCdtTrfInitn")
    count, total = str(len(payments)), f"{yuan_from_fen(sum(payment.amount_fen for payment in payments))}"
    group = _add(message, "GrpHdr", MsgId=head.batch_number, CreDtTm=f"{head.business_on}T00:00:00+08:00", NbOfTxs=count, CtrlSum=total)
    _add(group, "InitgPty", Nm=head.payer_name[:NAME_PLACES])
    block = _add(message, "PmtInf", PmtInfId=head.batch_number, PmtMtd="TRF", NbOfTxs=count, CtrlSum=total)
    _add(_add(block, "ReqdExctnDt"), Dt=f"{head.business_on}")
    _add(block, "Dbtr", Nm=head.payer_name[:NAME_PLACES])
    _account(block, "DbtrAcct", head.payer_account)
    _bank(block, "DbtrAgt", head.payer_bank)
    for one in payments:
        _transfer(block, one)
    ElementTree.indent(document)
    return ElementTree.tostring(document, encoding="UTF-8", xml_declaration=True) + b"\n"


def _transfer(block: ElementTree.Element, payment: Payment) -> None:
    transfer = ElementTree.SubElement(block, "CdtTrfTxInf")
    _add(transfer, "PmtId", InstrId=f"{payment.sequence}", EndToEndId=payment.reference)
    amount = ElementTree.SubElement(_add(transfer, "Amt"), "InstdAmt", Ccy="CNY")
    amount.text = f"{yuan_from_fen(payment.amount_fen)}"
    _bank(transfer, "CdtrAgt", payment.bank)
    _add(transfer, "Cdtr", Nm=payment.name)
    _account(transfer, "CdtrAcct", payment.account)
    _add(transfer, "RmtInf", Ustrd=payment.reference)


def _add(parent: ElementTree.Element, name: str = "", **texts: str) -> ElementTree.Element:
    """An element below `parent` (`parent` itself when it has no name), with these below it, in this order."""
    made = ElementTree.SubElement(parent, name) if name else parent
    for key, text in texts.items():
        ElementTree.SubElement(made, key).text = text
    return made


def _account(parent: ElementTree.Element, name: str, number: str) -> None:
    _add(_add(_add(_add(parent, name), "Id"), "Othr"), Id=number)


def _bank(parent: ElementTree.Element, name: str, bank: str) -> None:
    _add(_add(_add(parent, name), "FinInstnId"), Nm=bank)


# -- what the bank says ----------------------------------------------------------------------------------------------


def read(data: bytes) -> list[Answer]:
    """The answers of a pain.002 (every payment it names) or a camt.053 (its outgoing entries, and what was sent back).
    UnreadableReturn for anything else."""
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise UnreadableReturn(_("文件不是完整的 XML，请从网银重新下载回盘文件")) from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    if root.find("CstmrPmtStsRpt") is not None:
        return [_status(number, one) for number, one in enumerate(root.iter("TxInfAndSts"), 1)]
    if root.find("BkToCstmrStmt") is not None:
        return list(_entries(root))
    raise UnreadableReturn(_("XML 文件既不是付款状态报告（pain.002），也不是银行对账单（camt.053）"))


def _status(number: int, one: ElementTree.Element) -> Answer:
    status = _said(one, "TxSts")
    reason = _said(one, "StsRsnInf/AddtlInf") or _said(one, "StsRsnInf/Rsn/Cd") or _said(one, "StsRsnInf/Rsn/Prtry")
    succeeded = True if status in SETTLED else False if status in REFUSED else None
    fen = _fen(number, one.find("OrgnlTxRef/Amt/InstdAmt"))
    return Answer(number, _said(one, "OrgnlEndToEndId"), fen, succeeded, reason[:120])


def _entries(root: ElementTree.Element) -> Iterator[Answer]:
    """Only what names a payment of ours: entries of others' money are none of this file's business."""
    number = 0
    for entry in root.iter("Ntry"):
        if _said(entry, "Sts/Cd") not in ("", "BOOK") or _said(entry, "Sts") not in ("", "BOOK"):
            continue
        for one in entry.iter("TxDtls"):
            reference = _said(one, "Refs/EndToEndId")
            if not reference or reference == "NOTPROVIDED":
                continue
            number += 1
            amount = one.find("Amt") if one.find("Amt") is not None else entry.find("Amt")
            outgoing = (_said(one, "CdtDbtInd") or _said(entry, "CdtDbtInd")) == "DBIT"
            if not outgoing and one.find("RtrInf") is None:
                continue
            reason = _said(one, "RtrInf/AddtlInf") or _said(one, "RtrInf/Rsn/Cd") or _said(one, "RtrInf/Rsn/Prtry")
            yield Answer(number, reference, _fen(number, amount), outgoing, reason[:120])


def _said(element: ElementTree.Element, path: str) -> str:
    found = element.find(path)
    return (found.text or "").strip() if found is not None else ""


def _fen(number: int, amount: ElementTree.Element | None) -> int:
    if amount is None:
        raise UnreadableReturn(_("第 {number} 笔没有金额，不能核对，请让银行在回盘里带上原金额").format(number=number))
    if amount.get("Ccy", "CNY") != "CNY":
        raise UnreadableReturn(_("第 {number} 笔不是人民币").format(number=number))
    try:
        return fen_from_yuan((amount.text or "").strip())
    except MoneyError:
        raise UnreadableReturn(_("第 {number} 笔的金额“{amount}”不能识别").format(number=number, amount=(amount.text or "")[:20])) from None

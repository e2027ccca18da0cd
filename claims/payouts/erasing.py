"""Erasing who somebody is, once nothing asks for it any more: what was paid stays in the books to the fen, under a record without a name.

As long as the papers of money have to be kept (`KEPT_YEARS` from the last cover or step of a claim) a person with cover or claims is not
erased, and nobody is while something is still to be done. Whoever only signed up is erased at once. What stays is said in
`docs/decisions/0022`.
"""

import secrets
from datetime import date

from django.db import transaction
from django.db.models import Q
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from claims.models import Appeal, Claim, ClaimDocument, ClaimFlag, Objection
from claims.payouts.models import PayoutLine
from members.models import (
    AgentChange,
    AgentPaper,
    BankCard,
    Correction,
    CorrectionPaper,
    Departure,
    DuePaper,
    Enrolment,
    Evidence,
    JoinDraft,
    JoinPaper,
    Match,
    Member,
    MemberSecret,
    Refund,
    Remittance,
    RemittanceCorrection,
    Roster,
    RosterRow,
    StatementRow,
    UnitAgent,
)
from members.services import problem_sheets
from members.services.people import CARDS, SECRETS
from members.transitions import LIVE
from unionaid.accounts.models import User
from unionaid.lib.calendar import midnight, plus_months
from unionaid.offices.roles import Actor
from unionaid.web.files import KeptPaper
from unionaid.web.keys import ring
from unionaid.workflow.models import Notice
from unionaid.workflow.moves import MoveRefused, record

KEPT_YEARS = 30  # the files of vouchers, by the rules for accounting archives
ROSTER_AT_WORK = ("uploaded", "checked", "committing")  # its file is still read
OVER = ("draft", "paid", "rejected", "withdrawn", "replaced", "halted", "recovered")


class ErasureRefused(MoveRefused):
    """Something still needs to know who this is; the message says what."""


@transaction.atomic
def erase(member: Member, *, by: Actor, on: date) -> None:
    """Destroy who this is: name, numbers, accounts, log-in, papers and what was told in words. A second run does nothing.
    ErasureRefused while it is needed. Runs in a scope that shows everything."""
    held = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if held.erased_on is not None:
        return
    if why := needed_for(held, on):
        raise ErasureRefused(_("还不能删除：{why}。").format(why="；".join(why)))
    user_id, id_hash = held.user_id, bytes(held.id_hash)
    for paper in _papers(held):
        _destroy(paper)
    _forget_lists(id_hash)
    _forget_person(held, on)
    _forget_told(held)
    _forget_lines(held)
    if user_id is not None:
        _close_login(user_id)
    record([held], "erase", by=by)


def needed_for(member: Member, on: date) -> list[str]:
    """What still needs to know who this is, in words; nothing when nothing does."""
    since = plus_months(on, -12 * KEPT_YEARS)
    own = Q(member=member) | Q(claimant=member)
    cover = Enrolment.objects.filter(Q(member=member) | Q(holder=member), state__in=LIVE)
    claims = Claim.objects.filter(own | Q(kin=member))
    asked = {
        _("还在保障期内或待缴费"): cover.filter(Q(state="contribution_due") | Q(cover__endswith__gt=on)),
        _("有申领还没有办结"): claims.exclude(state__in=OVER),
        _("有申诉还没有答复"): Appeal.objects.filter(own, state="filed"),
        _("资金凭证要保存 {years} 年").format(years=KEPT_YEARS): cover.filter(cover__endswith__gt=since),
        _("申领的凭证要保存 {years} 年").format(years=KEPT_YEARS): claims.exclude(state="draft").filter(since__gt=midnight(since)),
        _("有退款还没有办完"): Refund.objects.filter(state__in=("proposed", "released"), remittance__matches__due__member=member),
        _("所在的名册还没有办完"): RosterRow.objects.filter(id_hash=member.id_hash, roster__state__in=ROSTER_AT_WORK),
        _("还是未成年子女的监护人"): member.wards.filter(erased_on=None),
        _("还是单位经办人"): UnitAgent.objects.filter(user=member.user_id, until=None) if member.user_id else UnitAgent.objects.none(),
    }
    return [words for words, rows in asked.items() if rows.exists()]


def _forget_person(member: Member, on: date) -> None:
    keys, hashed = ring(), secrets.token_bytes(32)
    Member.objects.filter(pk=member.pk).update(
        name=_("已删除"), id_hash=hashed, birth_date=member.birth_date.replace(month=1, day=1), user=None, unit_ids=[], unit=None,
        erased_on=on,
    )  # fmt: skip
    blank = keys.seal("", bound_to=(SECRETS, "id_number", member.pk))
    MemberSecret.objects.filter(member=member).update(id_number=blank, phone=None, phone_hash=None)
    for card in BankCard.objects.filter(member=member):
        number = keys.seal("", bound_to=(CARDS, "number", card.pk))
        BankCard.objects.filter(pk=card.pk).update(owner_name="", bank_name="", number=number, number_hash=hashed, last_four="")


def _forget_lists(id_hash: bytes) -> None:
    """Their line of every roster, and the files those lines came in: the lines of everybody else stay as they were checked."""
    lines = RosterRow.objects.filter(id_hash=id_hash)
    rosters = list(Roster.objects.filter(pk__in=lines.values("roster")))
    problem_sheets.drop([roster.pk for roster in rosters])
    for roster in rosters:
        _delete_later(roster.file)
    Roster.objects.filter(pk__in=[roster.pk for roster in rosters]).update(file="", file_name=_("已删除"))
    lines.update(name=_("已删除"), id_masked="", id_number=None, id_hash=None, phone=None, phone_hash=None, birth_date=None, facts={})


def _forget_told(member: Member) -> None:
    """What was said of them, or to them, in words."""
    Correction.objects.filter(member=member).update(
        name=_("已删除"), id_number=None, id_hash=None, id_masked="", before={}, id_number_before=None, id_hash_before=None,
        reason="", answer="",
    )  # fmt: skip
    own = Q(member=member) | Q(claimant=member)
    Claim.objects.filter(own).update(happened="", hospital="", diagnosis="", message="", halt_reason="")
    Appeal.objects.filter(own).update(grounds=_("已删除"), answer=_("已删除"), brought_by="")
    about = Q(claim__in=Claim.objects.filter(own))
    Objection.objects.filter(about).update(name=_("已删除"), phone="", text=_("已删除"), answer=_("已删除"))
    if member.user_id is not None:  # what they doubted of others; what they were answered
        Objection.objects.filter(raised_by=member.user_id).update(name=_("已删除"), phone="")
        AgentChange.objects.filter(user=member.user_id).update(answer="")
    Departure.objects.filter(member=member).update(note="", answer="")
    ClaimFlag.objects.filter(claim__in=Claim.objects.filter(own)).delete()
    _forget_sent(member)
    Notice.objects.filter(member_key=member.pk).delete()
    JoinDraft.objects.filter(Q(holder=member) | Q(member=member)).delete()


def _forget_sent(member: Member) -> None:
    """What they paid in themselves, as the bank told of it, and what of it went back."""
    matches = Match.objects.filter(due__member=member).values("remittance")
    sent = dict(Remittance.objects.filter(payer_name=member.name, pk__in=matches).values_list("pk", "bank_reference"))
    Remittance.objects.filter(pk__in=sent).update(payer_name="", remark="")
    RemittanceCorrection.objects.filter(Q(remittance__in=sent) | Q(corrected__in=sent)).update(payer_name="", remark="", note="")
    for refund in Refund.objects.filter(payee_name=member.name, remittance__in=sent):
        number = ring().seal("", bound_to=("members_refund", "account_number", refund.number))
        Refund.objects.filter(pk=refund.pk).update(payee_name="", bank_name="", account_number=number, account_last_four="", note="")
    StatementRow.objects.filter(payer_name=member.name, bank_reference__in=sent.values()).update(payer_name="", remark="")


def _papers(member: Member) -> list[KeptPaper]:
    """Every paper that they, or somebody for them, handed in."""
    own = Q(claim__member=member) | Q(claim__claimant=member)
    draft = Q(draft__holder=member) | Q(draft__member=member)
    found: list[KeptPaper] = [*ClaimDocument.objects.filter(own), *CorrectionPaper.objects.filter(correction__member=member)]
    found += [*Evidence.objects.filter(enrolment__member=member), *JoinPaper.objects.filter(draft)]
    found += [*DuePaper.objects.filter(due__member=member)]
    if member.user_id is not None:
        found += AgentPaper.objects.filter(change__user=member.user_id)
    return found


def _destroy(paper: KeptPaper) -> None:
    file = paper.file
    paper.delete()
    _delete_later(file)


def _delete_later(file: FieldFile) -> None:
    """When it is sure that the row is gone."""
    if name := file.name:
        transaction.on_commit(lambda: file.storage.delete(name), robust=True)


def _forget_lines(member: Member) -> None:
    """Of what was paid stay the claim, the amount, the days; the database lets go of the payee for who is erased, and of nothing else."""
    for line in PayoutLine.objects.filter(claim__claimant=member):
        number = ring().seal("", bound_to=("payouts_payoutline", "account_number", line.reference))
        PayoutLine.objects.filter(pk=line.pk).update(payee_name="", bank_name="", account_number=number, account_last_four="")


def _close_login(user_id: int) -> None:
    gone = User(username=f"erased-{secrets.token_hex(8)}")
    gone.set_unusable_password()
    User.objects.filter(pk=user_id).update(
        username=gone.username, password=gone.password, display_name=_("已删除"), id_hash=None, phone_hash=None, email=None,
        is_active=False, totp_key=None, totp_since=None,
    )  # fmt: skip

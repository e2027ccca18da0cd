"""Contributions (互助费): what is due, the bank's statements, what arrived, which arrival settles which debt, what goes back."""

import uuid
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.models.enrolments import Enrolment, Roster
from members.models.people import Member
from members.models.units import WorkUnit
from members.transitions import DUE, DUE_LIVE, REFUND, REMITTANCE, REMITTANCE_CORRECTION, REMITTANCE_OPEN, STATEMENT
from programs.rules.outline import payer_words
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.web import said
from unionaid.web.files import KeptPaper
from unionaid.workflow.stateful import Stateful

_SANE = Q(amount_fen__gt=0) & Q(amount_fen__lt=10**15)
_user = settings.AUTH_USER_MODEL


class ContributionDue(Stateful, OfficeOwned):
    """What one payer owes for one roster or one individual enrolment; `reference` is the remark to write on the transfer.

    `payer` is any payer that the plan names (person, unit, union, province …). What is not owed any more (an enrolment refused
    or void) is `waived_fen`; `paid_fen` is the sum of the live matches, kept by a trigger.
    """

    class Payer(models.TextChoices):
        """The payers every plan knows; a plan may name others in small letters."""

        PERSON = "person", _("个人")
        UNIT = "unit", _("单位")
        UNION = "union", _("工会")

    graph = DUE
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", members=("member_id",))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    unit = models.ForeignKey(WorkUnit, models.PROTECT, null=True, related_name="dues")
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="dues")
    roster = models.ForeignKey(Roster, models.PROTECT, null=True, related_name="dues")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, null=True, related_name="dues")
    payer = models.CharField(_("缴费方"), max_length=40)
    reference = models.CharField(_("转账附言"), max_length=40, unique=True)
    amount_fen = models.BigIntegerField(_("应缴（分）"))
    paid_fen = models.BigIntegerField(_("已缴（分）"), default=0)
    waived_fen = models.BigIntegerField(_("不再收取（分）"), default=0)
    owed_fen = models.GeneratedField(
        expression=F("amount_fen") - F("paid_fen") - F("waived_fen"), output_field=models.BigIntegerField(), db_persist=True
    )
    # The last day on which the bank may book what is to count for it; none: no such day.
    pay_by = models.DateField(_("缴费期限"), null=True)
    reminded_on = models.DateField(null=True)
    settled_on = models.DateField(_("缴清日期"), null=True)
    state = models.CharField(max_length=24, choices=DUE.choices(), default=DUE.initial)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("应缴互助费")
        verbose_name_plural = _("应缴互助费")
        indexes = [
            models.Index(fields=["office", "owed_fen"], name="due_live", condition=Q(state__in=DUE_LIVE)),
            BrinIndex(fields=["created_at"], name="due_made_lately", pages_per_range=8, autosummarize=True),
        ]
        constraints = [
            models.CheckConstraint(name="due_amount_sane", condition=_SANE),
            models.CheckConstraint(
                name="due_for_one_thing",
                condition=Q(roster__isnull=False, enrolment__isnull=True)
                | Q(roster__isnull=True, enrolment__isnull=False),
            ),
            models.CheckConstraint(name="due_payer_named", condition=Q(payer__regex=r"^[a-z][a-z_]{0,39}$")),
            models.CheckConstraint(
                name="due_never_overpaid",
                condition=Q(paid_fen__gte=0) & Q(waived_fen__gte=0) & Q(amount_fen__gte=F("paid_fen") + F("waived_fen")),
            ),
            models.CheckConstraint(
                name="due_settled_is_paid", condition=~Q(state="settled") | Q(amount_fen=F("paid_fen") + F("waived_fen"))
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def in_time(self, received_on: date) -> bool:
        """Does money that the bank booked on this day still count for it?"""
        return self.pay_by is None or received_on <= self.pay_by

    def get_payer_display(self) -> str:
        """What the payer is called, in the language of the page."""
        return payer_words(self.payer).in_language(get_language() or "zh-hans")


class DuePaper(KeptPaper, Scoped):
    """Evidence of a payment (the bank's slip) that the payer sends to a debt, sealed in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="due")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    due = models.ForeignKey(ContributionDue, models.PROTECT, related_name="papers")
    uploaded_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    file = models.FileField(upload_to="slips/%Y/")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["due", "sha256"], name="due_paper_once")]


class BankStatement(Stateful, OfficeOwned):
    """A statement (流水) of the office's bank account as downloaded from the bank. One file is taken once per office."""

    graph = STATEMENT

    file = models.FileField(upload_to="statements/%Y/")
    file_name = models.CharField(_("文件"), max_length=200)
    file_sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField(_("导入时间"), db_default=models.functions.Now())
    # Why it cannot be read: language → sentences (`web.said`).
    message = models.JSONField(default=dict)
    row_count = models.PositiveIntegerField(_("行数"), default=0)
    good_count = models.PositiveIntegerField(_("来款"), default=0)
    known_count = models.PositiveIntegerField(_("以前导入过"), default=0)
    outgoing_count = models.PositiveIntegerField(_("支出"), default=0)
    bad_count = models.PositiveIntegerField(_("有问题"), default=0)
    total_fen = models.BigIntegerField(default=0)
    # What lay on the account at the end of each day, where the file says so without contradiction: [["2026-07-01", fen]].
    day_balances = models.JSONField(default=list)
    state = models.CharField(max_length=24, choices=STATEMENT.choices(), default=STATEMENT.initial)

    class Meta:
        verbose_name = _("银行流水")
        verbose_name_plural = _("银行流水")
        constraints = [
            models.UniqueConstraint(
                name="statement_file_once",
                fields=["office", "file_sha256"],
                condition=~Q(state__in=["cancelled", "unreadable"]),
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def notes(self) -> list[str]:
        """Why it cannot be read, in the language of the page."""
        return said.sentences(self.message)


class Remittance(Stateful, OfficeOwned):
    """Money that arrived at the office's bank account (来款). `named` are the references of debts found in its remark; what was
    matched and what went (or is going) back are kept by triggers, and never more than arrived."""

    graph = REMITTANCE

    statement = models.ForeignKey(BankStatement, models.PROTECT, null=True, related_name="remittances")
    payer_name = models.CharField(_("付款人"), max_length=120)
    remark = models.CharField(_("附言"), max_length=200, blank=True)
    bank_reference = models.CharField(_("银行流水号"), max_length=60)
    received_on = models.DateField(_("到账日期"))
    amount_fen = models.BigIntegerField(_("金额（分）"))
    named = ArrayField(models.CharField(max_length=40), default=list)
    matched_fen = models.BigIntegerField(_("已核销（分）"), default=0)
    refunded_fen = models.BigIntegerField(_("退款（分）"), default=0)
    # What of it was benefit that had been paid too much and came back (kept from above, where benefit is paid).
    recovered_fen = models.BigIntegerField(_("退回的多付互助金（分）"), default=0)
    left_fen = models.GeneratedField(
        expression=F("amount_fen") - F("matched_fen") - F("refunded_fen") - F("recovered_fen"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    state = models.CharField(max_length=24, choices=REMITTANCE.choices(), default=REMITTANCE.initial)
    entered_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("来款")
        verbose_name_plural = _("来款")
        indexes = [
            models.Index(fields=["office", "received_on", "id"], name="remittance_open", condition=Q(state__in=REMITTANCE_OPEN)),
            BrinIndex(fields=["received_on"], name="remittance_came_lately", pages_per_range=8, autosummarize=True),
        ]
        constraints = [
            models.UniqueConstraint(fields=["office", "bank_reference"], name="remittance_once", condition=~Q(state="reversed")),
            models.CheckConstraint(
                name="remittance_reversed_is_untouched", condition=~Q(state="reversed") | Q(matched_fen=0, refunded_fen=0)
            ),
            models.CheckConstraint(name="remittance_amount_sane", condition=_SANE),
            models.CheckConstraint(
                name="remittance_never_overspent",
                condition=Q(matched_fen__gte=0)
                & Q(refunded_fen__gte=0)
                & Q(recovered_fen__gte=0)
                & Q(amount_fen__gte=F("matched_fen") + F("refunded_fen") + F("recovered_fen")),
            ),
        ]

    def __str__(self) -> str:
        return self.bank_reference


class RemittanceCorrection(Stateful, OfficeOwned):
    """A remittance that was typed in wrongly (来款更正): proposed by one person, released by another. Nothing is edited: the wrong one is
    reversed in the books, and the right one (`corrected`) takes over what it settled. `arrived`: is there such money at all?"""

    graph = REMITTANCE_CORRECTION
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    remittance = models.ForeignKey(Remittance, models.PROTECT, related_name="corrections")
    corrected = models.ForeignKey(Remittance, models.PROTECT, null=True, related_name="corrects")
    arrived = models.BooleanField(_("这笔钱确实到账了"))
    payer_name = models.CharField(_("付款人"), max_length=120, blank=True)
    remark = models.CharField(_("附言"), max_length=200, blank=True)
    bank_reference = models.CharField(_("银行流水号"), max_length=60, blank=True)
    received_on = models.DateField(_("到账日期"), null=True)
    amount_fen = models.BigIntegerField(_("金额（分）"), null=True)
    note = models.CharField(_("更正的依据"), max_length=200)
    state = models.CharField(max_length=24, choices=REMITTANCE_CORRECTION.choices(), default=REMITTANCE_CORRECTION.initial)
    proposed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    released_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(_("复核时间"), null=True)

    class Meta:
        verbose_name = _("来款更正")
        verbose_name_plural = _("来款更正")
        constraints = [
            models.UniqueConstraint(name="one_open_correction_of_remittance", fields=["remittance"], condition=Q(state="proposed")),
            models.CheckConstraint(
                name="remittance_correction_says_what_arrived",
                condition=Q(arrived=False, amount_fen__isnull=True, received_on__isnull=True, bank_reference="")
                | (Q(arrived=True, amount_fen__gt=0, amount_fen__lt=10**15, received_on__isnull=False) & ~Q(bank_reference="")),
            ),
            models.CheckConstraint(
                name="remittance_correction_by_two",
                condition=~Q(state="done")
                | (Q(released_by__isnull=False, proposed_by__isnull=False) & ~Q(released_by=F("proposed_by"))),
            ),
        ]

    def __str__(self) -> str:
        return self.remittance.bank_reference


class StatementRow(Scoped):
    """One line of a bank statement as staged: what it says and what came of it. Nothing is guessed."""

    class Outcome(models.TextChoices):
        GOOD = "good", _("来款，可以导入")
        KNOWN = "known", _("以前导入过")
        OUTGOING = "outgoing", _("支出，不导入")
        BAD = "bad", _("有问题，不导入")
        TAKEN = "taken", _("已导入")

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="statement")

    statement = models.ForeignKey(BankStatement, models.CASCADE, related_name="rows")
    row_number = models.PositiveIntegerField()
    received_on = models.DateField(null=True)
    amount_fen = models.BigIntegerField(null=True)
    payer_name = models.CharField(max_length=120, blank=True)
    remark = models.CharField(max_length=200, blank=True)
    bank_reference = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    reasons = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["statement", "row_number"], name="statement_row_once")]

    @property
    def why(self) -> str:
        """Why the line cannot be taken, in the language of the page."""
        return said.line(self.reasons)


class Match(OfficeOwned):
    """How much of a remittance settles how much of a due (核销). Never changed; a wrong one is undone, with the reason."""

    class Undone(models.TextChoices):
        MISTAKE = "mistake", _("核销有误")
        REFUSED = "refused", _("不予参加")
        VOID = "void", _("参加记录作废")
        TERM_OVER = "term_over", _("保障到期，退还本金")

    remittance = models.ForeignKey(Remittance, models.PROTECT, related_name="matches")
    due = models.ForeignKey(ContributionDue, models.PROTECT, related_name="matches")
    amount_fen = models.BigIntegerField()
    matched_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    matched_at = models.DateTimeField(db_default=models.functions.Now())
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    undone_reason = models.CharField(max_length=10, choices=Undone, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["remittance", "due"], name="match_once", condition=Q(undone_at__isnull=True)),
            models.CheckConstraint(name="match_amount_sane", condition=_SANE),
            models.CheckConstraint(
                name="match_undone_for_a_reason",
                condition=Q(undone_at__isnull=True, undone_reason="") | (Q(undone_at__isnull=False) & ~Q(undone_reason="")),
            ),
        ]


class Refund(Stateful, OfficeOwned):
    """Money that goes back (退款): proposed by one person, released by another, never more than is left of what arrived."""

    class Reason(models.TextChoices):
        OVER_PAYMENT = "over_payment", _("多缴")
        DUPLICATE = "duplicate", _("重复缴费")
        REFUSED = "refused", _("没有参加（不予参加、已撤回或逾期未缴）")
        VOID = "void", _("参加记录作废")
        TERM_OVER = "term_over", _("保障到期，退还本金")

    graph = REFUND

    remittance = models.ForeignKey(Remittance, models.PROTECT, related_name="refunds")
    duplicate_of = models.ForeignKey(Remittance, models.PROTECT, null=True, related_name="+")
    number = models.CharField(_("退款编号"), max_length=24, unique=True)
    reason = models.CharField(_("退款原因"), max_length=16, choices=Reason)
    amount_fen = models.BigIntegerField(_("退款金额（分）"))
    payee_name = models.CharField(_("收款户名"), max_length=120)
    bank_name = models.CharField(_("开户行"), max_length=80)
    account_number = models.BinaryField()
    account_last_four = models.CharField(max_length=4)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    state = models.CharField(max_length=24, choices=REFUND.choices(), default=REFUND.initial)
    proposed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    released_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    paid_on = models.DateField(_("退款日期"), null=True)
    bank_reference = models.CharField(_("退款流水号"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("互助费退款")
        verbose_name_plural = _("互助费退款")
        constraints = [
            models.CheckConstraint(name="refund_amount_sane", condition=_SANE),
            models.CheckConstraint(
                name="refund_proposer_is_not_releaser",
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="refund_goes_out_released",
                condition=Q(state__in=["proposed", "dropped"]) | Q(released_by__isnull=False, proposed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="refund_duplicate_names_the_other",
                condition=(Q(reason="duplicate", duplicate_of__isnull=False) & ~Q(duplicate_of=F("remittance")))
                | (~Q(reason="duplicate") & Q(duplicate_of__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.number

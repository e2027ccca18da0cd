"""The back room: batches of payments, their frozen lines, the file for the bank and the bank's answers; and what comes back of
payments that were too high."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from claims.models import Claim
from claims.models.claims import apart
from claims.payouts.transitions import BATCH, ERASURE, LINE, RECOVERY
from unionaid.ledger.accounts import Fund
from unionaid.offices.models import BankFormat
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL


class PayoutBatch(Stateful, OfficeOwned):
    """Payments of one office and one fund: made by one person, checked by a second, released by a third, none of whom had a part in
    one of the claims or is paid by it (CHECKs here; the claims by a trigger, migration 0003)."""

    graph = BATCH

    number = models.CharField(_("批次号"), max_length=24, unique=True)
    fund = models.CharField(_("资金"), max_length=16, choices=Fund.choices)
    business_on = models.DateField(_("业务日期"))
    bank_format = models.CharField(_("银行文件"), max_length=12, choices=BankFormat, default=BankFormat.CSV)
    # From whose account it is paid, as it stood when the batch was made: the file is a function of the batch alone.
    payer_name = models.CharField(_("付款户名"), max_length=80, blank=True)
    payer_account = models.CharField(_("付款账号"), max_length=40, blank=True)
    payer_bank = models.CharField(_("付款开户行"), max_length=80, blank=True)
    line_count = models.PositiveIntegerField(_("笔数"), default=0)
    total_fen = models.BigIntegerField(_("合计（分）"), default=0)
    # How its claims were chosen (`choosing.Choice`), and which of the chosen ones cannot be paid so: [number of the claim, why].
    choice = models.JSONField(default=dict)
    left_out = models.JSONField(default=list)
    state = models.CharField(max_length=24, choices=BATCH.choices(), default=BATCH.initial)
    assembled_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    assembled_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    checked_at = models.DateTimeField(null=True)
    sent_back_why = models.CharField(_("退回原因"), max_length=500, blank=True)
    released_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("给付批次")
        verbose_name_plural = _("给付批次")
        constraints = [
            apart("batch_assembler_is_not_checker", "checked_by", "assembled_by"),
            apart("batch_assembler_is_not_releaser", "released_by", "assembled_by"),
            apart("batch_checker_is_not_releaser", "released_by", "checked_by"),
            models.CheckConstraint(
                name="batch_checked_before_release",
                condition=~Q(state__in=["checked", "releasing", "released", "booked"]) | Q(checked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="batch_released_by_somebody",
                condition=~Q(state__in=["releasing", "released", "booked"]) | Q(released_by__isnull=False),
            ),
            models.CheckConstraint(name="batch_total_sane", condition=Q(total_fen__gte=0) & Q(total_fen__lt=10**15)),
        ]

    def __str__(self) -> str:
        return self.number


class BatchPart(Scoped):
    """Claims of a batch that get their lines in one transaction and are marked as being paid in another: whichever worker is free takes the
    next part. Its lines have numbers above `first`, at most `size` of them; who stays out leaves a gap."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="batch")

    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    first = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    claim_ids = ArrayField(models.BigIntegerField())
    made = models.BooleanField(default=False)
    # So many claims were marked, and what they are paid together; null: not yet. What the bank's file says of them, pressed and sealed,
    # until the file is made.
    marked = models.PositiveIntegerField(null=True)
    marked_fen = models.BigIntegerField(null=True)
    piece = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("批次的一部分")
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="batch_part_once")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.number}"


class PayoutLine(Stateful, OfficeOwned):
    """One payment of one claim, frozen at assembly: payee, account (sealed), amount. At most one open or
    succeeded line per claim. A re-issue is a new line that names the failed one."""

    graph = LINE

    # Each index is written for every line: what begins a constraint's index needs none of its own, and nothing is looked up by office.
    # That office, batch and claim are there and agree is asked of all new lines at once (migration 0004).
    office = models.ForeignKey("offices.Office", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="lines", db_index=False, db_constraint=False)
    sequence = models.PositiveIntegerField(_("序号"))
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="payout_lines", db_constraint=False)
    payee_name = models.CharField(_("收款人"), max_length=60)
    bank_name = models.CharField(_("开户银行"), max_length=80)
    account_number = models.BinaryField()
    account_last_four = models.CharField(max_length=4)
    amount_fen = models.BigIntegerField(_("金额（分）"))
    # What the plan sets off of this benefit against an over-payment; amount and this are together what was approved.
    set_off_fen = models.BigIntegerField(_("抵还多付（分）"), default=0)
    set_off_against = models.ForeignKey("payouts.Recovery", models.PROTECT, null=True, related_name="lines", db_index=False)
    reference = models.CharField(_("付款附言"), max_length=40)
    state = models.CharField(max_length=24, choices=LINE.choices(), default=LINE.initial)
    # It pays its claim, or may yet: what the bank confirms stays so, and no index is written for it.
    counts = models.GeneratedField(
        expression=Case(When(state__in=["failed", "void"], then=Value(False)), default=Value(True)),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    bank_reason = models.CharField(_("银行说明"), max_length=120, blank=True)
    settled_on = models.DateField(null=True)
    reissue_of = models.OneToOneField("self", models.PROTECT, null=True, related_name="reissued_as")

    class Meta:
        verbose_name = _("给付明细")
        verbose_name_plural = _("给付明细")
        indexes = [
            models.Index(fields=["set_off_against"], name="line_set_off_against", condition=Q(set_off_against__isnull=False)),
            # Of a claim that is to be paid it is asked whether a payment of it came back: few have, and so the index is small.
            models.Index(fields=["claim"], name="line_came_back", condition=Q(counts=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["batch", "sequence"], name="line_sequence_once"),
            models.UniqueConstraint(fields=["reference"], name="line_reference_once"),
            models.UniqueConstraint(fields=["claim"], name="claim_paid_once", condition=Q(counts=True)),
            models.CheckConstraint(
                name="line_amount_sane", condition=Q(amount_fen__gt=0) & Q(amount_fen__lt=10**12)
            ),
            models.CheckConstraint(
                name="line_set_off_is_against_something",
                condition=Q(set_off_fen=0, set_off_against__isnull=True) | Q(set_off_fen__gt=0, set_off_against__isnull=False),
            ),
        ]


class BankFile(Scoped):
    """The file for the bank: a pure function of the released batch, kept as sealed bytes. Never changed."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="batch")

    batch = models.OneToOneField(PayoutBatch, models.PROTECT, related_name="bank_file")
    file_name = models.CharField(max_length=80)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    line_count = models.PositiveIntegerField()
    total_fen = models.BigIntegerField()
    made_at = models.DateTimeField(db_default=models.functions.Now())


class BankReturn(OfficeOwned):
    """A result file of the bank (回盘文件), taken once per content: read whole, shown, and booked part by part once it is confirmed."""

    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="returns")
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField(db_default=models.functions.Now())
    confirmed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)
    succeeded_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    unmatched_count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("银行回盘")
        constraints = [models.UniqueConstraint(fields=["batch", "sha256"], name="return_file_once")]


class ReturnPart(OfficeOwned):
    """Lines of a result file that were booked in one transaction, numbered as its first row; its sums are what was posted.
    Never changed."""

    append_only = True

    bank_return = models.ForeignKey(BankReturn, models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    succeeded_count = models.PositiveIntegerField()
    succeeded_fen = models.BigIntegerField()
    failed_count = models.PositiveIntegerField()
    failed_fen = models.BigIntegerField()
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("回盘记账")
        constraints = [models.UniqueConstraint(fields=["bank_return", "number"], name="return_part_once")]

    def __str__(self) -> str:
        return f"{self.bank_return_id}/{self.number}"


class ReturnRow(Scoped):
    """One line of a result file: what the bank says, and what came of it. Nothing is guessed."""

    class Outcome(models.TextChoices):
        READY = "ready", _("与批次一致，可以记账")
        CAME_BACK = "came_back", _("到账后又被退回，可以记账")
        BOOKED = "booked", _("已记账")
        ALREADY = "already", _("此前已记账")
        UNKNOWN = "unknown", _("不在本批次中")
        MISMATCH = "mismatch", _("金额不符")
        DUPLICATE = "duplicate", _("文件内重复")
        CONTRADICTED = "contradicted", _("文件内前后矛盾")
        CHANGED = "changed", _("与此前的结果不同")
        PENDING = "pending", _("银行还在处理")

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="bank_return")

    # Written from the return and its batch's lines by one statement (`return_tables`); no line is ever removed.
    bank_return = models.ForeignKey(BankReturn, models.CASCADE, related_name="rows", db_index=False, db_constraint=False)
    row_number = models.PositiveIntegerField()
    reference = models.CharField(max_length=60)
    amount_fen = models.BigIntegerField(null=True)
    succeeded = models.BooleanField(null=True)
    reason = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome)
    line = models.ForeignKey(PayoutLine, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bank_return", "row_number"], name="return_row_once")]


class Recovery(Stateful, OfficeOwned):
    """What a claimant owes back (追回) because a correction (`claim`) found that too much had been paid. `paid_fen` is the sum of its
    payments, kept by a trigger; the number is the remark to write on a transfer. Nothing of the earlier decisions is changed."""

    graph = RECOVERY
    scope_by: ClassVar[ScopeBy] = ScopeBy(members=("claimant_id",))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(_("追回编号"), max_length=24, unique=True)
    claim = models.OneToOneField(Claim, models.PROTECT, related_name="recovery", verbose_name=_("申领"))
    claimant = models.ForeignKey("members.Member", models.PROTECT, related_name="+", verbose_name=_("职工"))
    program = models.ForeignKey("programs.Program", models.PROTECT, related_name="+")
    fund = models.CharField(_("资金"), max_length=16, choices=Fund.choices)
    amount_fen = models.BigIntegerField(_("多付（分）"))
    paid_fen = models.BigIntegerField(_("已退回（分）"), default=0)
    written_off_fen = models.BigIntegerField(_("已核销（分）"), default=0)
    left_fen = models.GeneratedField(
        expression=F("amount_fen") - F("paid_fen") - F("written_off_fen"), output_field=models.BigIntegerField(), db_persist=True
    )
    opened_on = models.DateField(_("发起日期"))
    # The last reminder: of which last day, and the how manieth for it.
    reminded_for = models.DateField(null=True)
    reminded_step = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=24, choices=RECOVERY.choices(), default=RECOVERY.initial)
    decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    write_off_reason = models.TextField(_("核销原因"), blank=True)
    write_off_proposed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    write_off_proposed_at = models.DateTimeField(null=True)
    written_off_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    written_off_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("追回多付")
        verbose_name_plural = _("追回多付")
        indexes = [models.Index(fields=["office", "state", "id"], name="recovery_queue")]
        constraints = [
            models.CheckConstraint(
                name="recovery_never_more_than_owed",
                condition=Q(amount_fen__gt=0)
                & Q(amount_fen__lt=10**12)
                & Q(paid_fen__gte=0)
                & Q(written_off_fen__gte=0)
                & Q(amount_fen__gte=F("paid_fen") + F("written_off_fen")),
            ),
            models.CheckConstraint(
                name="recovery_ended_owes_nothing",
                condition=~Q(state__in=["settled", "written_off"]) | Q(amount_fen=F("paid_fen") + F("written_off_fen")),
            ),
            models.CheckConstraint(
                name="recovery_written_off_by_two",
                condition=~Q(state="written_off") | Q(write_off_proposed_by__isnull=False, written_off_by__isnull=False),
            ),
            apart("recovery_proposer_is_not_who_agrees", "written_off_by", "write_off_proposed_by"),
            apart("recovery_decider_does_not_write_off", "written_off_by", "decided_by"),
        ]

    def __str__(self) -> str:
        return self.number


class RecoveryInstalment(Scoped):
    """One part of what is owed back and the last day for it, as agreed with the claimant."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="recovery")

    recovery = models.ForeignKey(Recovery, models.PROTECT, related_name="instalments")
    due_on = models.DateField(_("最晚退回日期"))
    amount_fen = models.BigIntegerField(_("金额（分）"))

    class Meta:
        ordering = ["due_on"]
        constraints = [
            models.UniqueConstraint(fields=["recovery", "due_on"], name="instalment_once_a_day"),
            models.CheckConstraint(name="instalment_amount_sane", condition=Q(amount_fen__gt=0) & Q(amount_fen__lt=10**12)),
        ]


class RecoveryPayment(OfficeOwned):
    """Money that came back: matched from what arrived at the bank, or set off against a later benefit. Never changed: a match that was
    wrong, or what was set off against a claim that was halted since, is taken back by an entry of its own (`takes_back`) with the sign
    turned, once, and why (a trigger holds them together). Of one claim it is set off once, however often it is paid again."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="recovery")

    recovery = models.ForeignKey(Recovery, models.PROTECT, related_name="payments")
    remittance = models.ForeignKey("members.Remittance", models.PROTECT, null=True, related_name="+")
    line = models.OneToOneField(PayoutLine, models.PROTECT, null=True, related_name="set_off")
    amount_fen = models.BigIntegerField(_("金额（分）"))
    takes_back = models.OneToOneField("self", models.PROTECT, null=True, related_name="taken_back")
    note = models.CharField(_("撤销的原因"), max_length=200, blank=True)
    received_on = models.DateField(_("日期"))
    by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("退回的多付款")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="recovery_payment_sane",
                condition=Q(takes_back__isnull=True, amount_fen__gt=0, amount_fen__lt=10**12)
                | Q(takes_back__isnull=False, amount_fen__lt=0, amount_fen__gt=-(10**12), line__isnull=True) & ~Q(note=""),
            ),
            models.CheckConstraint(
                name="recovery_payment_from_one_thing",
                condition=Q(remittance__isnull=False, line__isnull=True)
                | Q(remittance__isnull=True, line__isnull=False)
                | Q(remittance__isnull=True, takes_back__isnull=False),
            ),
        ]


class Erasure(Stateful, OfficeOwned):
    """Somebody is to be erased (`claims.payouts.erasing`): asked for by one person of the office responsible, carried out by another.
    `basis`, why, may say who it is: it goes with them."""

    graph = ERASURE
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    basis = models.CharField(_("依据"), max_length=300, blank=True)
    state = models.CharField(max_length=24, choices=ERASURE.choices(), default=ERASURE.initial)
    asked_by = models.ForeignKey(_user, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    done_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(_("删除时间"), null=True)

    class Meta:
        verbose_name = _("删除个人信息")
        verbose_name_plural = _("删除个人信息")
        constraints = [
            models.UniqueConstraint(name="one_open_erasure", fields=["member"], condition=Q(state="asked")),
            models.CheckConstraint(
                name="erased_by_somebody_without_basis", condition=~Q(state="done") | Q(done_by__isnull=False, basis="")
            ),
            apart("erasure_asked_and_done_by_two", "done_by", "asked_by"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.label_lower} {self.pk}"

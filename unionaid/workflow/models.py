"""What was done, what is still to be done, what was asked for once, and what people were told."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _

from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped


class CurrentTransaction(Func):
    """The database's number of the running transaction: ties an audit entry to the change it tells of."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()


class AuditEntry(OfficeOwned):
    """One act of one person on one thing, or on a set of things of one office that were moved together from one state to one other: then
    `entity_ids` names every one of them. Rows are never changed or removed (trigger)."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy(users="actor_id")

    office = models.ForeignKey("offices.Office", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("时间"), db_default=models.functions.Now())
    txid = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(_("办理人"), max_length=60)
    entity = models.CharField(max_length=60)
    entity_id = models.BigIntegerField(default=0, db_default=0)  # 0: a set
    entity_ids = ArrayField(models.BigIntegerField(), null=True)
    action = models.CharField(_("动作"), max_length=40)
    from_state = models.CharField(max_length=30, blank=True)
    to_state = models.CharField(max_length=30, blank=True)
    note = models.TextField(_("说明"), blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("办理记录")
        verbose_name_plural = _("办理记录")
        indexes = [
            models.Index(fields=["entity", "entity_id", "id"], name="audit_of_thing"),
            GinIndex(fields=["entity_ids"], name="audit_of_set", condition=Q(entity_ids__isnull=False)),
            models.Index(fields=["txid"], name="audit_sets_by_transaction", condition=Q(entity_ids__isnull=False)),
            models.Index(fields=["at", "id"], name="audit_by_time"),
            models.Index(fields=["txid"], name="audit_by_transaction"),
        ]
        constraints = [
            models.CheckConstraint(
                name="audit_of_one_or_a_set", condition=Q(entity_ids__isnull=True) | Q(entity_id=0, entity_ids__len__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.entity_id or len(self.entity_ids or ())} {self.action}"


class AuditSeal(models.Model):
    """The entries of a span of transactions (`from_txid` inclusive, `to_txid` exclusive) as they were when it was over. Never changed."""

    append_only = True

    from_txid = models.BigIntegerField()
    to_txid = models.BigIntegerField()
    count = models.BigIntegerField()
    pieces = models.BinaryField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32, unique=True)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["from_txid"], name="sealed_once"),
            models.CheckConstraint(name="seal_spans", condition=Q(to_txid__gt=models.F("from_txid"))),
        ]


class Job(OfficeOwned):
    """Work to be done later, written with the change that asks for it; may run any number of times."""

    class State(models.TextChoices):
        QUEUED = "queued", _("排队中")
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("未完成")
        REFUSED = "refused", _("不能办")

    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_key", users="requested_by_id")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("offices.Office", models.PROTECT, null=True, related_name="+")
    unit_key = models.BigIntegerField(null=True)
    kind = models.CharField(_("任务"), max_length=60)
    key = models.CharField(max_length=120, unique=True)
    subject_ids = ArrayField(models.BigIntegerField(), default=list)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    permission = models.CharField(max_length=60, blank=True)
    business_on = models.DateField()
    job_state = models.CharField(_("进度"), max_length=12, choices=State, default=State.QUEUED)
    stage = models.CharField(max_length=80, blank=True)
    done_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(default=0)
    cursor = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=models.functions.Now())
    created_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("后台任务")
        verbose_name_plural = _("后台任务")
        indexes = [
            models.Index(
                fields=["not_before"], name="job_due", condition=Q(job_state__in=["queued", "running"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class RequestKey(models.Model):
    """A form that was sent: the same key from the same person has one effect and one answer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    body_hash = models.BinaryField(max_length=32)
    answer = models.CharField(max_length=300)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="request_key_once")]


class Notice(OfficeOwned):
    """A message to a person, in their language, shown on their pages and sent by the configured channel.

    `delivery` is changed by conditional updates alone (`workflow.notices`): whoever finds it as expected goes on, nobody else.
    """

    class Delivery(models.TextChoices):
        WAITING = "waiting", _("待发送")
        SENDING = "sending", _("正在发送")
        SENT = "sent", _("已发出")
        UNDELIVERED = "undelivered", _("没有送达")
        UNSURE = "unsure", _("不确定是否送达")
        NO_ADDRESS = "no_address", _("没有联系方式")

    class Trouble(models.TextChoices):
        NO_CONNECTION = "no_connection", _("连不上发送通道")
        BUSY = "busy", _("发送通道暂时不接收")
        REFUSED = "refused", _("发送通道拒绝接收")
        NO_ANSWER = "no_answer", _("发送通道没有回音")
        STOPPED = "stopped", _("发送途中程序中断")

    class Channel(models.TextChoices):
        LOG = "log", _("运行日志")
        EMAIL = "email", _("电子邮件")
        SMS = "sms", _("短信")

    scope_by: ClassVar[ScopeBy] = ScopeBy(members=("member_key",))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member_key = models.BigIntegerField(db_index=True)
    title = models.CharField(_("通知"), max_length=80)
    text = models.TextField()
    link = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(_("时间"), db_default=models.functions.Now())
    read_at = models.DateTimeField(null=True)
    delivery = models.CharField(_("发送情况"), max_length=12, choices=Delivery, default=Delivery.WAITING)
    channel = models.CharField(_("通道"), max_length=8, choices=Channel, blank=True)
    trouble = models.CharField(_("原因"), max_length=16, choices=Trouble, blank=True)
    attempts = models.PositiveSmallIntegerField(_("发送次数"), default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("通知")
        verbose_name_plural = _("通知")
        indexes = [
            models.Index(fields=["office", "id"], name="notice_troubled", condition=Q(delivery__in=["undelivered", "unsure"])),
        ]
        constraints = [
            models.CheckConstraint(name="notice_sent_has_time", condition=~Q(delivery="sent") | Q(sent_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title


class BulkWork(OfficeOwned):
    """Things that one person of the office has done together (批量办理): which work, the words that go with it, who asked when."""

    kind = models.CharField(_("办理"), max_length=20)
    note = models.CharField(_("说明"), max_length=300, blank=True)
    # Up to this amount (inclusive), where the office has set one; as it was when it was asked for.
    limit_fen = models.BigIntegerField(_("金额上限"), null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("批量办理")
        verbose_name_plural = _("批量办理")

    def __str__(self) -> str:
        return f"#{self.pk}"


class BulkWorkRow(Scoped):
    """One of the things and what came of it; `why` is said when nothing was done with it."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("等待办理")
        DONE = "done", _("已办理")
        LEFT = "left", _("没有办理，请单独办理")

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="work")

    work = models.ForeignKey(BulkWork, models.PROTECT, related_name="rows")
    subject_id = models.BigIntegerField()
    label = models.CharField(max_length=200)
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome, default=Outcome.WAITING)
    why = models.TextField(blank=True)

    class Meta:
        verbose_name = _("批量办理的一件")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["work", "subject_id"], name="bulk_work_once")]

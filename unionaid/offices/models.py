"""Who works where: the tree of offices (headquarters, province, office, agency) and the posts in it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from unionaid.offices.roles import WITH_SECOND_FACTOR, Role
from unionaid.offices.scope import ScopeBy, Scoped

_user = settings.AUTH_USER_MODEL


class BankFormat(models.TextChoices):
    """Which file the office's bank takes for many payments at once (made by `claims.payouts.bank`)."""

    CSV = "csv", _("csv（GB18030）")
    CSV_GBK = "csv_gbk", _("csv（GBK，旧网银）")
    XLSX = "xlsx", _("Excel（xlsx）")
    FIXED = "fixed", _("定长文本（GB18030）")
    PAIN = "pain_001", _("ISO 20022（pain.001）")


class Office(models.Model):
    """One organisation of the mutual-aid fund (总部、省级、办事处、代办处). `path` holds the ids from the root."""

    class Level(models.TextChoices):
        HEADQUARTERS = "headquarters", _("总部")
        PROVINCE = "province", _("省级")
        OFFICE = "office", _("办事处")
        AGENCY = "agency", _("代办处")

    code = models.CharField(_("代码"), max_length=20, unique=True)
    name = models.CharField(_("名称"), max_length=80)
    level = models.CharField(_("层级"), max_length=16, choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=200, db_index=True, editable=False)
    region_code = models.CharField(_("行政区划代码"), max_length=6, blank=True)
    phone = models.CharField(_("咨询电话"), max_length=30, blank=True)
    account_name = models.CharField(_("收款账户名"), max_length=80, blank=True)
    account_number = models.CharField(_("收款账号"), max_length=40, blank=True)
    bank_name = models.CharField(_("开户行"), max_length=80, blank=True)
    bank_format = models.CharField(_("银行批量付款文件"), max_length=12, choices=BankFormat, default=BankFormat.CSV)

    class Meta:
        verbose_name = _("机构")
        verbose_name_plural = _("机构")
        ordering = ["path"]
        constraints = [
            models.CheckConstraint(
                name="office_root_is_headquarters",
                condition=models.Q(parent__isnull=False) | models.Q(level="headquarters"),
            )
        ]

    def __str__(self) -> str:
        return self.name


class StaffPost(models.Model):
    """A person's role at an office, from a day (inclusive) until a day (exclusive, empty = open). It counts once it is confirmed: at once
    where no money depends on it, else by a second administrator, who neither gave nor gets it (`appointing`)."""

    user = models.ForeignKey(_user, models.PROTECT, related_name="posts")
    office = models.ForeignKey(Office, models.PROTECT, related_name="posts")
    role = models.CharField(_("角色"), max_length=20, choices=Role.staff_choices())
    since = models.DateField(_("任职日期"))
    until = models.DateField(_("离任日期"), null=True, blank=True)
    given_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("岗位")
        verbose_name_plural = _("岗位")
        constraints = [
            models.UniqueConstraint(fields=["user", "office", "role", "since"], name="post_once"),
            models.CheckConstraint(
                name="post_ends_after_start",
                condition=models.Q(until__isnull=True) | models.Q(until__gt=models.F("since")),
            ),
            # What the house itself gives (the first administrators) has no giver.
            models.CheckConstraint(
                name="post_for_money_given_by_two",
                condition=~models.Q(role__in=sorted(WITH_SECOND_FACTOR))
                | models.Q(confirmed_at__isnull=True)
                | models.Q(given_by__isnull=True)
                | models.Q(confirmed_by__isnull=False)
                & ~models.Q(confirmed_by=models.F("given_by"))
                & ~models.Q(confirmed_by=models.F("user")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office} · {self.get_role_display()}"


class FactorDrop(models.Model):
    """Taking away the authenticator of somebody whose telephone is gone: asked for by one administrator, done by another."""

    user = models.ForeignKey(_user, models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(db_default=models.functions.Now())
    done_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("解除动态验证码")
        constraints = [
            models.UniqueConstraint(fields=["user"], name="factor_drop_asked_once", condition=models.Q(done_at__isnull=True)),
            models.CheckConstraint(
                name="factor_dropped_by_two",
                condition=models.Q(done_at__isnull=True)
                | models.Q(done_by__isnull=False) & ~models.Q(done_by=models.F("asked_by")) & ~models.Q(done_by=models.F("user")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.asked_at}"


class Refusal(Scoped):
    """What one administrator asked for and another did not do: said to who asked (`to`), on the first page of the desk, until they have
    read it. `user` is whom it was about; `office` and `role` the post, if it was one."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(offices="", users="to_id")

    class What(models.TextChoices):
        POST = "post", _("任命岗位")
        FACTOR = "factor", _("解除动态验证码")

    to = models.ForeignKey(_user, models.PROTECT, related_name="+")
    what = models.CharField(max_length=8, choices=What)
    user = models.ForeignKey(_user, models.PROTECT, related_name="+", db_index=False)
    office = models.ForeignKey(Office, models.PROTECT, null=True, related_name="+", db_index=False)
    role = models.CharField(max_length=20, choices=Role.staff_choices(), blank=True)
    why = models.CharField(max_length=200)
    by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(db_default=models.functions.Now())
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("没有办成的提请")

    def __str__(self) -> str:
        return f"{self._meta.label_lower} {self.pk}"

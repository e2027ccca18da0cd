"""People: one record per person, however many roles and units they have. Numbers are sealed, beside the hot table."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from unionaid.offices.scope import ScopeBy, Scoped


class Member(Scoped):
    """A person known to the fund: worker, spouse or child. Found by the blind index of the ID number.

    `office_ids` lists every office that has enrolled this person, `unit_ids` every unit that something still binds them to
    (`services.sight`): these may see them.
    `office` is the office responsible now.
    """

    class Gender(models.TextChoices):
        MALE = "male", _("男")
        FEMALE = "female", _("女")

    class Employment(models.TextChoices):
        """The first mission rule's answer; empty = not told yet."""

        ENTERPRISE = "enterprise", _("企业在职职工")
        INSTITUTION = "institution", _("事业单位在职职工（不享受公务员医疗补助）")
        INSTITUTION_SUBSIDISED = "institution_subsidised", _("机关或事业单位（享受公务员医疗补助）")
        RETIRED = "retired", _("已退休")
        NONE = "none", _("目前没有工作单位")

    class InsuranceType(models.TextChoices):
        EMPLOYEE = "employee", _("职工基本医疗保险")
        RESIDENT = "resident", _("城乡居民基本医疗保险")

    scope_by: ClassVar[ScopeBy] = ScopeBy(
        offices="office_ids", units="unit_ids", members=("id", "guardian_id"), users="user_id", arrays=True
    )

    id_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    name = models.CharField(_("姓名"), max_length=60)
    gender = models.CharField(_("性别"), max_length=6, choices=Gender)
    birth_date = models.DateField(_("出生日期"))
    # `db_constraint=False`: looked for once for each statement, not for each person of a roster (migration 0003). Of a roster's people
    # nobody has a log-in or a guardian: the indexes leave them out.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    guardian = models.ForeignKey("self", models.PROTECT, null=True, related_name="wards", db_index=False, db_constraint=False)
    unit = models.ForeignKey("members.WorkUnit", models.PROTECT, null=True, related_name="members", db_constraint=False)
    office = models.ForeignKey("offices.Office", models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)
    office_ids = ArrayField(models.BigIntegerField(), default=list)
    unit_ids = ArrayField(models.BigIntegerField(), default=list)
    employment = models.CharField(_("在职情况"), max_length=24, choices=Employment, blank=True)
    basic_insurance = models.BooleanField(_("参加基本医疗保险"), null=True)
    insurance_type = models.CharField(_("医保种类"), max_length=12, choices=InsuranceType, blank=True)
    union_member = models.BooleanField(_("工会会员"), null=True)
    joined_unit_on = models.DateField(_("入职日期"), null=True, blank=True)
    # What only some plans ask: the first day of retirement, the length of the labour contract (OPEN_ENDED: without end), the union's
    # member card, the class of the work (empty: as the unit's), the staff group (ORDINARY: none of those that plans name; empty: not
    # told).
    retired_on = models.DateField(_("退休日期"), null=True, blank=True)
    contract_months = models.PositiveSmallIntegerField(_("劳动合同期限（月）"), null=True, blank=True)
    card_holder = models.BooleanField(_("持有工会会员卡"), null=True)
    risk = models.CharField(_("工种风险"), max_length=60, blank=True)
    staff_group = models.CharField(_("人员身份"), max_length=60, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    # Since when nothing here says who it is (`claims.payouts.erasing`).
    erased_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("职工")
        verbose_name_plural = _("职工")
        # The desk looks people up by the beginning of their name.
        indexes = [
            models.Index(fields=["name"], name="member_name", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["guardian"], name="member_guardian", condition=Q(guardian__isnull=False)),
        ]
        constraints = [models.UniqueConstraint(fields=["user"], name="member_of_user_once", condition=Q(user__isnull=False))]

    def __str__(self) -> str:
        return self.name


class MemberSecret(Scoped):
    """The person's sealed numbers, each bound to this row; read through `members.services.people` only."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="member")

    # `db_constraint=False`: as `Member.unit`.
    member = models.OneToOneField(Member, models.PROTECT, primary_key=True, related_name="secret", db_constraint=False)
    id_number = models.BinaryField()
    phone = models.BinaryField(null=True)
    phone_hash = models.BinaryField(max_length=32, null=True, db_index=True)

    class Meta:
        verbose_name = _("加密信息")


class IdentityQuestion(Scoped):
    """A worker told of their spouse or child in other words than the ID number is on record with: another name, or a child of another
    guardian. `member` stands for what was told, so that the worker goes on as if nobody were known; `known` has the number. The office
    that sees the papers settles it (`members.services.kin`); until then nothing is claimed under the cover."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="member")

    member = models.OneToOneField(Member, models.PROTECT, primary_key=True, related_name="question")
    known = models.ForeignKey(Member, models.PROTECT, related_name="+")
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("待核实的身份")
        constraints = [
            models.CheckConstraint(name="question_of_two_records", condition=~Q(member=models.F("known"))),
            models.CheckConstraint(name="question_settled_by_somebody", condition=Q(settled_at__isnull=True) | Q(settled_by__isnull=False)),
        ]


class BankCard(Scoped):
    """An account that benefit is paid to. `owner` is the account holder; the number is sealed and bound to this row."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="member")

    member = models.ForeignKey(Member, models.PROTECT, related_name="cards")
    owner_name = models.CharField(_("户名"), max_length=60)
    bank_name = models.CharField(_("开户银行"), max_length=80)
    number = models.BinaryField()
    number_hash = models.BinaryField(max_length=32, db_index=True)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    retired_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("银行账户")
        verbose_name_plural = _("银行账户")


class Consent(Scoped):
    """A separate consent (单独同意, PIPL 29): which text, in which version, when."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="member")

    class Purpose(models.TextChoices):
        SIGN_UP = "sign_up", _("注册与身份核对")
        MEDICAL = "medical", _("申领时处理医疗健康信息")
        HARDSHIP = "hardship", _("申请帮扶时处理家庭和经济情况信息")
        BANK = "bank", _("向银行提供账户信息用于给付")
        MINOR = "minor", _("监护人同意处理未成年人信息")

    member = models.ForeignKey(Member, models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=16, choices=Purpose)
    text_version = models.CharField(max_length=20)
    given_at = models.DateTimeField(db_default=models.functions.Now())
    withdrawn_at = models.DateTimeField(null=True)

"""Work units (参保单位), the agents who act for them, what is asked to be changed, and where units came from and went to."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.transitions import AGENT_CHANGE, UNIT, UNIT_CHANGE
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.web.files import KeptPaper
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL


class WorkUnit(Stateful, OfficeOwned):
    """An employer whose primary trade union enrols its workers; it keeps two codes, the employer's and the union's.

    A draft may still lack most of it. A unit that was merged into another one is closed; `UnitLineage` says where it went.
    """

    class Nature(models.TextChoices):
        ENTERPRISE = "enterprise", _("企业")
        INSTITUTION = "institution", _("事业单位")
        AGENCY = "agency", _("机关")
        OTHER = "other", _("其他")

    class Industry(models.TextChoices):
        """The sections of GB/T 4754-2017."""

        A = "A", _("农、林、牧、渔业")
        B = "B", _("采矿业")
        C = "C", _("制造业")
        D = "D", _("电力、热力、燃气及水生产和供应业")
        E = "E", _("建筑业")
        F = "F", _("批发和零售业")
        G = "G", _("交通运输、仓储和邮政业")
        H = "H", _("住宿和餐饮业")
        I = "I", _("信息传输、软件和信息技术服务业")  # noqa: E741 the letter of the standard
        J = "J", _("金融业")
        K = "K", _("房地产业")
        L = "L", _("租赁和商务服务业")
        M = "M", _("科学研究和技术服务业")
        N = "N", _("水利、环境和公共设施管理业")
        O = "O", _("居民服务、修理和其他服务业")  # noqa: E741 the letter of the standard
        P = "P", _("教育")
        Q = "Q", _("卫生和社会工作")
        R = "R", _("文化、体育和娱乐业")
        S = "S", _("公共管理、社会保障和社会组织")
        T = "T", _("国际组织")

    class Risk(models.TextChoices):
        """The class of the unit's work, for plans whose contribution depends on it; empty = not told."""

        NORMAL = "normal", _("一般工种")
        HIGH = "high", _("高风险工种")

    graph = UNIT
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="id")

    name = models.CharField(_("单位名称"), max_length=120)
    credit_code = models.CharField(_("统一社会信用代码"), max_length=18, blank=True)
    union_credit_code = models.CharField(_("工会统一社会信用代码"), max_length=18, blank=True)
    nature = models.CharField(_("单位性质"), max_length=16, choices=Nature, blank=True)
    civil_servant_subsidy = models.BooleanField(_("享受公务员医疗补助"), default=False)
    industry = models.CharField(_("行业"), max_length=1, choices=Industry, blank=True)
    risk = models.CharField(_("工种风险"), max_length=10, choices=Risk, blank=True)
    headcount = models.PositiveIntegerField(_("在职职工人数"), default=0)
    women_count = models.PositiveIntegerField(_("女职工人数"), default=0)
    state = models.CharField(max_length=24, choices=UNIT.choices(), default=UNIT.initial)
    submitted_at = models.DateTimeField(_("提交时间"), null=True)
    submitted_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("单位")
        verbose_name_plural = _("单位")
        constraints = [
            models.CheckConstraint(name="unit_women_within_headcount", condition=Q(women_count__lte=F("headcount"))),
            # A draft claims no code: whoever holds the stamp registers the unit, not who typed its code first.
            models.UniqueConstraint(name="unit_credit_code_once", fields=["credit_code"], condition=~Q(state="draft")),
            models.CheckConstraint(name="unit_beyond_draft_has_code", condition=Q(state="draft") | ~Q(credit_code="")),
        ]

    def __str__(self) -> str:
        return self.name


class UnitAgent(OfficeOwned):
    """Binds a user to a unit as its agent (经办人), from a day (inclusive) until a day (exclusive, empty = open)."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", users="user_id")

    user = models.ForeignKey(_user, models.PROTECT, related_name="+")
    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="agents")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("经办人")
        verbose_name_plural = _("经办人")


class UnitChange(Stateful, OfficeOwned):
    """What an agent wants to be changed in an approved unit's record. It takes effect when the office approves it; until then
    `values` (by field name) stand beside the values in force. `before` are those in force when it was asked for."""

    graph = UNIT_CHANGE
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id")

    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="changes")
    values = models.JSONField()
    before = models.JSONField()
    reason = models.CharField(_("变更原因"), max_length=500, blank=True)
    state = models.CharField(max_length=24, choices=UNIT_CHANGE.choices(), default=UNIT_CHANGE.initial)
    asked_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("办理时间"), null=True)
    answer = models.CharField(_("办事处的话"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("单位变更")
        verbose_name_plural = _("单位变更")
        constraints = [
            models.UniqueConstraint(name="one_pending_unit_change", fields=["unit"], condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return self.unit.name


class UnitPaper(KeptPaper, Scoped):
    """A paper of a unit's registration (the approval of its union) or of a change of it, sealed in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="unit")

    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="papers")
    change = models.ForeignKey(UnitChange, models.PROTECT, null=True, related_name="papers")
    file = models.FileField(upload_to="units/%Y/")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["unit", "sha256"], name="unit_paper_once")]


class AgentChange(Stateful, OfficeOwned):
    """Someone with a log-in (`user`) asks to become a unit's agent in place of those who are. The office decides over the form
    that the unit has stamped."""

    graph = AGENT_CHANGE
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", users="user_id")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="agent_changes")
    user = models.ForeignKey(_user, models.PROTECT, related_name="+")
    state = models.CharField(max_length=24, choices=AGENT_CHANGE.choices(), default=AGENT_CHANGE.initial)
    asked_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    handed_in_at = models.DateTimeField(_("交表时间"), null=True)
    decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("办理时间"), null=True)
    answer = models.CharField(_("办事处的话"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("更换经办人")
        verbose_name_plural = _("更换经办人")
        constraints = [
            models.UniqueConstraint(
                name="one_open_agent_change_of_a_person", fields=["unit", "user"], condition=Q(state__in=["asked", "submitted"])
            ),
            models.UniqueConstraint(name="one_submitted_agent_change", fields=["unit"], condition=Q(state="submitted")),
        ]

    def __str__(self) -> str:
        return self.unit.name


class AgentPaper(KeptPaper, Scoped):
    """The stamped form of a change of agent, sealed in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="change")

    change = models.ForeignKey(AgentChange, models.PROTECT, related_name="papers")
    file = models.FileField(upload_to="units/%Y/")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["change", "sha256"], name="agent_paper_once")]


class UnitLineage(Scoped):
    """One merger or division (沿革): `from_unit` went into `to_unit` whole, or `to_unit` came out of it with some of its people.

    The job that carries the rows along fills `carried` (what → how many) and, at its end, `finished_at`.
    """

    class Kind(models.TextChoices):
        MERGE = "merge", _("合并")
        SPLIT = "split", _("分立")

    scope_by: ClassVar[ScopeBy] = ScopeBy(offices="office_ids", units="unit_ids", arrays=True)

    kind = models.CharField(_("种类"), max_length=8, choices=Kind)
    from_unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="+")
    to_unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="+")
    office_ids = ArrayField(models.BigIntegerField())
    unit_ids = ArrayField(models.BigIntegerField())
    on = models.DateField(_("生效日期"))
    basis = models.CharField(_("依据"), max_length=300)
    by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("办理时间"), db_default=models.functions.Now())
    carried = models.JSONField(default=dict)
    finished_at = models.DateTimeField(_("转移完成时间"), null=True)

    class Meta:
        verbose_name = _("单位沿革")
        verbose_name_plural = _("单位沿革")
        constraints = [
            models.CheckConstraint(name="lineage_between_two_units", condition=~Q(from_unit=F("to_unit"))),
            models.UniqueConstraint(name="unit_merged_once", fields=["from_unit"], condition=Q(kind="merge")),
            models.UniqueConstraint(name="unit_split_off_once", fields=["to_unit"], condition=Q(kind="split")),
        ]

    def __str__(self) -> str:
        return f"{self.from_unit} → {self.to_unit}"

    def carried_in_all(self) -> int:
        """How many rows were carried."""
        counts: dict[str, Any] = self.carried
        return sum(counts.values())


class LineageMember(Scoped):
    """A person who was chosen to go with a unit that is split off."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="lineage")

    lineage = models.ForeignKey(UnitLineage, models.CASCADE, related_name="people")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lineage", "member"], name="lineage_member_once")]


class CarriedEnrolment(Scoped):
    """An enrolment that a merger or division carried from one unit to the other: what it was before stays known."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="lineage")

    lineage = models.ForeignKey(UnitLineage, models.CASCADE, related_name="enrolments")
    enrolment = models.ForeignKey("members.Enrolment", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lineage", "enrolment"], name="carried_enrolment_once")]

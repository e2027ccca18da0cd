"""Enrolments (参保): who is covered, in which program, on which days; and the rosters that bring them in bulk."""

import uuid
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.people import Member
from members.models.units import WorkUnit
from members.transitions import ENROLMENT, LIVE, RATIO_WAIVER, RATIO_WAIVER_OPEN, ROSTER, ROSTER_GONE
from unionaid.lib.calendar import plus_days
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.web import said
from unionaid.web.files import KeptPaper
from unionaid.workflow.stateful import Stateful


class Roster(Stateful, OfficeOwned):
    """A list of people (花名册) that a unit enrols in one program's terms. One file is taken once per unit and terms."""

    graph = ROSTER
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id")

    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="rosters")
    terms = models.ForeignKey("programs.Terms", models.PROTECT, related_name="+")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    term_months = models.PositiveSmallIntegerField(_("保障时间（月）"), null=True)
    # What the unit set as each person's part of a share, where the plan lets it; none: as the plan says.
    person_fen = models.BigIntegerField(_("每份个人缴（分）"), null=True)
    file = models.FileField(upload_to="rosters/%Y/")
    file_name = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_default=models.functions.Now())
    # The business day for which its lines were judged: on that day alone it may be confirmed.
    checked_on = models.DateField(null=True)
    # What the agent is told about the whole: language → sentences (`web.said`).
    message = models.JSONField(default=dict)
    row_count = models.PositiveIntegerField(default=0)
    good_count = models.PositiveIntegerField(default=0)
    bad_count = models.PositiveIntegerField(default=0)
    total_fen = models.BigIntegerField(default=0)
    # What the unit was when its people were charged, as far as a contribution depends on it.
    unit_risk = models.CharField(max_length=10, blank=True)
    unit_nature = models.CharField(max_length=16, blank=True)
    # How many of the unit's last list are not on this one.
    left_count = models.PositiveIntegerField(default=0)
    # How many of its lines were of people known already when it was checked. Where there were none, all are taken to be new at first.
    known_count = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=24, choices=ROSTER.choices(), default=ROSTER.initial)

    class Meta:
        verbose_name = _("名册")
        verbose_name_plural = _("名册")
        constraints = [
            models.UniqueConstraint(
                name="roster_file_once",
                fields=["unit", "terms", "file_sha256"],
                condition=~Q(state__in=ROSTER_GONE),
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def notes(self) -> list[str]:
        """What is said about the whole, in the language of the page."""
        return said.sentences(self.message)


class RatioWaiver(Stateful, OfficeOwned):
    """The office lets a roster be enrolled although fewer of the unit join than the plan says: one person proposes, another allows."""

    graph = RATIO_WAIVER
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    roster = models.ForeignKey(Roster, models.PROTECT, related_name="waivers")
    reason = models.CharField(_("例外的理由"), max_length=300)
    state = models.CharField(max_length=24, choices=RATIO_WAIVER.choices(), default=RATIO_WAIVER.initial)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("办理时间"), null=True)

    class Meta:
        verbose_name = _("参加人数例外")
        verbose_name_plural = _("参加人数例外")
        constraints = [
            models.UniqueConstraint(name="one_open_ratio_waiver", fields=["roster"], condition=Q(state__in=RATIO_WAIVER_OPEN)),
            models.CheckConstraint(
                name="ratio_waiver_allowed_by_another", condition=~Q(state="allowed") | ~Q(decided_by=models.F("proposed_by"))
            ),
        ]

    def __str__(self) -> str:
        return self.roster.file_name


class RosterRow(Scoped):
    """One line of a roster as staged: what it says (number sealed), and what came of it."""

    class Outcome(models.TextChoices):
        GOOD = "good", _("可以参加")
        BAD = "bad", _("不能参加")
        ENROLLED = "enrolled", _("已登记")

    class Change(models.TextChoices):
        """Against the unit's last list."""

        STAYED = "stayed", _("续保")
        CHANGED = "changed", _("续保，份数有变")
        JOINED = "joined", _("新参加")
        MOVED = "moved", _("从其他单位转来")
        UNFIT = "unfit", _("上期在册，这次不能参加")

    class Doubt(models.TextChoices):
        """What speaks against a line that may be enrolled all the same: the agent knows better."""

        KIN = "kin", _("请确认是本单位职工本人：此人登记过是本单位一名职工的家属。家属不写进名册，由职工本人在网上为其参加。")

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="roster")

    # A line is named by its roster and its place: a number of its own would be an index more, written a hundred thousand times.
    pk = models.CompositePrimaryKey("roster_id", "row_number")
    # `db_constraint=False`: see `Enrolment`. The key serves the roster alone as well.
    roster = models.ForeignKey(Roster, models.CASCADE, related_name="rows", db_index=False, db_constraint=False)
    row_number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    id_masked = models.CharField(max_length=40)
    id_number = models.BinaryField(null=True)
    id_hash = models.BinaryField(max_length=32, null=True)
    phone = models.BinaryField(null=True)
    phone_hash = models.BinaryField(max_length=32, null=True)
    gender = models.CharField(max_length=6, blank=True)
    birth_date = models.DateField(null=True)
    shares = models.PositiveSmallIntegerField(default=1)
    facts = models.JSONField(default=dict)
    outcome = models.CharField(max_length=10, choices=Outcome)
    reasons = models.JSONField(default=dict)
    problem = models.CharField(max_length=12, blank=True)
    change = models.CharField(max_length=8, choices=Change, blank=True)
    doubt = models.CharField(max_length=8, choices=Doubt, blank=True)
    fee_fen = models.BigIntegerField(default=0)
    # The number that the person gets if nobody knows them yet: what is sealed here is sealed for that record. Once the line is
    # enrolled, the person's number.
    member_key = models.BigIntegerField(null=True)

    @property
    def why(self) -> str:
        """Why the line cannot be enrolled, in the language of the page."""
        return said.line(self.reasons)


class RosterSheet(Scoped):
    """The sheet of the lines that are not enrolled, with their reasons in one language."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="roster")

    roster = models.ForeignKey(Roster, models.CASCADE, related_name="sheets", db_index=False)
    language = models.CharField(max_length=10)
    file = models.FileField(upload_to="rosters/%Y/")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["roster", "language"], name="roster_sheet_once")]


class Enrolment(Stateful, OfficeOwned):
    """One person × one program × one stretch of days (人次). `cover` is half-open; the person through whom a spouse or
    child joins is the `holder`. Narrow on purpose: tens of millions of rows.

    `db_constraint=False`: the database looks for what a row names (person, unit, office, plan, roster) set by set, once for each
    statement (migration 0003), not once for each of a roster's hundred thousand rows."""

    class Relation(models.TextChoices):
        SELF = "self", _("本人")
        SPOUSE = "spouse", _("配偶")
        MINOR_CHILD = "minor_child", _("未成年子女")

    graph = ENROLMENT
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", members=("member_id", "holder_id"))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Read by office and program together (below); by the office alone as well.
    office = models.ForeignKey("offices.Office", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="enrolments", db_constraint=False)
    holder = models.ForeignKey(Member, models.PROTECT, related_name="+", db_constraint=False)
    relation = models.CharField(max_length=12, choices=Relation, default=Relation.SELF)
    unit = models.ForeignKey(WorkUnit, models.PROTECT, null=True, related_name="enrolments", db_constraint=False)
    # Few programs and terms, many enrolments: an index by them alone would be read by nobody and written by every joining.
    program = models.ForeignKey("programs.Program", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    terms = models.ForeignKey("programs.Terms", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    roster = models.ForeignKey(Roster, models.PROTECT, null=True, related_name="enrolments", db_constraint=False)
    shares = models.PositiveSmallIntegerField(_("份数"))
    cover = DateRangeField(_("保障期"))
    # The length of cover that was chosen or is the only one; none where cover simply ends with the period.
    term_months = models.PositiveSmallIntegerField(_("保障时间（月）"), null=True)
    # The first day of cover as a column of its own: behind row security an index cannot answer for lower(cover).
    starts_on = models.GeneratedField(
        expression=models.Func("cover", function="lower"), output_field=models.DateField(), db_persist=True
    )
    waiting_until = models.DateField(_("等待期至"), null=True)
    waiting_waived = models.BooleanField(default=False)
    # How many days before it began the person's last paid cover in the program had ended; none for the first one.
    days_since_cover = models.PositiveIntegerField(null=True)
    first_time = models.BooleanField(default=True)
    contribution_fen = models.BigIntegerField(_("互助费（分）"))
    # The contribution is a principal: it goes back to its payer when cover is over. Since when it may, once it may.
    refundable = models.BooleanField(default=False)
    principal_back_on = models.DateField(null=True)
    state = models.CharField(max_length=24, choices=ENROLMENT.choices(), default=ENROLMENT.initial)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("参加记录")
        verbose_name_plural = _("参加记录")
        indexes = [
            models.Index(fields=["office", "program", "starts_on"], name="enrolment_office_program"),
            # Written once for many rows: a joining of a hundred thousand does not feel it.
            BrinIndex(fields=["created_at"], name="enrolment_made_lately", pages_per_range=32, autosummarize=True),
            models.Index(fields=["id"], name="enrolment_principal_held", condition=Q(refundable=True, principal_back_on__isnull=True)),
        ]
        constraints = [
            ExclusionConstraint(
                name="cover_never_overlaps",
                expressions=[
                    ("member", RangeOperators.EQUAL),
                    ("program", RangeOperators.EQUAL),
                    ("cover", RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=LIVE),
            ),
            models.CheckConstraint(name="cover_not_empty", condition=Q(cover__isempty=False)),
            models.CheckConstraint(name="enrolment_has_shares", condition=Q(shares__gte=1)),
            models.CheckConstraint(
                name="enrolment_contribution_sane",
                condition=Q(contribution_fen__gte=0) & Q(contribution_fen__lt=10**12),
            ),
        ]

    @property
    def ends_before(self) -> date:
        """The first day without cover."""
        return self.cover.upper

    @property
    def last_day(self) -> date:
        """The last day with cover."""
        return plus_days(self.ends_before, -1)


class Evidence(KeptPaper, Scoped):
    """A paper that shows eligibility (contract, insurance record, union card), sealed in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="enrolment")

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=30)
    file = models.FileField(upload_to="evidence/%Y/")


class JoinDraft(Scoped):
    """A joining that is being filled in: which terms, for whom, how many shares. Waits until it is sent in, on any device."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(offices="", members=("holder_id",))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    holder = models.ForeignKey(Member, models.CASCADE, related_name="join_drafts")
    terms = models.ForeignKey("programs.Terms", models.CASCADE, related_name="+")
    relation = models.CharField(max_length=12, choices=Enrolment.Relation, default=Enrolment.Relation.SELF)
    member = models.ForeignKey(Member, models.CASCADE, null=True, related_name="+")
    shares = models.PositiveSmallIntegerField(default=1)
    term_months = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holder", "terms"], name="join_draft_once")]


class JoinPaper(KeptPaper, Scoped):
    """A paper of a draft; it becomes `Evidence` when the draft is sent in."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="draft")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(JoinDraft, models.CASCADE, related_name="papers")
    kind = models.CharField(max_length=30)
    file = models.FileField(upload_to="evidence/%Y/")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["draft", "sha256"], name="join_paper_once")]

"""Applications for benefit (申领), the stays in hospital they tell of, and their papers."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from claims.transitions import CLAIM, DECIDABLE, GRANTED, IN_PAYMENT
from unionaid.ledger.accounts import Fund
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.web.files import KeptPaper
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL
# Nothing waits there: the queues' indexes leave these rows, by far the most, out.
ENDED = ("draft", "paid", "rejected", "withdrawn", "replaced", "halted", "recovered")
_ON_ITS_WAY = Q(state__in=IN_PAYMENT) & ~Q(state="paid", put_away=True)


def apart(name: str, one: str, other: str) -> models.CheckConstraint:
    """Two acts were not the same person's, where both are known."""
    either_unknown = Q(**{f"{one}__isnull": True}) | Q(**{f"{other}__isnull": True})
    return models.CheckConstraint(name=name, condition=either_unknown | ~Q(**{one: F(other)}))


class BareName(models.Func):
    """A name without what people write in many ways."""

    template = r"left(upper(regexp_replace(normalize(%(expressions)s, NFKC), '[-[:space:]().,·•_]', '', 'g')), 120)"
    output_field = models.CharField()


class Claim(Stateful, OfficeOwned):
    """One event of one member under one enrolment. Responsible is the office of the enrolment, whatever came after."""

    class Event(models.TextChoices):
        ADMISSION = "admission", _("住院")
        OUTPATIENT = "outpatient", _("门诊")
        DIAGNOSIS = "diagnosis", _("确诊重大疾病或女工特殊疾病")
        SURGERY = "surgery", _("女工手术")
        ACCIDENT_DISABILITY = "accident_disability", _("意外伤残")
        ACCIDENT_DEATH = "accident_death", _("意外身故")
        DISEASE_DEATH = "disease_death", _("疾病身故")
        HARDSHIP = "hardship", _("困难申请")

    class FiledAs(models.TextChoices):
        """In which capacity somebody other than the claimant filled it in (代办)."""

        FAMILY = "family", _("家人")
        UNIT_AGENT = "unit_agent", _("单位经办人")
        DESK = "desk", _("办事处")

    class Heir(models.TextChoices):
        """What an heir (继承人) who claims is to the person who died."""

        SPOUSE = "spouse", _("配偶")
        CHILD = "child", _("子女")
        PARENT = "parent", _("父母")
        SIBLING = "sibling", _("兄弟姐妹")
        GRANDPARENT = "grandparent", _("祖父母或外祖父母")
        OTHER = "other", _("其他继承人")

    graph = CLAIM
    since_column = "since"
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", members=("member_id", "claimant_id", "kin_id"))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(_("申领编号"), max_length=24, unique=True)
    # Looked up by the indexes below; those who acted are looked up by nobody. Each index is written at every step of every claim.
    office = models.ForeignKey("offices.Office", models.PROTECT, related_name="+", db_index=False)
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="claims", db_index=False)
    claimant = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    unit = models.ForeignKey("members.WorkUnit", models.PROTECT, null=True, related_name="+")
    enrolment = models.ForeignKey("members.Enrolment", models.PROTECT, related_name="claims")
    program = models.ForeignKey("programs.Program", models.PROTECT, related_name="+")
    terms = models.ForeignKey("programs.Terms", models.PROTECT, related_name="+")
    fund = models.CharField(_("资金"), max_length=16, choices=Fund.choices, default=Fund.MUTUAL_AID)
    event = models.CharField(_("事由"), max_length=24, choices=Event)
    # What was told once as one event (一件事) has one occasion, under however many plans it is claimed; so has a correction of it.
    occasion = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    # Which of the plan's last days to claim holds (childbirth; default: none of the named kinds); empty: nobody has told.
    event_kind = models.CharField(_("申领期限按哪一种"), max_length=60, blank=True)
    event_on = models.DateField(_("事发日期"), null=True)
    happened = models.TextField(_("经过"), blank=True)
    hospital = models.CharField(_("医院"), max_length=120, blank=True)
    # The name as it is compared: full width, blanks, brackets, dashes and dots make no other hospital.
    hospital_key = models.GeneratedField(expression=BareName("hospital"), output_field=models.CharField(max_length=120), db_persist=True)
    diagnosis = models.CharField(_("诊断"), max_length=200, blank=True)
    diagnosis_code = models.CharField(_("疾病编码"), max_length=20, blank=True)
    diagnosis_class = models.CharField(_("给付类别"), max_length=60, blank=True)
    disability_grade = models.PositiveSmallIntegerField(_("伤残等级"), null=True)
    accident_on = models.DateField(_("意外发生日期"), null=True)
    death_on = models.DateField(_("身故日期"), null=True)
    # What other funds and donors gave for the same costs; null: nobody has been asked.
    other_aid_fen = models.BigIntegerField(_("其他渠道已给的补助"), null=True)
    # The plan's exclusions that review found to hold, by their codes.
    circumstances = ArrayField(models.CharField(max_length=60), default=list)
    # The figures that the plan asks for (`Ask`) as they were declared: by code, as texts (yuan with two decimals, or whole numbers).
    declared = models.JSONField(_("申报的数"), default=dict, db_default={})
    # Who began it on the claimant's behalf; all empty where the claimant did. `kin`: the relative as a person, who sees it as well;
    # `relation`: what they are to the claimant. What the claimant says of it: agrees, or did not want it.
    filed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    # At the desk: the colleague who filled it in before. Both had a hand in it and decide nothing on it.
    filed_before_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    filed_as = models.CharField(_("由谁代办"), max_length=12, choices=FiledAs, blank=True)
    kin = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="+", db_index=False)
    relation = models.CharField(_("代办人是申领人的"), max_length=12, blank=True)
    # Of a claim after a death: what the claimant is to the one who died; the desk takes it in, with the proof of it. Else empty.
    heir = models.CharField(_("申领人是逝者的"), max_length=12, choices=Heir, blank=True)
    agreed_at = models.DateTimeField(_("申领人同意代办的时间"), null=True)
    objected_at = models.DateTimeField(_("申领人对代办提出异议的时间"), null=True)
    card = models.ForeignKey("members.BankCard", models.PROTECT, null=True, related_name="+")
    # The first day on which it may be paid, where the account was changed after the decision (`services.accounts`).
    payable_on = models.DateField(_("账户改过，从这天起可以发放"), null=True)
    state = models.CharField(max_length=24, choices=CLAIM.choices(), default=CLAIM.initial)
    since = models.DateTimeField(_("进入本步的时间"), null=True)
    # What the indexes know of a claim instead of `state` and `since`: all the way from its approval to its money it is one stage, so that
    # a batch's steps, which move a hundred thousand claims at once, write no index. Elsewhere they are the same. A claim that was paid
    # is put away (`services.putting_away`) some time after.
    put_away = models.BooleanField(default=False, db_default=False)
    stage = models.GeneratedField(
        expression=Case(When(_ON_ITS_WAY, then=Value(IN_PAYMENT[0])), default=F("state")),
        output_field=models.CharField(max_length=24),
        db_persist=True,
    )
    stage_since = models.GeneratedField(
        expression=Case(When(_ON_ITS_WAY, then=F("approved_at")), default=F("since")),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )
    # Until which change of state the claimant has been told (`services.news`).
    told_since = models.DateTimeField(null=True)
    # Handed to one reviewer (`services.handing`): theirs while the state is still this one and the time has not run out.
    held_by = models.ForeignKey(_user, models.SET_NULL, null=True, related_name="+", db_index=False)
    held_until = models.DateTimeField(null=True)
    held_state = models.CharField(max_length=24, blank=True)
    message = models.TextField(_("给申领人的话"), blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_clause = models.CharField(max_length=60, blank=True)
    # What the rules gave when the claim was last screened; the queue is read by it. Approval counts anew.
    estimated_fen = models.BigIntegerField(_("试算金额（分）"), null=True)
    approved_fen = models.BigIntegerField(_("核定金额（分）"), null=True)
    # A correction is a claim of its own: what it corrects stays as it was decided, and only the difference is paid.
    corrects = models.ForeignKey("self", models.PROTECT, null=True, db_index=False, related_name="corrections")
    # Relief that was opened by rule: the benefit claim that it follows from.
    follows = models.ForeignKey("self", models.PROTECT, null=True, db_index=False, related_name="followed_by")
    # The day that counts for the time to claim, where it is not the day of `submitted_at`: that of the claim which is corrected.
    claimed_on = models.DateField(null=True)
    earlier_reviewed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    earlier_decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    # While the claimant is asked for something the office's time stands still: since when, and for how many days so far.
    stopped_at = models.DateTimeField(null=True)
    stood_days = models.PositiveIntegerField(default=0)
    # Working days that the step it was returned from had used by then: they stay used when the claim comes back.
    step_days = models.PositiveSmallIntegerField(default=0)
    unit_due_on = models.DateField(null=True)
    # A payment that is held because the decision may be wrong (停付): why, by which clause, and where the claim stood before.
    halt_reason = models.TextField(_("停付的原因"), blank=True)
    halt_clause = models.CharField(max_length=60, blank=True)
    halted_from = models.CharField(max_length=24, blank=True)
    notice_from = models.DateField(_("公示开始"), null=True)
    notice_until = models.DateField(_("公示最后一天"), null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    unit_reviewed_at = models.DateTimeField(null=True)
    unit_reviewed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    rejected_at = models.DateTimeField(null=True)
    rejected_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    halt_proposed_at = models.DateTimeField(null=True)
    halt_proposed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    halted_at = models.DateTimeField(null=True)
    halted_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+", db_index=False)
    # The day on which a held payment was let go: what was decided stands from then on, and may be appealed as from its first day.
    resumed_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("申领")
        verbose_name_plural = _("申领")
        indexes = [
            models.Index(fields=["office", "stage", "stage_since", "id"], name="claim_queue", condition=~Q(stage__in=ENDED)),
            models.Index(fields=["stage", "stage_since", "id"], name="claim_queue_all", condition=~Q(stage__in=ENDED)),
            models.Index(
                # With all that scope, policy and filters of the queue ask: whoever looks at many offices reads it alone, in its order.
                fields=["stage_since", "id"],
                include=["stage", "office", "unit", "member", "claimant", "kin", "estimated_fen"],
                name="claim_waiting",
                condition=Q(stage__in=DECIDABLE),
            ),
            # What may be paid, the highest amounts first, as batches take it.
            models.Index(
                fields=["office", "fund", "-approved_fen", "id"], name="claim_to_be_paid", condition=Q(stage=IN_PAYMENT[0])
            ),
            models.Index(fields=["office", "id"], name="claim_office"),
            models.Index(fields=["office", "stage", "id"], name="claim_office_ended", condition=Q(stage__in=ENDED)),
            models.Index(fields=["event", "id"], name="claim_event"),
            models.Index(fields=["member", "program"], name="claim_member_program"),
            models.Index(fields=["office", "approved_at"], name="claim_office_approved"),
            models.Index(fields=["office", "hospital_key"], name="claim_office_hospital", condition=~Q(hospital_key="")),
            models.Index(fields=["kin"], name="claim_kin", condition=Q(kin__isnull=False)),
            models.Index(fields=["filed_by", "id"], name="claim_filed_by", condition=Q(filed_by__isnull=False)),
            models.Index(fields=["corrects"], name="claim_corrections", condition=Q(corrects__isnull=False)),
            models.Index(fields=["follows"], name="claim_following", condition=Q(follows__isnull=False)),
            models.Index(fields=["notice_until", "id"], name="claim_on_notice", condition=Q(stage="on_notice")),
            # News is of the last days: of each few pages this tells the latest move, and a move need not write it.
            BrinIndex(fields=["since"], name="claim_moved_lately", pages_per_range=8, autosummarize=True),
            models.Index(fields=["unit", "id"], name="claim_at_unit", condition=Q(stage="unit_review")),
        ]
        constraints = [
            models.CheckConstraint(
                name="claim_amount_sane",
                condition=Q(approved_fen__isnull=True) | Q(approved_fen__gte=0) & Q(approved_fen__lt=10**12),
            ),
            models.CheckConstraint(
                name="claim_other_aid_sane",
                condition=Q(other_aid_fen__isnull=True) | Q(other_aid_fen__gte=0) & Q(other_aid_fen__lt=10**12),
            ),
            models.CheckConstraint(
                name="claim_paid_has_amount",
                condition=~Q(state__in=GRANTED) | Q(approved_fen__gt=0),
            ),
            models.CheckConstraint(
                name="claim_notice_has_days",
                condition=~Q(state="on_notice") | Q(notice_from__isnull=False, notice_until__gte=F("notice_from")),
            ),
            models.CheckConstraint(
                name="claim_stands_still_while_asked",
                condition=~Q(state="supplement_requested") | Q(stopped_at__isnull=False),
            ),
            models.CheckConstraint(
                name="claim_rejected_with_a_reason",
                condition=~Q(state="rejected") | ~Q(reason_code=""),
            ),
            models.CheckConstraint(
                name="claim_held_with_a_reason",
                condition=~Q(state__in=["halt_proposed", "halted"]) | ~Q(halt_reason="") & ~Q(halted_from=""),
            ),
            models.CheckConstraint(
                name="claim_halted_by_somebody",
                condition=~Q(state="halted")
                | Q(halted_by__isnull=False) & (Q(halt_proposed_by__isnull=False) | ~Q(fund=Fund.MUTUAL_AID)),
            ),
            models.UniqueConstraint(
                name="claim_corrected_once_at_a_time",
                fields=["corrects"],
                condition=Q(corrects__isnull=False) & ~Q(stage__in=["rejected", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="claim_filed_in_one_capacity",
                condition=Q(filed_as="", filed_by__isnull=True, kin__isnull=True)
                | Q(filed_as="family", filed_by__isnull=False, kin__isnull=False)
                | Q(filed_as__in=["unit_agent", "desk"], filed_by__isnull=False, kin__isnull=True),
            ),
            models.UniqueConstraint(
                name="claim_follows_once", fields=["occasion", "program"], condition=Q(follows__isnull=False) & ~Q(stage="withdrawn")
            ),
            models.CheckConstraint(
                name="claim_of_heir_at_the_desk", condition=Q(heir="") | Q(filed_as="desk") & ~Q(member=F("claimant"))
            ),
            models.CheckConstraint(
                name="claim_agreed_or_objected", condition=Q(agreed_at__isnull=True) | Q(objected_at__isnull=True)
            ),
            models.CheckConstraint(
                name="claim_taken_over_at_the_desk", condition=Q(filed_before_by__isnull=True) | Q(filed_as="desk")
            ),
            apart("claim_earlier_filer_is_not_filer", "filed_before_by", "filed_by"),
            apart("claim_earlier_filer_is_not_agent", "unit_reviewed_by", "filed_before_by"),
            apart("claim_earlier_filer_is_not_reviewer", "reviewed_by", "filed_before_by"),
            apart("claim_earlier_filer_is_not_approver", "approved_by", "filed_before_by"),
            apart("claim_earlier_filer_is_not_rejecter", "rejected_by", "filed_before_by"),
            apart("claim_filer_is_not_agent", "unit_reviewed_by", "filed_by"),
            apart("claim_filer_is_not_reviewer", "reviewed_by", "filed_by"),
            apart("claim_filer_is_not_approver", "approved_by", "filed_by"),
            apart("claim_filer_is_not_rejecter", "rejected_by", "filed_by"),
            apart("claim_reviewer_is_not_approver", "approved_by", "reviewed_by"),
            apart("claim_submitter_is_not_reviewer", "reviewed_by", "submitted_by"),
            apart("claim_submitter_is_not_approver", "approved_by", "submitted_by"),
            apart("claim_submitter_is_not_rejecter", "rejected_by", "submitted_by"),
            apart("claim_submitter_is_not_agent", "unit_reviewed_by", "submitted_by"),
            apart("claim_agent_is_not_reviewer", "reviewed_by", "unit_reviewed_by"),
            apart("claim_agent_is_not_approver", "approved_by", "unit_reviewed_by"),
            apart("claim_halted_by_two", "halted_by", "halt_proposed_by"),
            apart("claim_another_reviewer_reviews", "reviewed_by", "earlier_reviewed_by"),
            apart("claim_another_decider_reviews", "reviewed_by", "earlier_decided_by"),
            apart("claim_another_reviewer_approves", "approved_by", "earlier_reviewed_by"),
            apart("claim_another_decider_approves", "approved_by", "earlier_decided_by"),
        ]

    def __str__(self) -> str:
        return self.number


class Admission(Scoped):
    """One stay in hospital or one outpatient settlement, with the national settlement fields in fen (医保结算清单)."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="claim")

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="admissions")
    admitted_on = models.DateField(_("入院日期"))
    discharged_on = models.DateField(_("出院日期"))
    # 1 to 3; null: nobody has told. Each stay has a hospital of its own.
    hospital_grade = models.PositiveSmallIntegerField(_("医院等级"), null=True)
    setl_id = models.CharField(_("结算编号"), max_length=40, blank=True)
    invoice_number = models.CharField(_("票据号码"), max_length=40, blank=True)
    medfee_sumamt_fen = models.BigIntegerField(_("医疗费总额"))
    fulamt_ownpay_amt_fen = models.BigIntegerField(_("全自费金额"), default=0)
    overlmt_selfpay_fen = models.BigIntegerField(_("超限价自费"), default=0)
    preselfpay_amt_fen = models.BigIntegerField(_("先行自付"), default=0)
    inscp_scp_amt_fen = models.BigIntegerField(_("符合政策范围金额"), default=0)
    act_pay_dedc_fen = models.BigIntegerField(_("实际支付起付线"), default=0)
    hifp_pay_fen = models.BigIntegerField(_("基本统筹基金支出"), default=0)
    cvlserv_pay_fen = models.BigIntegerField(_("公务员医疗补助"), default=0)
    hifob_pay_fen = models.BigIntegerField(_("职工大额补助"), default=0)
    hifmi_pay_fen = models.BigIntegerField(_("居民大病保险支出"), default=0)
    hifes_pay_fen = models.BigIntegerField(_("企业补充医疗支出"), default=0)
    maf_pay_fen = models.BigIntegerField(_("医疗救助支出"), default=0)
    oth_pay_fen = models.BigIntegerField(_("其他支付"), default=0)
    fund_pay_sumamt_fen = models.BigIntegerField(_("基金支付总额"), default=0)
    acct_pay_fen = models.BigIntegerField(_("个人账户支出"), default=0)
    acct_mulaid_pay_fen = models.BigIntegerField(_("个人账户共济支付"), default=0)
    psn_cash_pay_fen = models.BigIntegerField(_("个人现金支出"), default=0)
    psn_part_amt_fen = models.BigIntegerField(_("个人负担总额"), default=0)
    hosp_part_amt_fen = models.BigIntegerField(_("医院负担"), default=0)

    class Meta:
        verbose_name = _("住院或门诊结算")
        ordering = ["admitted_on", "id"]
        indexes = [
            models.Index(fields=["invoice_number"], name="admission_invoice", condition=~Q(invoice_number="")),
            models.Index(fields=["setl_id"], name="admission_settlement", condition=~Q(setl_id="")),
        ]
        constraints = [
            models.CheckConstraint(
                name="admission_days_in_order", condition=Q(discharged_on__gte=F("admitted_on"))
            ),
            models.CheckConstraint(
                name="admission_grade_known", condition=Q(hospital_grade__isnull=True) | Q(hospital_grade__range=(1, 3))
            ),
            models.CheckConstraint(
                name="admission_amounts_sane",
                condition=Q(medfee_sumamt_fen__gte=0)
                & Q(medfee_sumamt_fen__lt=10**12)
                & Q(psn_part_amt_fen__gte=0)
                & Q(psn_part_amt_fen__lte=F("medfee_sumamt_fen")),
            ),
        ]


class ClaimDocument(KeptPaper, Scoped):
    """A paper of a claim, sealed in the document store; `sha256` is of the bytes as they were sent, before they were cleaned."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="claim")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=40)
    file = models.FileField(upload_to="claims/%Y/%m/")
    byte_count = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    uploaded_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("申领材料")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["claim", "sha256"], name="claim_document_once")]

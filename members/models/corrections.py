"""Corrections (资料更正) of what is recorded of a person: asked for with a photo as evidence, decided by the office."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.people import Member
from members.models.units import WorkUnit
from members.transitions import CORRECTION
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.web.files import KeptPaper
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL


class Correction(Stateful, OfficeOwned):
    """What is wrong in a person's record and what is right: name, ID number (sealed), birth date; empty = not asked for.

    `before` is what stood there when it was asked for (the number masked); the number that was replaced is kept sealed. `unit` is
    the unit whose agent asked; empty when the person did.
    """

    graph = CORRECTION
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", members=("member_id",))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="corrections")
    unit = models.ForeignKey(WorkUnit, models.PROTECT, null=True, related_name="+")
    name = models.CharField(_("姓名"), max_length=60, blank=True)
    id_number = models.BinaryField(null=True)
    id_hash = models.BinaryField(max_length=32, null=True)
    id_masked = models.CharField(max_length=40, blank=True)
    birth_date = models.DateField(_("出生日期"), null=True)
    before = models.JSONField()
    id_number_before = models.BinaryField(null=True)
    # The blind index of the number that was replaced: an old list that still has it must not make a second person.
    id_hash_before = models.BinaryField(max_length=32, null=True)
    reason = models.CharField(_("说明"), max_length=300, blank=True)
    state = models.CharField(max_length=24, choices=CORRECTION.choices(), default=CORRECTION.initial)
    asked_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("办理时间"), null=True)
    answer = models.CharField(_("办事处的话"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("资料更正")
        verbose_name_plural = _("资料更正")
        indexes = [models.Index(fields=["id_hash_before"], name="correction_number_before", condition=Q(id_hash_before__isnull=False))]
        constraints = [
            models.UniqueConstraint(name="one_open_correction", fields=["member"], condition=Q(state="asked")),
            models.CheckConstraint(
                name="correction_of_something", condition=~Q(name="") | Q(id_hash__isnull=False) | Q(birth_date__isnull=False)
            ),
            models.CheckConstraint(
                name="correction_decided_by_another", condition=Q(decided_by__isnull=True) | ~Q(decided_by=models.F("asked_by"))
            ),
        ]

    def __str__(self) -> str:
        return str(self.before.get("name", ""))


class CorrectionPaper(KeptPaper, Scoped):
    """A photo that shows what is right (ID card, household register), sealed in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="correction")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    correction = models.ForeignKey(Correction, models.PROTECT, related_name="papers")
    file = models.FileField(upload_to="corrections/%Y/")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["correction", "sha256"], name="correction_paper_once")]

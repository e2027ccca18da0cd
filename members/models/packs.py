"""Certificate packs (凭证包): the certificates of a unit's people in one program's terms, made in parts and kept for a day."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.units import WorkUnit
from members.transitions import PACK
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.workflow.stateful import Stateful


class CertificatePack(Stateful, OfficeOwned):
    """One asking for all certificates of a unit in one program's terms. `address` is where the codes on them lead to; until
    `expires_at` it can be downloaded. One is made at a time."""

    graph = PACK
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="packs")
    terms = models.ForeignKey("programs.Terms", models.PROTECT, related_name="+")
    address = models.CharField(max_length=200)
    people_count = models.PositiveIntegerField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=models.functions.Now())
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=24, choices=PACK.choices(), default=PACK.initial)

    class Meta:
        verbose_name = _("凭证包")
        verbose_name_plural = _("凭证包")
        constraints = [
            models.UniqueConstraint(name="pack_one_at_a_time", fields=["unit", "terms"], condition=Q(state="making")),
        ]

    def __str__(self) -> str:
        return f"{self._meta.label_lower} {self.pk}"


class PackPart(Scoped):
    """A part of a pack: the certificates of so many people up to one enrolment, as a zip file in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="pack")

    pack = models.ForeignKey(CertificatePack, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    people_count = models.PositiveIntegerField()
    last_enrolment = models.BigIntegerField()
    file = models.FileField(upload_to="packs/%Y/")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["pack", "number"], name="pack_part_once")]

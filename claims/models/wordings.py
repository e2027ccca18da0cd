"""The texts a reviewer begins with: why nothing is paid, and what is asked for. No secrets: the offices below use them too."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Wording(models.Model):
    """A text of one office and those below it, or (without an office) of the whole country (全国统一). Retired, never deleted."""

    office = models.ForeignKey("offices.Office", models.PROTECT, null=True, related_name="+")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def said(self, name: str) -> str:
        """This column in the reader's language; in Chinese where nobody has put it in English."""
        english = getattr(self, f"{name}_en") if (get_language() or "").startswith("en") else ""
        return str(english or getattr(self, name))

    @property
    def shown_title(self) -> str:
        return self.said("title")

    @property
    def shown_text(self) -> str:
        return self.said("text")


class RejectionReason(Wording):
    """Why a claim gets no benefit (不予给付的原因): `title` is what claimant and staff read, `text` begins the explanation to the
    claimant. From its first use on (`used_at`) it stays as it is (the database holds it so): what a claimant was told never changes."""

    STAYS: ClassVar = ("title", "title_en", "text", "text_en", "needs_clause", "by_rules")

    code = models.CharField(_("编码"), max_length=40, unique=True)
    title = models.CharField(_("原因"), max_length=40)
    title_en = models.CharField(_("原因（英文）"), max_length=100)
    text = models.CharField(_("说明"), max_length=300)
    text_en = models.CharField(_("说明（英文）"), max_length=500)
    needs_clause = models.BooleanField(_("要写明依据的条款"), default=True)
    # It follows from the terms, so that other terms might have paid: a rehearsal reckons such claims anew.
    by_rules = models.BooleanField(_("按条款本身就不给付"), default=False)
    # False: nobody chooses it, it follows from another act.
    is_offered = models.BooleanField(default=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("不予给付的原因")
        verbose_name_plural = _("不予给付的原因")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.title


class Letter(Wording):
    """A text that supplement letters begin with (补件模板); who sends one edits it."""

    class About(models.TextChoices):
        ANY = "", _("所有申领")
        ILLNESS = "illness", _("伤病申领")
        HARDSHIP = "hardship", _("困难申请")

    about = models.CharField(_("用于"), max_length=10, choices=About, blank=True)
    title = models.CharField(_("名称"), max_length=40)
    title_en = models.CharField(_("名称（英文）"), max_length=100, blank=True)
    text = models.TextField(_("正文"), max_length=500)
    text_en = models.TextField(_("正文（英文）"), max_length=800, blank=True)

    class Meta:
        verbose_name = _("补件模板")
        verbose_name_plural = _("补件模板")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["office", "title"], condition=Q(retired_at__isnull=True), name="letter_title_once"),
            models.UniqueConstraint(
                fields=["title"], condition=Q(office__isnull=True, retired_at__isnull=True), name="national_letter_title_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title

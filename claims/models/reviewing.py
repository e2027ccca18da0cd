"""What reviewers write beside a claim."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from claims.models.claims import Claim
from unionaid.offices.scope import OfficeOwned

_user = settings.AUTH_USER_MODEL


class ClaimNote(OfficeOwned):
    """A note for colleagues on a claim (内部备注): never changed, and the staff's alone."""

    append_only = True

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="notes")
    by = models.ForeignKey(_user, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())
    text = models.CharField(_("备注"), max_length=500)

    class Meta:
        verbose_name = _("内部备注")
        ordering = ["id"]

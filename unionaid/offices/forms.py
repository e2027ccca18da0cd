"""Forms about one of the offices that whoever fills them in may act for."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from unionaid.offices.models import Office


class OfficeField(forms.ChoiceField):
    """One of the offices listed."""

    default_error_messages: ClassVar[dict[str, str | Promise]] = {"required": _("请选择机构"), "invalid_choice": _("请选择列出的机构")}


class OfficesForm(forms.Form):
    """Lists these offices."""

    office = OfficeField(label=_("机构"))

    def __init__(self, *args: Any, offices: Sequence[Office], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = [(office.pk, office.name) for office in offices]  # type: ignore[attr-defined]

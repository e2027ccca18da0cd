"""Forms that ask a person one thing at a time, and take a service's refusal as kindly as their own."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from unionaid.lib.calendar import today
from unionaid.web.fields import DayField

Text = str | Promise


def sent(request: HttpRequest) -> tuple[Any, Any]:
    """What a form is filled in with: the answers and files that were sent, none where nothing was sent; an empty form counts as sent."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


class AskForm(forms.Form):
    """A form that shows a service's refusal at the field it is about, or on top."""

    use_required_attribute = False
    status = 400  # of the page that shows what is wrong; a service's refusal may say another

    def refuse(self, message: str, field: str = "") -> None:
        self.add_error(field if field in self.fields else None, ValidationError(message))


class KeyedForm(AskForm):
    """A form with a key of its own: sent twice it has one effect (`workflow.requests.once`)."""

    key = forms.CharField(
        label=_("这个页面"), max_length=64, widget=forms.HiddenInput(),
        error_messages={"required": _("已经过期，请刷新后再提交"), "max_length": _("已经过期，请刷新后再提交")},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4().hex


class PastDayField(DayField):
    """A day that has come already."""

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if isinstance(day, date) and day > today():
            raise ValidationError(_("日期不能在今天之后，请核对。"), code="future")
        return day or None


class ChoiceForm(AskForm):
    """One question with a few answers."""

    answer = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, data: Any, *, label: Text, choices: Sequence[tuple[str, Text]], help_text: Text = "", **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field = self.fields["answer"]
        field.label, field.choices, field.help_text = label, choices, help_text  # type: ignore[attr-defined]
        field.error_messages |= {"required": _("请选择一项"), "invalid_choice": _("请在下面选择一项")}


def pages(folder: str) -> Callable[..., HttpResponse]:
    """How a room shows its pages: a template of `folder`, with 400 (or what the refusal says) when the page's form is wrong."""

    def show(request: HttpRequest, template: str, form: AskForm | None = None, **context: Any) -> HttpResponse:
        status = form.status if form is not None and form.errors else 200
        return render(request, f"{folder}/{template}.html", {"form": form, **context}, status=status)

    return show

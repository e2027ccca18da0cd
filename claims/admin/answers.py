"""What appeals and objections have in common at the desk: a page with the case, two answers, and a list of what waits."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Appeal, Objection
from unionaid.offices.desk import desk_context, list_of
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import history_of
from unionaid.workflow.words import act_words


class AnswerForm(forms.Form):
    """Yes or no, with words; the service says what else is needed."""

    decision = forms.ChoiceField(choices=[("uphold", ""), ("review_again", ""), ("dismiss", "")])
    clause = forms.CharField(label=gettext_lazy("依据的条款"), required=False, max_length=60)
    answer = forms.CharField(label=gettext_lazy("答复"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


def answered(request: HttpRequest, form: AnswerForm, acts: Mapping[str, Callable[..., Any]], done: Mapping[str, str]) -> tuple[int, str]:
    """302 and nothing, or the status and the words of the refusal; what is refused leaves no trace."""
    if not form.is_valid():
        return 400, _("请选择成立或不成立，条款不超过 60 字，答复不超过 1000 字。")
    said = form.cleaned_data
    if said["decision"] not in acts:
        return 400, _("请选择列出的一项。")
    try:
        with transaction.atomic():
            acts[said["decision"]](said["clause"], said["answer"])
    except MoveRefused as no:
        return status_of(no), no.message
    messages.success(request, done[said["decision"]])
    return 302, ""


def page_context(request: HttpRequest, row: Appeal | Objection, form: AnswerForm, refused: str, **more: Any) -> dict[str, Any]:
    """The common part of both pages."""
    return desk_context(
        request, trail=[list_of(type(row))], row=row, claim=row.claim, form=form, refused=refused,
        history=[(act, act_words(act.entity, act.action)) for act in history_of(row)[:100]], **more,
    )  # fmt: skip

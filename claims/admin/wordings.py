"""The texts reviewers begin with, at the desk: an office's own reasons and letters, and for headquarters the national ones."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.models import Letter, RejectionReason, ReviewRule
from claims.services import wordings
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.lists import whole
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import AskForm
from unionaid.workflow.asking import attempt

_LINES = {"rows": 4}
RETIRE = "retire"  # the button that offers a text no longer
Text = TypeVar("Text", Letter, RejectionReason)
ENGLISH = _("英文界面上显示这一段")


class LetterForm(AskForm):
    """One letter of an office, or of the whole country."""

    about = forms.ChoiceField(
        label=_("用于"), choices=Letter.About.choices, required=False, error_messages={"invalid_choice": _("请选择列出的一项")}
    )
    title = forms.CharField(label=_("名称"), max_length=40)
    text = forms.CharField(label=_("正文（申领人会看到）"), max_length=500, widget=forms.Textarea(attrs=_LINES))
    title_en = forms.CharField(label=_("名称（英文，可不填）"), max_length=100, required=False)
    text_en = forms.CharField(
        label=_("正文（英文，可不填）"), max_length=800, required=False, widget=forms.Textarea(attrs=_LINES), help_text=ENGLISH
    )


class ReasonForm(AskForm):
    """One reason of an office, or of the whole country."""

    code = forms.CharField(
        label=_("编码"), max_length=40, help_text=_("小写字母开头，只用小写字母和数字，例如 zhuanzhen；统计按它归类，定了不能改")
    )
    title = forms.CharField(label=_("原因（申领人会看到）"), max_length=40)
    text = forms.CharField(
        label=_("说明的开头"), max_length=300, widget=forms.Textarea(attrs=_LINES), help_text=_("审核人员从这段话写起，可以改")
    )
    title_en = forms.CharField(label=_("原因（英文）"), max_length=100, help_text=ENGLISH)
    text_en = forms.CharField(label=_("说明的开头（英文）"), max_length=500, widget=forms.Textarea(attrs=_LINES))
    needs_clause = forms.BooleanField(label=_("不予给付时要写明依据的条款"), required=False, initial=True)
    by_rules = forms.BooleanField(
        label=_("按条款本身就不给付"), required=False, help_text=_("测算新条款时，这样的申领会重新计算；因为材料、事实不给付的不要勾选")
    )

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not self.fields["code"].disabled and not re.fullmatch(r"[a-z][a-z0-9]{1,39}", code):
            raise ValidationError(gettext("编码用小写字母开头，只用小写字母和数字，例如 zhuanzhen"))
        return code


def offices_of(by: Actor) -> list[Office]:
    """The offices whose review this person sets."""
    return [office for office in offices_below(by).order_by("path") if may(by, "claims.set_rules", office.pk)]


def chosen(offices: list[Office], key: str | None) -> Office:
    """The office asked for; without a question the first. 404 for one that is not theirs."""
    found = [office for office in offices if key is None or office.pk == whole(key)]
    if not found:
        raise Http404
    return found[0]


def written_for(by: Actor, office: Office) -> dict[str, Any]:
    """What stands on the page of an office's rule: its own reasons and letters, and the national ones."""
    reasons = list(RejectionReason.objects.filter(retired_at=None, is_offered=True))
    letters = list(Letter.objects.filter(retired_at=None))
    return {
        "reasons": [one for one in reasons if one.office_id == office.pk],
        "letters": [one for one in letters if one.office_id == office.pk],
        "national_reasons": [one for one in reasons if one.office_id is None],
        "national_letters": [one for one in letters if one.office_id is None],
        "may_set_national": wordings.may_write(by, None),
    }


def letter_page(request: HttpRequest) -> HttpResponse:
    """Write a letter, change one, or offer it no longer."""
    office, whose, back = _whose(request)
    key = request.GET.get("letter")
    letter = get_object_or_404(Letter, pk=whole(key), office=whose, retired_at=None) if key else None
    names = ("about", "title", "text", "title_en", "text_en")
    form = LetterForm(_sent(request), initial=_values(letter, names))
    if _is_kept(
        request,
        form,
        letter,
        retire=lambda letter: wordings.retire_letter(letter, by=actor(request)),
        keep=lambda: wordings.set_letter(whose, form.cleaned_data, letter=letter, by=actor(request)),
    ):
        return redirect(back)
    context = {"form": form, "office": office, "whose": whose, "letter": letter, "back": back}
    shown = desk_context(request, trail=[list_of(ReviewRule)], title=_("补件模板"), **context)
    return render(request, "desk/letter.html", shown, status=form.status if form.errors else 200)


def reason_page(request: HttpRequest) -> HttpResponse:
    """Add a reason, change one that nobody has given yet, or offer it no longer."""
    office, whose, back = _whose(request)
    key = request.GET.get("reason")
    found = RejectionReason.objects.filter(retired_at=None, is_offered=True)
    reason = get_object_or_404(found, pk=whole(key), office=whose) if key else None
    form = ReasonForm(_sent(request), initial=_values(reason, ("code", *RejectionReason.STAYS)))
    form.fields["code"].disabled = reason is not None
    if _is_kept(
        request,
        form,
        reason,
        retire=lambda reason: wordings.retire_reason(reason, by=actor(request)),
        keep=lambda: wordings.set_reason(whose, form.cleaned_data, reason=reason, by=actor(request)),
    ):
        return redirect(back)
    context = {"form": form, "office": office, "whose": whose, "reason": reason, "back": back}
    shown = desk_context(request, trail=[list_of(ReviewRule)], title=_("不予给付的原因"), **context)
    return render(request, "desk/reason.html", shown, status=form.status if form.errors else 200)


def _sent(request: HttpRequest) -> Any:
    """What was typed; nothing of it when the text is only to be offered no longer."""
    if request.method != "POST":
        return None
    return {} if RETIRE in request.POST else request.POST


def _is_kept(
    request: HttpRequest, form: AskForm, row: Text | None, *, retire: Callable[[Text], object], keep: Callable[[], object]
) -> bool:
    """Do what was asked: offer the text no longer, or keep what was typed. False when there is something to say on the page."""
    if row is not None and RETIRE in request.POST:
        return attempt(form, lambda: _done(retire(row)))
    return form.is_valid() and attempt(form, lambda: _done(keep()))


def _whose(request: HttpRequest) -> tuple[Office, Office | None, str]:
    """The office whose page it is opened from, the office it is written for (None: the whole country), and the way back. 404 for what
    is not theirs to write."""
    by = actor(request)
    office = chosen(offices_of(by), request.GET.get("office"))
    whose = None if request.GET.get("national") else office
    if not wordings.may_write(by, whose):
        raise Http404
    return office, whose, f"{reverse('admin:review_rule')}?office={office.pk}"


def _values(row: Letter | RejectionReason | None, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names} if row else {}


def _done(_made: object) -> str:
    return "done"

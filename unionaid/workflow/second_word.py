"""A second person's word at the desk on what another has asked for: it is done, or it is not, with the reason. Who may say so, who is kept
apart and who must show again who they are, is asked of the arrow that does it."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from unionaid.offices.access import actor
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import AskForm, Text, sent
from unionaid.workflow import stepup
from unionaid.workflow.asking import attempt
from unionaid.workflow.stateful import Stateful

DROP = "drop"


class WordForm(AskForm):
    """Done or not, and why not."""

    def __init__(self, data: Any = None, *, word: "SecondWord") -> None:
        super().__init__(data)
        self.fields["decision"] = forms.ChoiceField(
            label=_("决定"), choices=[(word.does, ""), (DROP, "")], widget=forms.HiddenInput,
            error_messages={"required": word.choose, "invalid_choice": word.choose},
        )  # fmt: skip
        self.fields["note"] = forms.CharField(
            label=word.why, required=False, max_length=word.longest, widget=forms.Textarea(attrs={"rows": 2})
        )


@dataclass(frozen=True, slots=True)
class SecondWord:
    """What can be said: `does` is the arrow by which it is done; what to say to who chose neither; what the reason is called, and how long
    it may be; what is said when it is done, and when it is not; what a step writes to the row, which is read again when it was refused."""

    does: str
    choose: Text
    why: Text
    longest: int = 200
    _: KW_ONLY
    done: Text
    dropped: Text
    written: tuple[str, ...] = ("state", "version")

    def form(self, request: HttpRequest, found: Stateful) -> WordForm:
        """The form; for what wants it, it asks the second person again who they are."""
        form = WordForm(sent(request)[0], word=self)
        if self.may_do(found, actor(request)) and found.graph.arrow(self.does).proof:
            stepup.ask(form, request, required=request.POST.get("decision") == self.does)
        return form

    def waits(self, found: Stateful, by: Actor) -> bool:
        """Does it wait for a word that somebody in this person's post may say?"""
        arrow = found.graph.arrow(self.does)
        return found.state in arrow.sources and may(by, arrow.permission, getattr(found, "office_id", None))

    def is_own(self, found: Stateful, by: Actor) -> bool:
        """It waits, and this person is kept apart from it by a step of their own."""
        kept_out = (getattr(found, f"{column}_id") for column in found.graph.arrow(self.does).not_by)
        return self.waits(found, by) and by.user_id in kept_out

    def may_do(self, found: Stateful, by: Actor) -> bool:
        """May this person say yes?"""
        return self.waits(found, by) and not self.is_own(found, by)

    def answered(
        self, request: HttpRequest, found: Stateful, form: WordForm, *, do: Callable[[Actor], object], drop: Callable[[Actor, str], object]
    ) -> bool:
        """Was a word sent and taken? Then what became of it is said; what was refused is said at the form, and the row is as it stands."""
        if request.method != "POST":
            return False
        if not self._taken(request, found, form, do=do, drop=drop):
            found.refresh_from_db(fields=self.written)
            return False
        messages.success(request, str(self.dropped if form.cleaned_data["decision"] == DROP else self.done))
        return True

    def _taken(
        self, request: HttpRequest, found: Stateful, form: WordForm, *, do: Callable[[Actor], object], drop: Callable[[Actor, str], object]
    ) -> bool:
        if not form.is_valid():
            return False
        by: Actor | None = actor(request)
        if form.cleaned_data["decision"] == DROP:
            return bool(attempt(form, lambda: str(drop(actor(request), form.cleaned_data["note"]))))
        if found.graph.arrow(self.does).proof:
            by = stepup.prove(form, request, found, actor(request))
        return by is not None and bool(attempt(form, lambda: str(do(by))))

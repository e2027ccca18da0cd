"""What is asked of who applies for help (困难申请): what the difficulty is, and the figures that the plan goes by. Nothing of illness."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.forms import KIND_HINT, LISTED
from claims.models import Claim
from claims.selectors.needs import Needs
from programs.rules.declared import figure_fault
from programs.rules.schedule import Ask
from unionaid.lib.money import format_yuan, yuan_from_fen
from unionaid.web.asking import AskForm, PastDayField
from unionaid.web.fields import YuanField


class FigureFields:
    """The fields of a form that ask for a plan's figures. What is left empty is not told."""

    def __init__(self, form: forms.Form, claim: Claim, asks: tuple[Ask, ...], language: str) -> None:
        self.form, self.language = form, language
        # The plan's number keeps the questions of two plans apart that are answered on one page.
        self.asks = {f"figure-{claim.program_id}-{ask.code}": ask for ask in asks}
        for name, ask in self.asks.items():
            form.fields[name] = _field(ask, language)
            form.initial[name] = claim.declared.get(ask.code)

    def check(self) -> None:
        """Each figure by itself."""
        for name, ask in self.asks.items():
            figure = self._figure(name, ask)
            if figure is not None and (words := figure_fault(ask, figure)):
                self.form.add_error(name, ValidationError(words.in_language(self.language)))

    def require_one(self) -> None:
        """At least one figure is told: nothing can be counted otherwise."""
        if self.asks and not self.told() and not any(name in self.form.errors for name in self.asks):
            words = gettext("请填写您申请的那一项") if len(self.asks) > 1 else gettext("请填写这一项")
            self.form.add_error(next(iter(self.asks)), ValidationError(words))

    def told(self) -> dict[str, str]:
        """The figures as a claim keeps them."""
        figures = {ask.code: self._figure(name, ask) for name, ask in self.asks.items()}
        return {code: f"{figure:f}" for code, figure in figures.items() if figure is not None}

    def _figure(self, name: str, ask: Ask) -> Decimal | None:
        value = self.form.cleaned_data.get(name)
        if value in (None, ""):
            return None
        return yuan_from_fen(value) if ask.in_yuan else Decimal(value)


def _field(ask: Ask, language: str) -> forms.Field:
    label, hint = ask.name.in_language(language), ask.hint.in_language(language) if ask.hint else ""
    if ask.in_yuan:
        return YuanField(label=_("{name}（元）").format(name=label), help_text=hint, required=False)
    return forms.IntegerField(
        label=label, help_text=hint, required=False, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _("请填整数，例如 1")},
    )  # fmt: skip


class HelpForm(AskForm):
    """Since when, what the difficulty is, and what of it the plan does not pay for; only what this plan looks at is asked."""

    event_on = PastDayField(
        label=_("哪一天的情况？"), help_text=_("助学填收到录取通知书或开学的日期，创业填放款或开业的日期，其他困难填发生的日期"),
        error_messages={"required": _("请填写日期，例如 2026-03-01")},
    )  # fmt: skip
    event_kind = forms.ChoiceField(
        label=_("这次是哪一种情况"), widget=forms.RadioSelect, help_text=KIND_HINT,
        error_messages={"required": _("请选择这次是哪一种情况"), "invalid_choice": _("请在列出的情况里选择")},
    )  # fmt: skip
    diagnosis_class = forms.ChoiceField(
        label=_("您属于哪一种情况"), widget=forms.RadioSelect, help_text=_("按您手里的证明选；拿不准可以问单位工会或办事处"),
        error_messages={"required": _("请选择您属于哪一种情况"), "invalid_choice": _("请在列出的情况里选择")},
    )  # fmt: skip
    other_aid = YuanField(
        label=_("其他渠道已给的补助（元）"), help_text=_("民政、教育、单位等为同一件事已经给的钱，加在一起；没有的填 0"),
        error_messages={"required": _("请填写其他渠道已给的补助；没有的填 0")},
    )  # fmt: skip
    happened = forms.CharField(
        label=_("您的困难和申请的理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("简单写几句就行，例如：大女儿今年考上西安理工大学，家里只有我一个人上班。"),
        error_messages={"required": _("请简单写一写您的困难和申请的理由")},
    )  # fmt: skip
    circumstances = forms.MultipleChoiceField(
        label=_("有没有下面这些情况？"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("条款规定这些情况不给付。有的请如实勾选，都没有就不用选；办事处会对照材料核实。"),
        error_messages={"invalid_choice": _("请在列出的情况里选择")},
    )  # fmt: skip

    def __init__(self, data: Any, *, claim: Claim, needs: Needs, language: str, **kwargs: Any) -> None:
        super().__init__(data, initial=_initial(claim), **kwargs)
        told = {"event_kind": needs.kinds, "diagnosis_class": needs.classes, "circumstances": needs.circumstances}
        for name, choices in told.items():
            self.fields[name].choices = [(code, words.in_language(language) or LISTED) for code, words in choices]  # type: ignore[attr-defined]
            if not choices:
                del self.fields[name]
        if not needs.other_aid:
            del self.fields["other_aid"]
        self.figures = FigureFields(self, claim, needs.asks, language)
        self.order_fields(["event_on", "event_kind", "diagnosis_class", *self.figures.asks, "other_aid", "happened", "circumstances"])

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        self.figures.check()
        self.figures.require_one()
        return told

    def facts(self) -> dict[str, Any]:
        """For `intake.tell`."""
        told = {name: value for name, value in self.cleaned_data.items() if name not in self.figures.asks}
        if "other_aid" in told:
            told["other_aid_fen"] = told.pop("other_aid")
        return told | ({"declared": self.figures.told()} if self.figures.asks else {})


def _initial(claim: Claim) -> Mapping[str, Any]:
    names = ("event_on", "event_kind", "diagnosis_class", "happened", "circumstances")
    aid = {} if claim.other_aid_fen is None else {"other_aid": format_yuan(claim.other_aid_fen).replace(",", "")}
    return {name: getattr(claim, name) for name in names} | aid

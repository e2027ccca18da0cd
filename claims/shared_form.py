"""One form for the claims that are filled in together: each claim has its form, and what they ask alike is asked once."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BoundField
from django.utils.text import format_lazy

from claims.models import Claim
from unionaid.web.asking import AskForm

# What each plan, or each kind of event, asks in its own way; all else is the same for every claim of one event.
OF_PLAN, OF_EVENT = ("event_kind", "diagnosis_class", "circumstances"), ("event_on",)


class SharedForm:
    """Several claims' forms shaped as pages read one form. An answer under a shared name goes to every claim's form; where one
    claim must have an answer that another can do without, the question is the stricter one."""

    def __init__(self, each: Sequence[tuple[Claim, Any]]) -> None:
        self.each = each
        for claim, form in self.each:
            _name_own(claim, form, self.each)
        self.status = 400

    def is_valid(self) -> bool:
        return all(form.is_valid() for _claim, form in self.each)

    def refuse(self, message: str, field: str = "") -> None:
        """A service's refusal: at its field, once."""
        form = next((form for _claim, form in self.each if field in form.fields), self.each[0][1])
        form.refuse(message, field)

    @property
    def hidden_fields(self) -> list[BoundField]:
        return []

    @property
    def visible_fields(self) -> list[BoundField]:
        found: dict[str, BoundField] = {}
        for _claim, form in self.each:
            for field in form.visible_fields():
                first = found.setdefault(field.html_name, field)
                if (field.errors, field.field.required) > (first.errors, first.field.required):
                    found[field.html_name] = field
        return list(found.values())

    def __iter__(self) -> Iterator[BoundField]:
        return iter(self.visible_fields)

    @property
    def errors(self) -> list[str]:
        """Every sentence once; where it belongs is told by the fields."""
        said = [*self.non_field_errors(), *(str(error) for field in self for error in field.errors)]
        return list(dict.fromkeys(said))

    def non_field_errors(self) -> list[str]:
        said = [str(error) for _claim, form in self.each for error in form.errors.get(NON_FIELD_ERRORS, ())]
        return list(dict.fromkeys(said))


def _name_own(claim: Claim, form: AskForm, each: Sequence[tuple[Claim, AskForm]]) -> None:
    """What is each plan's own gets a name of its own after the first claim that asks it, and the plan's name in its words."""
    names: dict[str, str] = {}
    for field in (*OF_PLAN, *OF_EVENT):
        asking = [one for one, other in each if field in other.fields]
        whose = [one.pk for one in asking] if field in OF_PLAN else list(dict.fromkeys(one.event for one in asking))
        if field not in form.fields or len(whose) < 2:
            continue
        place = whose.index(claim.pk if field in OF_PLAN else claim.event)
        names[field] = f"{field}_{place + 1}" if place else field
        if field in OF_PLAN:
            form.fields[field].label = format_lazy("{}（{}）", form.fields[field].label, claim.program.title)
    form.add_prefix = lambda name: names.get(name, name)  # type: ignore[method-assign]

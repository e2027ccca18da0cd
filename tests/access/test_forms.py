"""Every form of the house, whatever is sent to it: it answers in words, and what it lets pass can be used and kept."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims.models import Claim
from claims.selectors.needs import needs_of
from claims.transitions import CLAIM
from members.forms.join import PAPERS
from members.models import Member
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from programs.rules.schedule import Schedule
from tests.factories.world import ASKED, CATALOGUE
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.second_word import SecondWord

ROOMS = ("unionaid", "programs", "members", "claims")
CJK = re.compile(r"[\u4e00-\u9fff]")
EDGES = [
    "", " ", "\x00", "0", "-1", "1e400", "NaN", "Infinity", "９９９", "0.005", "9" * 20, "9" * 400, "x" * 5000, "長" * 80, "\u202e",
    "🀄𠮷䶮", "'; DROP TABLE x; --", "<b>", "{}", "%s", "2026-02-30", "9999-12-31", "0001-01-01", "2026年3月1日", "on", "yes", "K35.8",
    "6228480402564890018", "610802199003081019", "91610800MA70A1B2C0", "13800138000", "王小明", "1,234.56",
]  # fmt: skip
FILES = [b"", b"\xff\xd8\xff", b"%PDF-1.7", b"PK\x03\x04" * 99, "姓名,身份证号\n".encode("gb18030"), b"<xml/>", b"a: [", b"\x00" * 999]
# What a clean form is asked for, where it is asked for anything.
USES = ("facts", "stay", "days", "told", "values", "wanted", "bill", "step_days")


@cache
def _schedule(event: str) -> Schedule:
    """Of the first plan that answers to this event."""
    for file in sorted(CATALOGUE.glob("*.yaml")):
        data = read_plan(file.read_bytes(), source=file.stem).data
        if not {"based_on", "includes"} & set(data) and event in parse(data).events:
            return parse(data)
    raise AssertionError(event)


def _given(event: str) -> dict[str, Any]:
    """What forms are made with, by the name it goes by; for claims, of one kind of event."""
    schedule = _schedule(event)
    return {
        "claim": Claim(pk=1, event=event), "schedule": schedule, "needs": needs_of(schedule, event), "language": "zh-hans",
        "member": Member(),
        "events": (event,), "days": {}, "choices": [("1", "一")], "cards": [], "covers": [("1", "一")], "kinds": [("settlement", "结算单")],
        "offices": [], "terms": [], "programs": [], "chosen": "", "reasons": [], "arrows": CLAIM.from_state("submitted"), "rule": None,
        "relation": "spouse", "groups": (), "words": [("1", "一份")], "shares": 1, "months": 12, "label": "问题", "help_text": "",
        "field": "basic_insurance", "shown": [], "things": [], "says_why": True, "user": User(), "actor": SYSTEM,
        "word": SecondWord("confirm", "请选择", "原因", done="", dropped=""),
    }  # fmt: skip


KINDS = ("admission", "outpatient", "diagnosis", "accident_disability", "disease_death")
OF_ONE = {"members.forms.join.PaperForm": {"kinds": list(PAPERS)}}


def _forms() -> dict[str, type[forms.BaseForm]]:
    """Every form of the house by its full name."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not re.search(r"migrations|management|asgi|wsgi", module.name):
                importlib.import_module(module.name)
    found = {f"{one.__module__}.{one.__name__}": one for one in _below(forms.BaseForm) if one.__module__.split(".")[0] in ROOMS}
    return {name: found[name] for name in sorted(found)}


def _below(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _cases() -> list[tuple[str, str]]:
    """Each form once, and those about a claim once for each of the kinds of event that are asked differently."""
    return [
        (name, event)
        for name, form in _forms().items()
        for event in (KINDS if {"claim", "schedule"} & set(_asked(form)) else ["admission"])
    ]


def _asked(form: type[forms.BaseForm]) -> list[str]:
    """The arguments that a form cannot be made without, its data left out; also those that its parents ask."""
    found = dict[str, inspect.Parameter]()
    for one in reversed(form.__mro__):
        if one.__module__.split(".")[0] in ROOMS and "__init__" in vars(one):
            found |= inspect.signature(vars(one)["__init__"]).parameters
    last = inspect.signature(form.__init__).parameters
    own = last if not any(part.kind is part.VAR_KEYWORD for part in last.values()) else found
    open_ended = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    must = [part.name for part in own.values() if part.kind not in open_ended and part.default is part.empty]
    return [name for name in must if name not in ("self", "data")]


def _made(name: str, event: str, data: Any = None, files: Any = None) -> forms.BaseForm:
    form = _forms()[name]
    known = _given(event) | OF_ONE.get(name, {})
    said = {part: known[part] for part in _asked(form)}
    return form(data, **said) if files is None or not _takes_files(form) else form(data, files, **said)


def _takes_files(form: type[forms.BaseForm]) -> bool:
    parts = inspect.signature(form.__init__).parameters.values()
    return any(part.kind is part.VAR_POSITIONAL or part.name == "files" for part in parts)


def _values(field: forms.Field) -> st.SearchStrategy[list[str]]:
    """What a person, a program or a rascal puts there: what is offered, what stands on the edge, anything."""
    offered = [str(key) for key, _words in getattr(field, "choices", []) if not isinstance(_words, list | tuple)]
    one = st.sampled_from(EDGES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    one = st.sampled_from(offered) | one if offered else one
    return st.lists(one, max_size=3)


@pytest.mark.parametrize(("name", "event"), _cases())
def test_no_input_breaks_a_form(db_all: None, name: str, event: str) -> None:
    with frozen(ASKED):
        fields = _made(name, event).fields
        texts = st.fixed_dictionaries({}, optional={key: _values(field) for key, field in fields.items()})
        papers = [key for key, field in fields.items() if isinstance(field, forms.FileField)]
        uploads = st.fixed_dictionaries({}, optional=dict.fromkeys(papers, st.sampled_from(FILES)))

        @settings(max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(texts, uploads)
        def any_input(told: dict[str, list[str]], sent: dict[str, bytes]) -> None:
            files = MultiValueDict({key: [SimpleUploadedFile("长" * 200 + ".jpg", content)] for key, content in sent.items()})
            _try(_made(name, event, MultiValueDict(told), files))

        any_input()


def _try(form: forms.BaseForm) -> None:
    """Refused in Chinese, or clean and of use."""
    if not form.is_valid():
        said = [str(words) for errors in form.errors.values() for words in errors]
        assert all(CJK.search(words) for words in said), said
        return
    for value in form.cleaned_data.values():
        assert not isinstance(value, int) or abs(value) < 2**63
        assert not isinstance(value, str) or "\x00" not in value
    for use in USES:
        if callable(getattr(form, use, None)):
            getattr(form, use)()


def test_a_form_that_breaks_is_found() -> None:
    """The control."""

    class Careless(forms.Form):
        number = forms.CharField()

        def clean_number(self) -> int:
            return int(self.cleaned_data["number"])

    with pytest.raises(ValueError, match="invalid literal"):
        _try(Careless({"number": "x"}))

"""Whole answers to a form as it stands on a page, drawn by Hypothesis and sent as a browser or a rascal sends them."""

import fcntl
import os
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from django.conf import settings as house
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.access.crawler import Form

EDGES = [
    "", " ", "\x00", "a\x00b", "\ud800", "\u202e" + "x" * 3000, "'; DROP TABLE x; --", "<b>", "%s", "{}", "🀄𠮷䶮", "長" * 80, "９９９",
    "0", "-1", "1", "0.005", "1,234.56", "1e400", "NaN", "Infinity", "9" * 10, "9" * 20, "9" * 400, "2147483648", "9223372036854775808",
    "2026-02-30", "2026-06-30", "9999-12-31", "0001-01-01", "10000-01-01", "2026年3月1日", "on", "yes", "K35.8", "6228480402564890018",
    "610802199003081019", "91610800MA70A1B2C0", "13800138000", "王小明",
]  # fmt: skip
FILES = [b"", b"\xff\xd8\xff", b"%PDF-1.7", b"PK\x03\x04" * 99, "姓名,身份证号\n".encode("gb18030"), b"<Document/>", b"a: [", b"\x00" * 999]
NAMES = ["x.jpg", "名册.xlsx", "../../x.csv", "长" * 300 + ".xml", "x", ".pdf", "a\x00b.csv"]
Drawn = tuple[dict[str, list[str]], dict[str, tuple[str, bytes]]]
MISSES = ('"axes_', '"accounts_proof"')  # wrong passwords are counted, of course
WRITES = re.compile(r"\b(?:INSERT INTO|DELETE FROM|(?<!FOR )(?<!FOR NO KEY )UPDATE) ")


def answers(form: Form) -> st.SearchStrategy[Drawn]:
    """Some fields or all hold anything, none of it or several values; the others what the page holds, so that they are believed."""
    names = [name for name in form.fields if name != "csrfmiddlewaretoken"]
    touched = st.lists(st.sampled_from(names), unique=True, max_size=3) | st.just(names) if names else st.just([])
    pressed = st.sampled_from([{}, *({name: [value]} for name, value in form.buttons)])
    sent = st.fixed_dictionaries({}, optional={name: st.tuples(st.sampled_from(NAMES), st.sampled_from(FILES)) for name in form.files})
    held = {name: [value] for name, value in form.fields.items()}

    def filled(chosen: Sequence[str]) -> st.SearchStrategy[dict[str, list[str]]]:
        drawn = st.fixed_dictionaries({name: _values(form, name) for name in chosen})
        return st.builds(lambda told, button: {**held, **told, **button}, drawn, pressed)

    return st.tuples(touched.flatmap(filled), sent)


def _values(form: Form, name: str) -> st.SearchStrategy[list[str]]:
    """What a person, a program or a rascal puts there: what is offered, what stands on the edge, as much as the page lets in, anything."""
    width, offered = form.widths.get(name), form.options.get(name, [])
    first = crc32(" ".join((*form.fields, name)).encode()) % len(EDGES)  # every form begins elsewhere, so that all are tried somewhere
    edges = [*EDGES[first:], *EDGES[:first], *(["長" * width] if width else [])]
    one = st.sampled_from(edges) | st.text(max_size=40)
    one = st.sampled_from(offered) | one if offered else one
    return st.lists(one, min_size=1, max_size=1) | st.lists(one, max_size=3)


def post(client: Client, address: str, drawn: Drawn) -> HttpResponse:
    """As the page would send it: with files in parts, else as one line, where half a character of UTF-16 is possible as well."""
    told, sent = drawn
    if sent:
        parts: dict[str, Any] = {name: [one.encode("utf-8", "replace").decode() for one in values] for name, values in told.items()}
        return client.post(address, parts | {name: SimpleUploadedFile(*file) for name, file in sent.items()})
    return client.post(
        address, urlencode(told, doseq=True, errors="surrogatepass"), content_type="application/x-www-form-urlencoded"
    )


def is_first_with(form: str) -> bool:
    """Nobody has tried this form yet in this run of the tests, in whatever process."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = Path(house.VAR_DIR).parent if run else Path(house.VAR_DIR)
    with (folder / "forms-tried").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        of_run, *tried = file.read().split("\n") or [""]
        if of_run != (run or str(os.getpid())):
            file.truncate(0)
            tried = []
            file.write(f"{run or os.getpid()}\n")
        if form in tried:
            return False
        file.write(f"{form}\n")
    return True


def faults(client: Client, address: str, form: Form, *, examples: int) -> list[str]:
    """What the product answers with its own fault, or refuses and keeps something of: the smallest answer that does it. Nothing is kept."""
    found, cookies = list[str](), deepcopy(client.cookies)

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(answers(form))
    def any_answer(drawn: Drawn) -> None:
        said = fault_of(lambda: post(client, address, drawn))
        client.cookies = deepcopy(cookies)  # nobody logged in or out, and no message waits
        found[:] = [f"{said} {address} {str(drawn)[:300]}"] if said else found
        assert not said

    try:
        any_answer()
    except AssertionError:
        return found
    return []


def fault_of(send: Callable[[], HttpResponse]) -> str:
    """The product's own fault in the answer, if there is one; what was sent is taken back."""
    with transaction.atomic():
        with CaptureQueriesContext(connection) as asked:
            answer = send()
        transaction.set_rollback(True)
    if answer.status_code >= 500:
        return str(answer.status_code)
    kept = left_behind([query["sql"] for query in asked.captured_queries]) if answer.status_code >= 400 else []
    return f"{answer.status_code} and keeps: {kept[0][:200]}" if kept else ""


def left_behind(statements: Sequence[str]) -> list[str]:
    """Of these statements, those that wrote something and were not taken back to a savepoint before them."""
    open_: list[list[str]] = [[]]
    for sql in statements:
        if sql.startswith("SAVEPOINT"):
            open_.append([])
        elif sql.startswith("RELEASE") and len(open_) > 1:
            inner = open_.pop()
            open_[-1] += inner
        elif sql.startswith("ROLLBACK TO"):
            open_[-1].clear()
        elif WRITES.search(sql) and not any(table in sql for table in MISSES):
            open_[-1].append(sql)
    return [sql for level in open_ for sql in level]

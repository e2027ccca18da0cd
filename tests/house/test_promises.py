"""Every promise about money stands in the documents with the tests that show it, and these tests are there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROMISES = (ROOT / "docs" / "promises.md").read_text("utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
ROW = re.compile(r"^\| ([KRI][-\d]+) \|(.*)$", re.M)
EVERY = {*(f"K{n}" for n in range(1, 19)), *(f"R-{n}" for n in range(1, 13)), *(f"I{n}" for n in range(1, 13))}


@cache
def _written_in(file: str) -> frozenset[str]:
    """The test functions of a file; none when there is no such file."""
    path = ROOT / file
    if not path.exists():
        return frozenset()
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))


def unproved(text: str) -> set[str]:
    """Tests that the text names and nobody wrote, and rows that name none and do not say so."""
    named = NAMED.findall(text)
    missing = {f"{file}::{name}" for file, name in named if not (_written_in(file) and (not name or name in _written_in(file)))}
    return missing | {code for code, row in ROW.findall(text) if not NAMED.search(row) and "Not shown by a test" not in row}


def test_every_promise_has_its_test() -> None:
    assert {code for code, _row in ROW.findall(PROMISES)} >= EVERY
    assert unproved(PROMISES) == set()


def test_a_test_that_is_gone_and_a_row_without_one_are_found() -> None:
    gone = "| K1 | x | `tests/house/test_promises.py::test_nobody_wrote` |\n| K2 | x | y |\n| K3 | `tests/no/file.py` |\n"
    assert unproved(gone) == {"tests/house/test_promises.py::test_nobody_wrote", "K2", "tests/no/file.py::"}

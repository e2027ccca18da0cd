"""One word for one thing: the glossary and the code say the same."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("unionaid", "programs", "members", "claims")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
VAGUE = {"manager", "helper", "helpers", "util", "utils", "info", "misc", "common", "core", "handle", "premium", "insured", "policy"}


def _sources() -> list[Path]:
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]


def _names() -> set[str]:
    """Every name that the code gives to something, and every text constant (codes of states, funds, roles)."""
    found: set[str] = set()
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.alias):
                found.add(node.name.rsplit(".", 1)[-1])
    return found | {word for path in _sources() for word in (path.stem, path.parent.name)}


def test_every_word_of_the_glossary_is_used() -> None:
    rows = [line for line in GLOSSARY.splitlines() if line.startswith("| ") and "`" in line]
    words = {word for line in rows for word in re.findall(r"`(\w+)`", line.split("|")[2])}
    assert len(words) > 50
    assert sorted(words - _names()) == []


def test_no_file_is_named_after_nothing() -> None:
    assert [str(path) for path in _sources() if path.stem in VAGUE] == []


def test_a_word_nobody_uses_would_be_found() -> None:
    assert "underwriting_manager" not in _names()

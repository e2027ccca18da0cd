"""Why an item pays nothing: a stable code and the figures for its sentence (`explain.py` has the words)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MISSING = "fact_missing"


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code and the figures for the sentence."""

    code: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


def missing(fact: str) -> Reason:
    """Nobody has told this fact yet: no answer can be given, neither yes nor no."""
    return Reason(MISSING, {"fact": fact})

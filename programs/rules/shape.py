"""The published format (plan.schema.json) as something to walk along: what kind of value stands where, in which order.

What is not described there (cases of examples) has the kind "" and no order of its own.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

SCHEMA_FILE = FilePath(__file__).with_name("plan.schema.json")


@dataclass(frozen=True, slots=True)
class Shape:
    """One place of the format. `kind`: the name of its definition (amount, ratio, day, step, …), "" when it has none."""

    node: Mapping[str, Any]
    kind: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a mapping, in the order of the format."""
        return tuple(self._mapping.get("properties", {}))

    def field(self, name: str) -> "Shape":
        """What stands in a field."""
        node = self._mapping.get("properties", {}).get(name, self._mapping.get("additionalProperties"))
        return _shape(node) if isinstance(node, Mapping) else NOTHING

    @property
    def member(self) -> "Shape":
        """What stands in a list."""
        return _shape(self.node["items"]) if "items" in self.node else NOTHING

    def of(self, value: Any) -> "Shape":
        """What stands here when it is this value: of what may be written in two ways the one that was chosen."""
        if "else" not in self.node or "type" in self.node:
            return self
        other = {"object": Mapping, "array": list}[self.node["if"]["type"]]
        return _shape(self.node["then"] if isinstance(value, other) else self.node["else"])

    def in_order(self, data: Mapping[str, Any]) -> Iterator[str]:
        """The keys of a mapping: first as the format lists them, then the others as they come."""
        known = self.fields
        yield from (key for key in known if key in data)
        yield from (key for key in data if key not in known)

    @property
    def _mapping(self) -> Mapping[str, Any]:
        """Of what may be written in two ways the one that is a mapping."""
        then: Mapping[str, Any] = self.node.get("then", self.node) if "type" not in self.node else self.node
        return then


NOTHING = Shape({})


@cache
def plan_shape() -> Shape:
    """A whole plan file."""
    return Shape(_schema())


@cache
def _schema() -> Mapping[str, Any]:
    return dict(json.loads(SCHEMA_FILE.read_text("utf-8")))


def _shape(node: Mapping[str, Any]) -> Shape:
    if "$ref" not in node:
        return Shape(node)
    name = node["$ref"].removeprefix("#/$defs/")
    found = _schema()["$defs"][name]
    return Shape(found, found.get("kind", name))

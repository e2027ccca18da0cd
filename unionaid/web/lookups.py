"""`field__begins="…"`: a prefix search that stays on its index behind row security; `field__among=Place("…")`: one of a list that is told
later, where `in` would write as many values into the statement as there are.

PostgreSQL pushes a condition below a row-security policy only when its operator cannot leak. LIKE (Django's `startswith`) may
leak, so it is tried on every row the policy lets through; `^@` (starts_with) cannot, and the index answers.
"""

from typing import Any

from django.db.models import CharField, Field, ForeignKey, Lookup, TextField


@CharField.register_lookup
@TextField.register_lookup
class Begins(Lookup):  # type: ignore[type-arg]
    """The text begins with these characters, each of them itself (no wildcards)."""

    lookup_name = "begins"
    prepare_rhs = True

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} ^@ {right}", [*left_values, *right_values]


@Field.register_lookup
@ForeignKey.register_lookup
class Among(Lookup):  # type: ignore[type-arg]
    """The value is one of a list, which is a `Place`."""

    lookup_name = "among"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} = ANY {right}", [*left_values, *right_values]

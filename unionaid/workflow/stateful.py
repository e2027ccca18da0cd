"""The base of every model that has a state: only `moves.move` writes it."""

from typing import ClassVar

from django.db import models
from django.utils.functional import Promise

from unionaid.workflow.arrows import Graph


class Stateful(models.Model):
    """`state` and `version`; subclasses name their `graph` and give `state` its choices and default."""

    graph: ClassVar[Graph]
    # The column, if there is one, that holds since when the row is in its state.
    since_column: ClassVar[str] = ""

    state = models.CharField(max_length=24, db_index=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True

    @property
    def state_label(self) -> str | Promise:
        return self.graph.state(self.state).label

    @property
    def state_tone(self) -> str:
        return self.graph.state(self.state).tone

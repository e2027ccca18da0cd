"""State graphs as data: which action leads from which states to which, who may, and who may not be the same person."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.functional import Promise


class UnknownAction(KeyError):
    """No arrow of this graph has this name."""


@dataclass(frozen=True, slots=True)
class State:
    """A state's code, the words shown for it, and its tone: plain, todo, good, bad."""

    code: str
    label: str | Promise
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Arrow:
    """One action. `not_by` names the user columns whose holder may not take it (separation of duties);
    `stamp` the user column that it fills; `then` the kinds of job that follow, one per moved row; `proof`: money
    leaves or stays by it, and only who has proved again who they are may take it (`workflow.stepup`)."""

    action: str
    label: str | Promise
    sources: tuple[str, ...]
    target: str
    permission: str
    not_by: tuple[str, ...] = ()
    stamp: str = ""
    then: tuple[str, ...] = ()
    proof: bool = False


@dataclass(frozen=True)
class Graph:
    """All states and arrows of one kind of thing; an arrow between unknown states does not load."""

    name: str
    states: tuple[State, ...]
    arrows: tuple[Arrow, ...]
    initial: str
    _by_action: dict[str, Arrow] = field(init=False, repr=False, default_factory=dict)
    _by_state: dict[str, State] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_state.update({state.code: state for state in self.states})
        for arrow in self.arrows:
            if arrow.action in self._by_action:
                raise ValueError(f"{self.name}: two arrows are called {arrow.action}")
            for code in (*arrow.sources, arrow.target):
                if code not in self._by_state:
                    raise ValueError(f"{self.name}: arrow {arrow.action} names unknown state {code}")
            self._by_action[arrow.action] = arrow
        if self.initial not in self._by_state:
            raise ValueError(f"{self.name}: unknown initial state {self.initial}")

    def arrow(self, action: str) -> Arrow:
        """The arrow of this name; UnknownAction when there is none."""
        try:
            return self._by_action[action]
        except KeyError as error:
            raise UnknownAction(f"{self.name} has no action {action}") from error

    def state(self, code: str) -> State:
        """The state of this code; KeyError when unknown."""
        return self._by_state[code]

    def from_state(self, code: str) -> Iterator[Arrow]:
        """The arrows that start in this state."""
        return (arrow for arrow in self.arrows if code in arrow.sources)

    def choices(self) -> list[tuple[str, str | Promise]]:
        """For a model field's `choices`."""
        return [(state.code, state.label) for state in self.states]

    def as_mermaid(self) -> str:
        """The graph as a picture in text, for the handbook."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for arrow in self.arrows:
            lines += [f"    {source} --> {arrow.target}: {arrow.action}" for source in arrow.sources]
        return "\n".join(lines)

"""The drawing of states in the handbook is the one the programme goes by."""

from claims.transitions import CLAIM
from unionaid.management.commands.draw_states import FILE, drawn, graphs


def test_the_drawing_is_current() -> None:
    assert FILE.read_text("utf-8") == drawn(), "run: python manage.py draw_states"


def test_every_life_is_drawn_with_every_state_and_arrow() -> None:
    text, lives = drawn(), [graph for _name, graph in graphs()]
    assert CLAIM in lives
    for graph in lives:
        assert graph.as_mermaid() in text
        assert all(f"| `{state.code}` | {state.label} |" in text for state in graph.states)

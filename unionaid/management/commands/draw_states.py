"""Draw every life of a thing (its states and arrows) into docs/states.md, from the graphs that the programme itself goes by."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import override

from unionaid.offices.roles import GRANTS, LABELS, Role
from unionaid.workflow.arrows import Arrow, Graph
from unionaid.workflow.stateful import Stateful

FILE = Path(settings.BASE_DIR) / "docs" / "states.md"
HEAD = """> English: every state and arrow of the things that have a life, drawn by `manage.py draw_states`. Do not edit; a test
> compares this file with the code.

# 各类事项的状态

每一步由谁办、哪些人不能办，都在下面。图和表由程序生成（`manage.py draw_states`），不要手工修改。
"""


class Command(BaseCommand):
    help = "Draw the states and arrows of claims, appeals, rosters, batches… into docs/states.md."

    def handle(self, *args: Any, **options: Any) -> None:
        FILE.write_text(drawn(), "utf-8")
        self.stdout.write(f"{FILE.name} written")


def drawn() -> str:
    """The whole file."""
    with override("zh-hans"):
        return "\n".join([HEAD, *(line for name, graph in graphs() for line in _section(name, graph))]) + "\n"


def graphs() -> list[tuple[str, Graph]]:
    """(what the thing is called, its graph), one for every model with a life, in the order of their names in the code."""
    models = [model for model in apps.get_models() if issubclass(model, Stateful)]
    return [(str(model._meta.verbose_name), model.graph) for model in sorted(models, key=lambda model: model._meta.label)]


def _section(name: str, graph: Graph) -> Iterator[str]:
    yield f"## {name}（{graph.name}）\n"
    yield f"```mermaid\n{graph.as_mermaid()}\n```\n"
    yield "| 状态 | 名称 |\n|---|---|"
    yield from (f"| `{state.code}` | {state.label} |" for state in graph.states)
    yield "\n| 动作 | 名称 | 从 | 到 | 谁可以办 | 办过这些的人不能办 |\n|---|---|---|---|---|---|"
    yield from (_row(arrow) for arrow in graph.arrows)
    yield ""


def _row(arrow: Arrow) -> str:
    who = "、".join(str(LABELS[role]) for role in Role if role in GRANTS[arrow.permission])
    who += "（再次核实身份）" if arrow.proof else ""
    sources = " ".join(f"`{source}`" for source in arrow.sources)
    kept_out = " ".join(f"`{column}`" for column in arrow.not_by) or "—"
    return f"| `{arrow.action}` | {arrow.label} | {sources} | `{arrow.target}` | {who} | {kept_out} |"

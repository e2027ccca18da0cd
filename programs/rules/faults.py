"""What is wrong with a plan file: file, line, field, and what was expected, in both languages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from programs.rules.words import Words

Path = tuple[str | int, ...]
Lines = Mapping[Path, int]


def dotted(path: Path) -> str:
    """The place of a field as people write it.

    >>> dotted(("items", 0, "steps", 1, "ratio"))
    'items[0].steps[1].ratio'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it must be. `line` counts from 1; 0 when the data came from no file."""

    words: Words
    path: Path = ()
    line: int = 0
    source: str = ""

    def in_language(self, language: str) -> str:
        """plan.yaml, line 12, items[0].clause: what was expected."""
        line = Words(f"第 {self.line} 行", f"line {self.line}").in_language(language) if self.line else ""
        where = Words("，", ", ").in_language(language).join(part for part in (self.source, line, dotted(self.path)) if part)
        said = self.words.in_language(language)
        return f"{where}{Words('：', ': ').in_language(language)}{said}" if where else said


class ScheduleError(ValueError):
    """The plan is refused; `faults` says everything that was found, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(self.in_language("zh"))

    def in_language(self, language: str) -> str:
        return "\n".join(fault.in_language(language) for fault in self.faults)

    def placed(self, source: str, lines: Lines) -> "ScheduleError":
        """The same faults with their file, and the line of the field or of the nearest thing around it."""
        found = [replace(f, source=f.source or source, line=f.line or line_of(f.path, lines)) for f in self.faults]
        return ScheduleError(sorted(found, key=lambda fault: fault.line))


def line_of(path: Path, lines: Lines) -> int:
    """The line of a field; when the field itself is missing, that of what should hold it."""
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path, 0)


def fault(zh: str, en: str, path: Sequence[str | int] = ()) -> Fault:
    return Fault(Words(zh, en), tuple(path))


def refused(zh: str, en: str, path: Sequence[str | int] = ()) -> ScheduleError:
    """A refusal with one fault."""
    return ScheduleError([fault(zh, en, path)])

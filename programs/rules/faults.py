"""What is wrong with a plan file: file, line, field, and what was expected, in both languages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

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


# --- of terms made from other plans ----------------------------------------------------------------------------------


def in_own_file(error: ScheduleError, whole: Mapping[str, Any], own: Mapping[str, Any]) -> ScheduleError:
    """The faults of complete terms at their places in the file that they were made from (`own`): lists were put together there, so that
    the same thing has another number. What only the other plan says is told at the line that refers to it."""
    if not {"based_on", "includes"} & own.keys():
        return error
    return ScheduleError(_in_own_file(one, whole, own) for one in error.faults)


def _in_own_file(fault: Fault, whole: Mapping[str, Any], own: Mapping[str, Any]) -> Fault:
    if not fault.path:
        return fault
    top, *rest = fault.path
    if top in own and not (rest and isinstance(rest[0], int)):
        return fault
    if rest and isinstance(rest[0], int):
        place, code = _place_in(own.get(str(top), []), whole.get(str(top), []), rest[0])
        if place is not None:
            return replace(fault, path=(top, place, *rest[1:]))
    else:
        code = ""
    at: Path = ("based_on",)
    if "includes" in own:
        parts = [part["code"] for part in own["includes"]]
        k = next((k for k, part in enumerate(parts) if code.startswith(f"{part}.")), None)
        at = ("includes",) if k is None else ("includes", k)
    name = dotted((top, *rest)) if not code else dotted((f"{top}[{code}]", *rest[1:]))
    return replace(fault, path=at, words=Words(f"所引用的 {name}：{fault.words.zh}", f"{name} of the plan: {fault.words.en}"))


def _place_in(mine: Sequence[Any], whole: Sequence[Any], number: int) -> tuple[int | None, str]:
    """Which of the file's own list it is (None: none of them), and its code if it has one. Own things without a code come last."""
    one = whole[number] if number < len(whole) else None
    if isinstance(one, Mapping) and "code" in one:
        codes = [other.get("code") for other in mine]
        return (codes.index(one["code"]) if one["code"] in codes else None), str(one["code"])
    place = number - (len(whole) - len(mine))
    return (place if place >= 0 else None), ""

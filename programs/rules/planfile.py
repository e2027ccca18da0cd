"""A plan file as it lies on disk: strict UTF-8 YAML into plain data, with the line of every field.

Refused, each in its own words: another encoding, aliases (a few lines of which can unfold to gigabytes), a key given
twice, nesting without end, tags, and files too large to be a plan.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import yaml

from programs.rules.casefile import CASE
from programs.rules.examples import FEE, HEAD
from programs.rules.faults import Fault, Lines, Path, ScheduleError
from programs.rules.shape import Shape, plan_shape
from programs.rules.words import Words

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class PlanFile:
    """The data of one plan file (texts, whole numbers, true/false, lists, mappings) and the line of each field."""

    data: dict[str, Any]
    lines: Lines
    source: str

    @property
    def code(self) -> str:
        return str(self.data.get("code", ""))

    @property
    def version(self) -> str:
        return str(self.data.get("version", ""))


def read_plan(raw: bytes, *, source: str) -> PlanFile:
    """The plan file as data. ScheduleError names the file and line of what is no plain UTF-8 YAML mapping."""
    if len(raw) > MAX_BYTES:
        raise _error(source, 0, f"文件太大，计划文件最多 {MAX_BYTES // 1024} KB", f"a plan file has at most {MAX_BYTES // 1024} KB")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _error(source, line, "文件不是 UTF-8 编码，请另存为 UTF-8 再试", "the file is not UTF-8; save it as UTF-8") from error
    lines: dict[Path, int] = {}
    try:
        root = _compose(text, source)
        data = _plain(root, (), lines, source) if root is not None else None
    except yaml.YAMLError as error:
        said = str(getattr(error, "problem", "") or error).splitlines()[0]
        raise _error(source, _line_of(error, text), f"不是能读的 YAML（{said}）", f"is not readable YAML ({said})") from error
    except RecursionError as error:
        raise _error(source, 0, "层次太深", "nested too deep") from error
    if not isinstance(data, dict):
        raise _error(source, 1, "计划文件应是“字段: 内容”的列表，开头是 format: 1", "a plan file is a mapping that begins with format: 1")
    return PlanFile(data, lines, source)


def _line_of(error: yaml.YAMLError, text: str) -> int:
    """Where reading ended; a letter that YAML does not take is told by its place in the text."""
    if isinstance(error, yaml.reader.ReaderError):
        return text.count("\n", 0, error.position) + 1
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 0


def read_folder(folder: FilePath) -> tuple[list[PlanFile], ScheduleError | None]:
    """Every plan file (*.yaml) of a folder in the order of their names, and what is wrong with those that cannot be read."""
    files: list[PlanFile] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            files.append(read_plan(path.read_bytes(), source=path.name))
        except ScheduleError as error:
            faults += error.faults
    return files, ScheduleError(faults) if faults else None


def plain(value: Any, path: Path = ()) -> Any:
    """Data from elsewhere (JSON, Python) in the form of a plan file's: days as ISO texts, keys as texts.

    ScheduleError for a text that nothing can keep (`unwritable`)."""
    for text in value if isinstance(value, dict) else [value]:
        if unwritable(text):
            raise ScheduleError([Fault(UNWRITABLE, path)])
    if isinstance(value, dict):
        return {str(key): plain(inner, (*path, str(key))) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, (*path, i)) for i, inner in enumerate(value)]
    return value if isinstance(value, str | int | float | type(None)) else str(value)


UNWRITABLE = Words(
    "文字里有不能保存的字符（空字符，或半个 Unicode 字符），请删掉后重写",
    "the text holds a character that cannot be kept (NUL, or half of a Unicode pair); write it anew without it",
)


def unwritable(value: Any) -> bool:
    """Is this a text that neither the database nor a file in UTF-8 can hold?"""
    return isinstance(value, str) and re.search("[\x00\ud800-\udfff]", value) is not None


def _error(source: str, line: int, zh: str, en: str) -> ScheduleError:
    return ScheduleError([Fault(Words(zh, en), (), line, source)])


def _compose(text: str, source: str) -> yaml.Node | None:
    depth = 0
    for event in _events(text):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _error(source, line, "不能用别名（*名字）引用别处的内容", "aliases (*name) are not allowed")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(source, line, f"层次超过 {MAX_DEPTH} 层", f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _events(text: str) -> Iterator[Any]:
    return yaml.parse(text, Loader=yaml.SafeLoader)


_SCALARS = yaml.SafeLoader("")


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], source: str) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise _error(source, key_line, "字段名应是文字", "the name of a field is a text")
            key = _readable(key_node, source).value
            if key in made:
                raise _error(source, key_line, f"字段“{key}”在这里写了两次", f"the key {key!r} stands here twice")
            made[key] = _plain(value_node, (*path, key), lines, source)
            lines[(*path, key)] = key_line
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_plain(inner, (*path, i), lines, source) for i, inner in enumerate(node.value)]
    return _scalar(_readable(node, source), source)


# A whole number that reads the same everywhere. YAML 1.1 has others: 030 is 24, 1:30 is 90, 1_0 is 10.
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def _scalar(node: yaml.Node, source: str) -> Any:
    line, said = node.start_mark.line + 1, f"“{str(node.value)[:40]}”"
    if node.tag == "tag:yaml.org,2002:timestamp":
        return str(node.value)  # days stay texts; whether they are in the calendar is asked where a day is wanted
    if node.tag == "tag:yaml.org,2002:int" and not NUMBER.fullmatch(node.value):
        zh = f"{said}这种写法的数会被读成别的数；整数直接写，如 30，文字写在引号里"
        raise _error(source, line, zh, f"{said} would be read as another number; write it plainly, like 30, and texts in quotes")
    try:
        value = _SCALARS.construct_object(node)
    except (ValueError, yaml.YAMLError) as error:
        raise _error(source, line, f"{said}读不懂，文字请写在引号里", f"cannot read {said}; put texts in quotes") from error
    return value if isinstance(value, str | int | float | type(None)) else str(node.value)


def _readable(node: yaml.Node, source: str) -> yaml.Node:
    if unwritable(node.value):
        raise _error(source, node.start_mark.line + 1, UNWRITABLE.zh, UNWRITABLE.en)
    return node


# --- and back: data as a plan file ----------------------------------------------------------------------------------

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LINE = 118


def as_file(data: Mapping[str, Any]) -> str:
    """Plan data as the text of a plan file, its fields in the order of the format. Read again (`read_plan`), the data are
    the same."""
    return yaml.dump(_ordered(data, plan_shape()), Dumper=_Writer, allow_unicode=True, sort_keys=False, width=10 * LINE)


def _ordered(value: Any, shape: Shape) -> Any:
    if isinstance(value, Mapping):
        keys = list(shape.in_order(value)) if shape.fields else _usual_order(value)
        return {key: _ordered(value[key], shape.field(key)) for key in keys}
    if isinstance(value, list):
        return [_ordered(inner, shape.member) for inner in value]
    return value


def _usual_order(value: Mapping[str, Any]) -> list[str]:
    """Of what the format leaves free: grades by their number, cases and heads as they are commonly written."""
    if all(key.isdecimal() for key in value):
        return sorted(value, key=int)
    usual = [key for key in dict.fromkeys((*CASE, *FEE, *HEAD)) if key in value]
    return [*usual, *(key for key in value if key not in usual)]


class _Writer(yaml.SafeDumper):
    """Lists are indented, short plain things stand on one line, days stand bare, and texts that would be read as something
    else are quoted."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node: yaml.MappingNode = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = _fits([part for pair in node.value for part in pair])
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node: yaml.SequenceNode = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = _fits(node.value)
        return node


def _fits(parts: list[yaml.Node]) -> bool:
    """Do these stand on one line together? (A Chinese character is as wide as two letters.)"""
    return all(isinstance(part, yaml.ScalarNode) for part in parts) and _width(parts) < LINE


def _width(parts: list[yaml.Node]) -> int:
    return sum(len(part.value) + sum(letter > "\u2e7f" for letter in part.value) + 3 for part in parts)


def _text(writer: _Writer, text: str) -> yaml.Node:
    if DAY.fullmatch(text):
        return writer.represent_scalar("tag:yaml.org,2002:timestamp", text)
    resolve: Callable[..., str] = writer.resolve
    bare = resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str"
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=None if bare else '"')


_Writer.add_representer(str, _text)

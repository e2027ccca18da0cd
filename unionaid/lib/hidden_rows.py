"""Which rows of an xlsx sheet its workbook does not show: hidden by hand, or by a filter. The parser of the cells does not tell."""

import io
import posixpath
import re
import zipfile
from collections.abc import Collection, Iterator
from xml.parsers.expat import ExpatError

from unionaid.lib.guarded_xml import UnsafeXml, guarded_parser

MARK = b"hidden="
_ROW = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?row\b([^<>]*)>")
_HIDDEN = re.compile(rb"""\shidden\s*=\s*["'](?:1|true)["']""")
_NUMBER = re.compile(rb"""\sr\s*=\s*["'](\d{1,7})["']""")
_PIECE = 1 << 20


def hidden_rows(data: bytes, sheet: str, marked: Collection[str]) -> list[int]:
    """The numbers of the hidden rows of the sheet of this name, from 1 on. Only parts that are `marked` (they hold MARK) are read; where
    the workbook says it in a way that is not understood, none are named."""
    if not marked:
        return []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            part = _part(archive, sheet)
            if part not in marked:
                return []
            with archive.open(part) as stream:
                return list(_hidden(iter(lambda: stream.read(_PIECE), b"")))
        except (KeyError, ExpatError, UnsafeXml):
            return []


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The part of the archive that holds this sheet; KeyError when the workbook does not tell it."""
    ids = {told["name"]: told for told in _elements(archive.read("xl/workbook.xml"), "sheet")}
    key = next(value for name, value in ids[sheet].items() if name.rpartition(":")[2] == "id")
    targets = {told["Id"]: told["Target"] for told in _elements(archive.read("xl/_rels/workbook.xml.rels"), "Relationship")}
    return posixpath.normpath(posixpath.join("xl", targets[key])).lstrip("/")


def _elements(xml: bytes, name: str) -> list[dict[str, str]]:
    """The attributes of every element of this name."""
    found: list[dict[str, str]] = []
    parser = guarded_parser()

    def begin(element: str, told: dict[str, str]) -> None:
        if element.rpartition(":")[2] == name:
            found.append(told)

    parser.StartElementHandler = begin
    parser.Parse(xml, True)
    return found


def _hidden(pieces: Iterator[bytes]) -> Iterator[int]:
    """The numbers of the rows that are hidden; a row without a number follows the one before it.

    >>> list(_hidden(iter([b'<row r="2" hidd', b'en="1"><c r="A2"/></row><row r="4"/><row hidden="true"/>'])))
    [2, 5]
    """
    number, rest = 0, b""
    for piece in pieces:
        text = rest + piece
        cut = text.rfind(b"<")
        cut = len(text) if cut < 0 or b">" in text[cut:] else cut
        for tag in _ROW.finditer(text, 0, cut):
            told = _NUMBER.search(tag[1])
            number = int(told[1]) if told else number + 1
            if _HIDDEN.search(tag[1]):
                yield number
        rest = text[cut:]

"""A printed A4 page in the house's type: what certificate, receipt and the agent's form have in common."""

import io
import string
import zlib
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import pylopdf_fonts_jp
import pylopdf_fonts_zh_cn
import pylopdf_fonts_zh_tw
import segno
from fontTools import subset, ttLib

from unionaid.lib.pdf import POINT, WIDTH, Case, Face, Page

FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"
# Asked one after another for a character that the house's type lacks: 𠮷, 𡈽, 𨳒 and some two thousand more.
RARE = (
    Path(pylopdf_fonts_jp.__file__).parent / "NotoSansJP-Regular.otf",
    Path(pylopdf_fonts_zh_tw.__file__).parent / "NotoSansTC-Regular.otf",
)
UNUSED = ["BASE", "GDEF", "GPOS", "GSUB", "OS/2", "VORG", "name", "post", "vhea", "vmtx"]
KEPT = 4000  # characters that were cut alone, of well under a kilobyte each
ASIDE = 1.0  # mm that text stands away from the edges of what it is written into


def printable(text: str, known: Container[str]) -> str:
    """The text with every character that no font has written as its code, so that a rare name is never silently blank.

    >>> printable("䶮𠮷", {"䶮"})
    '䶮〔U+20BB7〕'
    """
    return "".join(c if c in known else f"〔U+{ord(c):X}〕" for c in text)


# -- type ---------------------------------------------------------------------------------------------------------------


def case_of(texts: Iterable[str], *, names: Iterable[str] = ()) -> Case:
    """The type for pages of these texts. What stands in `names` alone is cut character by character: a page takes along only what is
    on it, however many people's pages are printed in one go."""
    own = {" ", *"".join(texts), *string.digits, *string.ascii_letters, *string.punctuation, *printable("\0", ())}
    alone = set("".join(names)) - own
    has = _characters(FONT)
    apart = _cut_alone(sorted(alone & has)) | {c: face for c in sorted((own | alone) - has) if (face := _rare(c))}
    return Case(_house(frozenset(own & has)), apart)


def _cut(font_file: Path | io.BytesIO, characters: Iterable[str]) -> tuple[ttLib.TTFont, dict[str, tuple[int, int]]]:
    """A font down to these characters, and each one's number and width (thousandths)."""
    options = subset.Options(notdef_outline=True, layout_features=[], drop_tables=[*subset.Options().drop_tables, *UNUSED])
    font, cutter = ttLib.TTFont(font_file, recalcBBoxes=False), subset.Subsetter(options)
    cutter.populate(text="".join(characters))
    cutter.subset(font)
    scale, lengths = 1000 / font["head"].unitsPerEm, font["hmtx"].metrics
    names = font.getBestCmap()
    return font, {chr(code): (_number(font, name), round(lengths[name][0] * scale)) for code, name in names.items()}


def _number(font: ttLib.TTFont, name: str) -> int:
    """The glyph's own number, which cutting does not change."""
    return int(name.removeprefix("cid")) if name.startswith("cid") else int(font.getGlyphID(name))


def _face(font: ttLib.TTFont, glyphs: dict[str, tuple[int, int]]) -> Face:
    outlines: bytes = font["CFF "].compile(font)
    return Face(f"{_tag(outlines)}+{font['CFF '].cff.fontNames[0]}", zlib.compress(outlines), glyphs)


def _tag(outlines: bytes) -> str:
    """Six letters of its own for each cut of a font, as the format wants."""
    left, letters = zlib.crc32(outlines), ""
    for _each in range(6):
        left, at = divmod(left, 26)
        letters += string.ascii_uppercase[at]
    return letters


@lru_cache(maxsize=16)
def _house(characters: frozenset[str]) -> Face:
    return _face(*_cut(FONT, characters))


_alone: dict[str, Face] = {}


def _cut_alone(characters: Sequence[str]) -> dict[str, Face]:
    """Each of these characters of the house's type as a face of its own: out of one cut that holds them all, and kept."""
    missing = [character for character in characters if character not in _alone]
    if missing:
        together = io.BytesIO()
        _cut(FONT, missing)[0].save(together)
        for character in missing:
            _alone[character] = _face(*_cut(io.BytesIO(together.getvalue()), character))
    found = {character: _alone[character] for character in characters}
    while len(_alone) > KEPT:
        _alone.pop(next(iter(_alone)))
    return found


@lru_cache(maxsize=256)
def _rare(character: str) -> Face | None:
    """A face of this one character from another font; None when no font has it."""
    font_file = next((file for file in RARE if character in _characters(file)), None)
    return _face(*_cut(font_file, character)) if font_file else None


@lru_cache(maxsize=1 + len(RARE))
def _characters(font_file: Path) -> frozenset[str]:
    """What a font has."""
    with ttLib.TTFont(str(font_file), lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


# -- writing ------------------------------------------------------------------------------------------------------------


def settled(case: Case, text: str) -> str:
    """The text as this type can show it."""
    return printable(text, {character for character in text if case.face_of(character)})


def baseline(top: float, height: float, size: float) -> float:
    """Where letters stand that are in the middle of a line of this height."""
    return top + height / 2 + 0.3 * size * POINT


def write_line(
    page: Page, text: str, *, y: float, height: float, size: float, left: float = 10, right: float = 10, align: str = "left"
) -> None:
    """One line between two margins (mm): at the left, in the middle, or at the right."""
    text = settled(page.case, text)
    free = WIDTH - left - right - page.case.width(text, size)
    x = left + {"left": ASIDE, "center": free / 2, "right": free - ASIDE}[align]
    page.text(x, baseline(y, height, size), text, size=size)


def write_block(page: Page, text: str, *, x: float, y: float, width: float, height: float, size: float, grey: float = 0) -> float:
    """Lines of this height, broken to the width; where the next would begin."""
    for line in broken(page.case, text, size, width):
        page.text(x + ASIDE, baseline(y, height, size), line, size=size, grey=grey)
        y += height
    return y


def broken(case: Case, text: str, size: float, width: float) -> list[str]:
    """The lines that a block of this width has."""
    return case.lines(settled(case, text), size, width - 2 * ASIDE)


def write_facts(page: Page, facts: Iterable[tuple[str, str]], *, y: float, left: float, label: float, width: float, size: float) -> float:
    """Name and value, line by line: where they begin, how wide name and value are (mm), the size of the type; where the next would be."""
    for name, value in facts:
        below = write_block(page, name, x=left, y=y, width=label, height=10, size=size, grey=0.35)
        y = max(below, write_block(page, value, x=left + label, y=y, width=width, height=10, size=size))
    return y


def write_code(page: Page, address: str, *, x: float, y: float, width: float) -> None:
    """A QR code that leads to this address (mm)."""
    rows = segno.make(address, error="m").matrix
    side = len(rows) + 4
    framed = [[0] * side] * 2 + [[0, 0, *row, 0, 0] for row in rows] + [[0] * side] * 2
    page.squares(framed, x=x, y=y, width=width)

"""A printed A4 page in the house's type: what certificate, receipt and the agent's form have in common."""

import io
import string
import tempfile
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pylopdf_fonts_jp
import pylopdf_fonts_zh_cn
import pylopdf_fonts_zh_tw
import segno
from fontTools import subset, ttLib
from fpdf import FPDF

FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"
# Asked one after another for a character that the house's type lacks: 𠮷, 𡈽, 𨳒 and some two thousand more.
RARE = (
    Path(pylopdf_fonts_jp.__file__).parent / "NotoSansJP-Regular.otf",
    Path(pylopdf_fonts_zh_tw.__file__).parent / "NotoSansTC-Regular.otf",
)


def printable(text: str, known: Container[int]) -> str:
    """The text with every character that no font has written as its code, so that a rare name is never silently blank.

    >>> printable("䶮𠮷", {ord("䶮")})
    '䶮〔U+20BB7〕'
    """
    return "".join(c if ord(c) in known else f"〔U+{ord(c):X}〕" for c in text)


@contextmanager
def small_font(texts: Iterable[str]) -> Iterator[Path]:
    """The house's type cut down to the characters of these texts, for as long as the block runs: a page in it is made ten times
    faster than one that has to be cut out of the whole type."""
    with tempfile.NamedTemporaryFile(suffix=".otf") as file:
        _cut(FONT, "".join({*string.printable, *printable_marks(), *"".join(texts)}), Path(file.name))
        yield Path(file.name)


def _cut(font_file: Path, text: str, to: Path) -> None:
    """Write a font down to the characters of a text."""
    options = subset.Options(notdef_outline=True, recommended_glyphs=True)
    font, cutter = ttLib.TTFont(str(font_file)), subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(font)
    font.save(str(to))
    font.close()


@lru_cache(maxsize=1 + len(RARE))
def _characters(font_file: Path) -> frozenset[int]:
    """What a font has."""
    with ttLib.TTFont(str(font_file), lazy=True) as font:
        return frozenset(font.getBestCmap())


@lru_cache(maxsize=1)
def _cuts() -> tempfile.TemporaryDirectory[str]:
    """Where the fonts of rare characters stand while the process runs."""
    return tempfile.TemporaryDirectory(prefix="rare-type-")


@lru_cache(maxsize=256)
def _of_one(character: str) -> Path | None:
    """A font of this one rare character; None when no font has it."""
    for font_file in RARE:
        if ord(character) in _characters(font_file):
            made = Path(_cuts().name) / f"{ord(character):x}.otf"
            _cut(font_file, f" {character}", made)  # the space stands for what is missing, which wants a short code
            return made
    return None


def settled(page: FPDF, text: str) -> str:
    """The text as this page can show it: for what the house's type lacks another font is taken along, and what none has is written
    as its code."""
    house = page.fonts["song"].cmap
    taken = {key.removeprefix("rare"): key for key in page.fonts if key.startswith("rare")}
    for character in dict.fromkeys(text):
        name = f"{ord(character):x}"
        if ord(character) in _characters(FONT) or name in taken or (font := _of_one(character)) is None:
            continue
        page.add_font(f"rare{name}", fname=str(font))
        taken[name] = f"rare{name}"
    page.set_fallback_fonts(list(taken.values()), exact_match=False)
    return printable(text, {*house, *(int(name, 16) for name in taken)})


def printable_marks() -> str:
    """The characters that stand around the code of a character which the type lacks."""
    return printable("\0", ())


def new_page(title: str, font: Path = FONT) -> FPDF:
    """A document of one empty page."""
    page = FPDF(format="A4")
    page.set_title(title)
    page.add_font("song", fname=str(font))
    page.add_page()
    return page


def write_facts(page: FPDF, facts: Iterable[tuple[str, str]], *, left: int, label: int, width: int, size: int) -> None:
    """Name and value, line by line: where a line begins, how wide name and value are (mm), the size of the type."""
    for name, value in facts:
        page.set_x(left)
        page.set_font("song", size=size)
        page.set_text_color(90, 90, 90)
        page.cell(label, 10, name)
        page.set_text_color(0, 0, 0)
        page.multi_cell(width, 10, settled(page, value), new_x="LMARGIN", new_y="NEXT")


def write_code(page: FPDF, address: str, *, x: int, y: int, width: int) -> None:
    """A QR code that leads to this address (mm)."""
    image = io.BytesIO()
    segno.make(address, error="m").save(image, kind="png", scale=8, border=2)
    page.image(image, x=x, y=y, w=width)

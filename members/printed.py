"""A printed A4 page in the house's type: what certificate, receipt and the agent's form have in common."""

import io
import string
import tempfile
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pylopdf_fonts_zh_cn
import segno
from fontTools import subset, ttLib
from fpdf import FPDF

FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"


def printable(text: str, known: Container[int]) -> str:
    """The text with every character that the font lacks written as its code, so that a rare name is never silently blank.

    >>> printable("䶮𠮷", {ord("䶮")})
    '䶮〔U+20BB7〕'
    """
    return "".join(c if ord(c) in known else f"〔U+{ord(c):X}〕" for c in text)


@contextmanager
def small_font(texts: Iterable[str]) -> Iterator[Path]:
    """The house's type cut down to the characters of these texts, for as long as the block runs: a page in it is made ten times
    faster than one that has to be cut out of the whole type."""
    options = subset.Options(notdef_outline=True, recommended_glyphs=True)
    font, cutter = ttLib.TTFont(str(FONT)), subset.Subsetter(options)
    cutter.populate(text="".join({*string.printable, *printable_marks(), *"".join(texts)}))
    cutter.subset(font)
    with tempfile.NamedTemporaryFile(suffix=".otf") as file:
        font.save(file.name)
        font.close()
        yield Path(file.name)


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
        page.multi_cell(width, 10, printable(value, page.fonts["song"].cmap), new_x="LMARGIN", new_y="NEXT")


def write_code(page: FPDF, address: str, *, x: int, y: int, width: int) -> None:
    """A QR code that leads to this address (mm)."""
    image = io.BytesIO()
    segno.make(address, error="m").save(image, kind="png", scale=8, border=2)
    page.image(image, x=x, y=y, w=width)

"""A printed A4 page in the house's type: what certificate, receipt and the agent's form have in common."""

import io
from collections.abc import Container, Iterable
from pathlib import Path

import pylopdf_fonts_zh_cn
import segno
from fpdf import FPDF

FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"


def printable(text: str, known: Container[int]) -> str:
    """The text with every character that the font lacks written as its code, so that a rare name is never silently blank.

    >>> printable("䶮𠮷", {ord("䶮")})
    '䶮〔U+20BB7〕'
    """
    return "".join(c if ord(c) in known else f"〔U+{ord(c):X}〕" for c in text)


def new_page(title: str) -> FPDF:
    """A document of one empty page."""
    page = FPDF(format="A4")
    page.set_title(title)
    page.add_font("song", fname=str(FONT))
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

"""The certificate is a real PDF with every character of a name on it, rare ones as their code, and a code that leads to its page."""

import io
from collections.abc import Iterator

import pytest
import segno
from pypdf import PageObject, PdfReader

from members import certificate
from members.models import Enrolment
from tests.factories.world import JOINED, World
from unionaid.lib.calendar import frozen
from unionaid.lib.pdf import Case, Face, Page
from unionaid.offices.scope import everywhere

ADDRESS = "https://example.org/verify/0f5ae709-8eca-4693-92ec-d65b3cc50bb8"


@pytest.fixture
def cover(world: World) -> Iterator[Enrolment]:
    with everywhere(reason="arrange"), frozen(JOINED):
        made = world.cover(world.member(101, "䶮𠮷㛃𪚥"))
        yield Enrolment.objects.select_related("member", "program", "terms", "unit", "office").get(pk=made.pk)


def _page(content: bytes) -> PageObject:
    return PdfReader(io.BytesIO(content)).pages[0]


def _squares(page: PageObject) -> list[list[int]]:
    """The code on the page, row by row, without the white around it."""
    image = page["/Resources"]["/XObject"]["/Code"]  # type: ignore[index]
    side, data = image["/Width"], image.get_data()
    row = (side + 7) // 8
    bits = [f"{int.from_bytes(data[at * row : (at + 1) * row], 'big'):0{row * 8}b}" for at in range(side)]
    assert "1" not in bits[0] + bits[1]
    return [[int(bit) for bit in line[2 : side - 2]] for line in bits[2:-2]]


def test_a_rare_character_is_never_blank_and_the_code_leads_to_the_page(cover: Enrolment) -> None:
    pdf = certificate.render(cover, verify_url=ADDRESS)
    text = _page(pdf).extract_text()
    assert "䶮𠮷㛃〔U+2A6A5〕" in text, "what any of the fonts has is shown as itself, what none has by its code"
    assert "职工互助保障凭证" in text
    assert _squares(_page(pdf)) == [list(row) for row in segno.make(ADDRESS, error="m").matrix]
    forged = ADDRESS.replace("0f5ae709", "1f5ae709")
    assert _squares(_page(pdf)) != [list(row) for row in segno.make(forged, error="m").matrix]
    together = certificate.render(cover, verify_url=ADDRESS, case=certificate.case_for([cover]))
    assert _page(together).extract_text() == text, "printed with others it says the same"
    assert together == certificate.render(cover, verify_url=ADDRESS, case=certificate.case_for([cover]))


# Every letter is half as wide as the type is high, so 10 points are 5 points: 1.76 mm.
LETTERS = Face("Test", b"", {letter: (at, 500) for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz ", start=1)})
CHINESE = {character: Face(character, b"", {character: (1, 1000)}) for character in "单位名称"}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("ab cd", ["ab cd"]),
        ("abcd efgh ij", ["abcd efgh", "ij"]),  # behind a space
        ("abcdefghijklm", ["abcdefghij", "klm"]),  # a word that is too long, anywhere
        ("单位名称单位", ["单位名称单", "位"]),
        ("单位 abcdefgh", ["单位", "abcdefgh"]),
    ],
)
def test_lines_are_broken_where_they_are_read_well(text: str, lines: list[str]) -> None:
    case = Case(LETTERS, CHINESE)
    assert case.lines(text, 10, 17.7) == lines
    assert all(case.width(line, 10) <= 17.7 for line in lines)


def test_what_the_type_lacks_is_an_error_and_not_a_blank() -> None:
    page = Page("x", Case(LETTERS, CHINESE))
    with pytest.raises(KeyError):
        page.text(10, 10, "龘", size=10)

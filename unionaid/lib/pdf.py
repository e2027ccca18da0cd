"""One A4 page as a PDF, written in type that was cut before: no page cuts its own, so that a thousand pages cost little more than
their letters. Lengths are millimetres from the upper left corner, sizes of type are points."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 210.0, 297.0
POINT = 25.4 / 72  # mm


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """Cut type: the outlines (a CFF font with the glyphs' own numbers, deflated), and for each character the number and the width (in
    thousandths of the size) of its glyph."""

    name: str
    outlines: bytes
    glyphs: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Case:
    """All the type of a page: the house's face, and a face of its own for each character that the house's lacks."""

    house: Face
    apart: Mapping[str, Face]

    def face_of(self, character: str) -> Face | None:
        """The face that has the character; None when none has."""
        return self.house if character in self.house.glyphs else self.apart.get(character)

    def width(self, text: str, size: float) -> float:
        """How long a line of these characters is (mm)."""
        found = ((self.face_of(character), character) for character in text)
        return sum(face.glyphs[character][1] for face, character in found if face) * size * POINT / 1000

    def lines(self, text: str, size: float, width: float) -> list[str]:
        """The text broken into lines no longer than this (mm): behind a space, or beside a character that is no Latin letter."""
        lines, line, taken = [], "", 0.0
        for piece in _pieces(text):
            if line and taken + self.width(piece.rstrip(), size) > width:
                lines.append(line.rstrip())
                line, taken = "", 0.0
            for character in piece:  # a word longer than the line is broken anywhere
                wide = self.width(character, size)
                if line and character != " " and taken + wide > width:
                    lines.append(line)
                    line, taken = "", 0.0
                line, taken = line + character, taken + wide
        return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """What is not torn apart: Latin words with the space behind them, every other character alone.

    >>> _pieces("共 12 人 ok")
    ['共', ' ', '12 ', '人', ' ', 'ok']
    """
    found: list[str] = []
    for character in text:
        if found and found[-1].isascii() and not found[-1].endswith(" ") and character.isascii():
            found[-1] += character
        else:
            found.append(character)
    return found


class Page:
    """A page that is drawn on and then written out. `title`: what a reader shows above it."""

    def __init__(self, title: str, case: Case) -> None:
        self.title, self.case = title, case
        self._drawn: list[str] = []
        self._faces: dict[Face, int] = {}
        self._code: tuple[int, bytes] | None = None

    def text(self, x: float, y: float, text: str, *, size: float, grey: float = 0) -> None:
        """Characters from here on, standing on this line. KeyError for one that the type does not have."""
        parts = [f"BT {grey:.2f} g {x / POINT:.2f} {(HEIGHT - y) / POINT:.2f} Td"]
        for face, numbers in self._runs(text):
            at = self._faces.setdefault(face, len(self._faces))
            parts.append(f"/F{at} {size:g} Tf <{''.join(f'{number:04X}' for number in numbers)}> Tj")
        self._drawn.append(" ".join([*parts, "ET"]))

    def _runs(self, text: str) -> list[tuple[Face, list[int]]]:
        runs: list[tuple[Face, list[int]]] = []
        for character in text:
            face = self.case.face_of(character)
            if face is None:
                raise KeyError(character)
            if not runs or runs[-1][0] is not face:
                runs.append((face, []))
            runs[-1][1].append(face.glyphs[character][0])
        return runs

    def box(self, x: float, y: float, width: float, height: float, *, line: float = 0.2, colour: tuple[int, int, int] = (0, 0, 0)) -> None:
        """The outline of a rectangle with this upper left corner."""
        red, green, blue = (f"{part / 255:.3f}" for part in colour)
        corner = f"{x / POINT:.2f} {(HEIGHT - y - height) / POINT:.2f} {width / POINT:.2f} {height / POINT:.2f}"
        self._drawn.append(f"{red} {green} {blue} RG {line / POINT:.2f} w {corner} re S")

    def squares(self, rows: Sequence[Sequence[int]], *, x: float, y: float, width: float) -> None:
        """A square of little squares, black where not 0, as a QR code has them. One a page."""
        packed = b"".join(bytes(_packed(row)) for row in rows)
        self._code = (len(rows), packed)
        side = width / POINT
        self._drawn.append(f"q {side:.2f} 0 0 {side:.2f} {x / POINT:.2f} {(HEIGHT - y - width) / POINT:.2f} cm /Code Do Q")

    def written(self) -> bytes:
        """The file. The same drawing gives the same bytes."""
        file = _File()
        fonts = " ".join(f"/F{at} {_font(file, face)} 0 R" for face, at in self._faces.items())
        images = f"/XObject << /Code {_image(file, *self._code)} 0 R >>" if self._code else ""
        content = file.stream("\n".join(self._drawn).encode("ascii"))
        pages = file.next + 1
        size = f"{WIDTH / POINT:.2f} {HEIGHT / POINT:.2f}"
        resources = f"<< /Font << {fonts} >> {images} >>"
        page = file.add(f"<< /Type /Page /Parent {pages} 0 R /MediaBox [0 0 {size}] /Resources {resources} /Contents {content} 0 R >>")
        file.add(f"<< /Type /Pages /Kids [{page} 0 R] /Count 1 >>")
        root = file.add(f"<< /Type /Catalog /Pages {pages} 0 R /ViewerPreferences << /DisplayDocTitle true >> >>")
        told = file.add(f"<< /Title <FEFF{self.title.encode('utf-16-be').hex().upper()}> >>")
        return file.closed(root, told)


def _packed(row: Sequence[int]) -> list[int]:
    """A row of bits, eight a byte.

    >>> _packed([1, 0, 0, 0, 0, 0, 0, 0, 1])
    [128, 128]
    """
    bits = [1 if bit else 0 for bit in row]
    bits += [0] * (-len(bits) % 8)
    return [int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, len(bits), 8)]


class _File:
    """The numbered parts of a file, one behind the other."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    @property
    def next(self) -> int:
        return len(self._parts) + 1

    def add(self, body: str) -> int:
        return self._keep(body.encode("ascii"))

    def stream(self, data: bytes, about: str = "", *, deflated: bool = False) -> int:
        data = data if deflated else zlib.compress(data)
        head = f"<< {about} /Filter /FlateDecode /Length {len(data)} >>\nstream\n"
        return self._keep(head.encode("ascii") + data + b"\nendstream")

    def _keep(self, body: bytes) -> int:
        self._parts.append(body)
        return len(self._parts)

    def closed(self, root: int, told: int) -> bytes:
        """All of it, with the table of where each part begins."""
        out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
        for number, body in enumerate(self._parts, start=1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        end = f"trailer\n<< /Size {len(places) + 1} /Root {root} 0 R /Info {told} 0 R >>\nstartxref\n{table}\n%%EOF\n"
        return bytes(out + end.encode("ascii"))


def _font(file: _File, face: Face) -> int:
    outlines = file.stream(face.outlines, "/Subtype /CIDFontType0C", deflated=True)
    shape = "/Flags 4 /FontBBox [-1000 -300 2000 1200] /ItalicAngle 0 /Ascent 1160 /Descent -288 /CapHeight 733 /StemV 80"
    descriptor = file.add(f"<< /Type /FontDescriptor /FontName /{face.name} {shape} /FontFile3 {outlines} 0 R >>")
    widths = " ".join(f"{number} [{width}]" for number, width in sorted(face.glyphs.values()) if width != 1000)
    system = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
    glyphs = file.add(
        f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{face.name} {system} /FontDescriptor {descriptor} 0 R /DW 1000 /W [{widths}] >>"
    )
    meant = file.stream(_meaning(face).encode("ascii"))
    head = f"/Type /Font /Subtype /Type0 /BaseFont /{face.name} /Encoding /Identity-H"
    return file.add(f"<< {head} /DescendantFonts [{glyphs} 0 R] /ToUnicode {meant} 0 R >>")


def _meaning(face: Face) -> str:
    """Which character each glyph stands for, so that the text can be searched, copied and read aloud."""
    pairs = [f"<{number:04X}> <{character.encode('utf-16-be').hex().upper()}>" for character, (number, _w) in sorted(face.glyphs.items())]
    blocks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Meaning def /CMapType 2 def"
    tail = "endcmap CMapName currentdict /CMap defineresource pop end end"
    return f"{head}\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n{body}\n{tail}"


def _image(file: _File, side: int, packed: bytes) -> int:
    about = f"/Type /XObject /Subtype /Image /Width {side} /Height {side} /ColorSpace /DeviceGray /BitsPerComponent 1 /Decode [1 0]"
    return file.stream(packed, about)

"""Sealed bytes open only where they belong; files are what their bytes say."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from PIL import Image

from unionaid.lib.cipher import CipherError, Keyring
from unionaid.lib.spreadsheet import Column, Sheet, SpreadsheetError, read_table, write_workbook
from unionaid.lib.uploads import UploadError, inspect

RING = Keyring.from_text("a:" + "A" * 43 + ",b:" + "B" * 43, "C" * 43)


@given(st.text(), st.integers())
def test_what_is_sealed_opens_for_its_row_only(text: str, row: int) -> None:
    plain = text.encode("utf-8", "surrogatepass")
    sealed = RING.seal(plain, bound_to=("t", "c", row))
    assert RING.open(sealed, bound_to=("t", "c", row)) == plain
    with pytest.raises(CipherError):
        RING.open(sealed, bound_to=("t", "c", row + 1))


def test_a_flipped_bit_is_found() -> None:
    sealed = bytearray(RING.seal("360426199101010071", bound_to=("t", "c", 1)))
    sealed[-1] ^= 1
    with pytest.raises(CipherError):
        RING.open(bytes(sealed), bound_to=("t", "c", 1))


def test_old_keys_still_open_after_a_rotation() -> None:
    old = Keyring.from_text("b:" + "B" * 43, "C" * 43)
    assert RING.open_text(old.seal("x", bound_to=("t", "c", 1)), bound_to=("t", "c", 1)) == "x"
    with pytest.raises(CipherError):
        old.open(RING.seal("x", bound_to=("t", "c", 1)), bound_to=("t", "c", 1))


@pytest.mark.parametrize("algorithm", [1, 2])
def test_what_is_sealed_among_many_opens_like_any_other(algorithm: int) -> None:
    ring = Keyring({"k": bytes(range(32))}, "k", b"b" * 32, algorithm)
    seal = ring.seal_many(("t", "c"))
    sealed = [seal("3604261991", row) for row in range(1_500)]  # more than are drawn at a time
    assert len(set(sealed)) == len(sealed)
    assert {ring.open_text(one, bound_to=("t", "c", row)) for row, one in enumerate(sealed)} == {"3604261991"}
    with pytest.raises(CipherError):
        ring.open(sealed[7], bound_to=("t", "c", 8))


def test_what_is_hashed_among_many_is_found_like_any_other() -> None:
    ring = Keyring({"k": bytes(range(32))}, "k", b"b" * 32)
    blind = ring.blind_many("phone")
    assert [blind("13800138000"), blind("13900139000")] == [ring.blind("phone", "13800138000"), ring.blind("phone", "13900139000")]
    assert blind("13800138000") != ring.blind_many("id_number")("13800138000")


def test_formulas_in_text_stay_text() -> None:
    out = io.BytesIO()
    cells = [["=1+1", 12345, "@SUM(A1)"]]
    write_workbook(out, [Sheet("s", "t", [Column("a"), Column("b", "yuan"), Column("c")], cells)])
    sheet = load_workbook(out).active
    assert [cell.data_type for cell in sheet[3]] == ["s", "n", "s"]
    assert sheet["B3"].value == 123.45


def _xlsx(rows: list[list[object]]) -> bytes:
    out = io.BytesIO()
    write_workbook(out, [Sheet("s", "t", [Column("姓名"), Column("身份证号")], rows)])
    return out.getvalue()


def test_a_roster_is_read_as_text() -> None:
    table = read_table(_xlsx([["张三", "360426199101010071"]]), "a.xlsx")
    assert table.header == ["姓名", "身份证号"]
    assert table.rows == [["张三", "360426199101010071"]]


@pytest.mark.parametrize(
    "data",
    [b"", b"%PDF-1.4", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"\x00\x01\x02", b"\xff\xfe\xfd" * 9],
)
def test_an_unreadable_roster_says_so(data: bytes) -> None:
    with pytest.raises(SpreadsheetError):
        read_table(data, "名册.xlsx")


def test_a_zip_bomb_is_refused_before_it_is_parsed() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (301 * 1024 * 1024))
    with pytest.raises(SpreadsheetError, match="展开"):
        read_table(out.getvalue(), "a.xlsx")


def test_csv_in_both_encodings() -> None:
    for encoding in ("utf-8-sig", "gb18030"):
        table = read_table("姓名,身份证号\n䶮小𠮷,1\n".encode(encoding), "a.csv")
        assert table.rows == [["䶮小𠮷", "1"]]


def test_a_photo_is_written_anew_without_its_place() -> None:
    image, out = Image.new("RGB", (40, 30), "red"), io.BytesIO()
    exif = Image.Exif()
    exif[0x8825] = {1: "N"}
    image.save(out, "JPEG", exif=exif)
    clean = inspect(out.getvalue() + b"<script>alert(1)</script>", "../../x.php")
    assert b"script" not in clean.content
    assert clean.file_name == "x.jpg"
    assert not Image.open(io.BytesIO(clean.content)).getexif()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg onload=alert(1)>",
        b"<html><script>",
        b"GIF89a",
        b"MZ\x90",
        b"%PDF-1.4\n1 0 obj<</OpenAction 2 0 R>>\nstartxref\n0\n%%EOF",
        b"%PDF-1.4\n1 0 obj<</#4aavaScript (x)>>\nstartxref\n0\n%%EOF",
        b"%PDF-1.4 cut",
        b"\xff\xd8\xff\xe0 cut",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_hostile_files_are_refused(data: bytes) -> None:
    with pytest.raises(UploadError):
        inspect(data, "photo.jpg")

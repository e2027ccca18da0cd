"""Whatever file is sent in, it ends in a refusal that says what to do instead, or in a copy that can do no harm."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from unionaid.lib import uploads
from unionaid.lib.uploads import MAX_BYTES, UploadError, inspect, safe_name

SCRIPT, PHP = b"<script>alert(1)</script>", b"<?php system($_GET[0]); ?>"
CJK = re.compile(r"[\u4e00-\u9fff]")


# -- how the files are made -----------------------------------------------------------------------------------------


def photo(kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **save: object) -> bytes:
    out = io.BytesIO()
    image = Image.new(mode, size, 128 if mode in ("L", "I;16", "P", "1") else (40, 80, 120, 128)[: len(Image.new(mode, (1, 1)).getbands())])
    image.save(out, kind, **save)
    return out.getvalue()


def turned(orientation: int, *, located: bool = False, scale: int = 1) -> bytes:
    """A photo, red on top, that says which way is up, and where it was taken."""
    image, exif = Image.new("RGB", (60 * scale, 40 * scale), "blue"), Image.Exif()
    image.paste("red", (0, 0, 60 * scale, 10 * scale))
    exif[0x0112] = orientation
    if located:
        exif[0x8825] = {1: "N", 2: (38.0, 17.0, 5.0), 3: "E", 4: (109.0, 44.0, 3.0)}
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


def of_a_phone(orientation: int, *, scale: int = 1) -> bytes:
    """The same as a phone keeps it: HEIC, which way is up told beside the picture, and where it was taken."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(turned(orientation, located=True, scale=scale))) as image:
        image.save(out, "HEIF", exif=image.info["exif"], quality=95)
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A small HEIC that says it is this large."""
    data = photo("HEIF", size=(64, 64))
    place = data.index(b"ispe") + 8
    return data[:place] + struct.pack(">II", width, height) + data[place + 8 :]


def animated(kind: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A grey PNG that claims this size; its points are all black, or are not there."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def deep(level: int = 1) -> bytes:
    """Sixteen bits a point: a slope from black to white."""
    image = Image.frombytes("I;16", (256, 2), b"".join(struct.pack("<H", x * 256 * level) for x in range(256)) * 2)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def pdf(*objects: bytes, trailer: bytes = b"", after: bytes = b"", pages: int = 1) -> bytes:
    """A PDF of empty pages with these objects besides, its table of contents in order."""
    kids = b" ".join(b"%d 0 R" % (3 + i) for i in range(pages))
    page = b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 99 99]>>"
    bodies = [b"<</Type /Catalog /Pages 2 0 R>>", b"<</Type /Pages /Kids [%s] /Count %d>>" % (kids, pages), *[page] * pages, *objects]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Root 1 0 R /Size %d %s>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, trailer, start)
    return bytes(out) + after


def stream(content: bytes, words: bytes = b"/Filter /FlateDecode", *, packed: bool = True) -> bytes:
    body = zlib.compress(content, 9) if packed else content
    return b"<<%s /Length %d>>\nstream\n%s\nendstream" % (words, len(body), body)


def hidden(content: bytes, words: bytes = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode") -> bytes:
    return stream(b"9 0 " + content, words)


def written(change: Callable[[PdfWriter], object]) -> bytes:
    """A PDF as a common program writes it, with this done to it."""
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    change(writer)
    writer.write(out)
    return out.getvalue()


def acting() -> DictionaryObject:
    return DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")})


def archive(name: str, content: bytes = b"0" * 1000) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
    return out.getvalue()


def bomb(megabytes: int) -> bytes:
    """So many megabytes of nothing, packed."""
    packer = zlib.compressobj(9)
    zeros = b"\0" * (1 << 20)
    return b"".join([*(packer.compress(zeros) for _ in range(megabytes)), packer.flush()])


JS = b"<</S /JavaScript /JS (app.alert(1))>>"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64
ONLY, BROKEN, LARGE = "只能上传照片", "不完整或已损坏", "像素太大"
ACTS, CUT, COMPLEX = "脚本、附件或密码", "PDF 文件不完整", "太复杂"

# name of the file → (bytes, what the refusal says; empty: a harmless copy)
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    # what is no photo and no PDF, whatever it is called
    "empty.jpg": (lambda: b"", "文件是空的"),
    "eleven-megabytes.jpg": (lambda: photo() + b"\0" * MAX_BYTES, "超过 10 MB"),
    "script.svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", ONLY),
    "svg-as.jpg": (lambda: b"<?xml version='1.0'?><svg><script>alert(1)</script></svg>", ONLY),
    "page.html": (lambda: b"<!doctype html><html>" + SCRIPT, ONLY),
    "page-as.jpg": (lambda: b"<html>" + SCRIPT, ONLY),
    "shell.php.jpg": (lambda: PHP, ONLY),
    "programme.exe": (lambda: b"MZ\x90\0" + b"\0" * 400, ONLY),
    "script-and.gif": (lambda: b"GIF89a/*" + b"\0" * 40 + b"*/=1;alert(1)", ONLY),
    "moving.gif": (lambda: animated("GIF"), ONLY),
    "picture.bmp": (lambda: photo("BMP"), ONLY),
    "picture.tiff": (lambda: photo("TIFF"), ONLY),
    "postscript.eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(cat) run", ONLY),
    "letters.txt": (lambda: "结算单".encode("utf-16"), ONLY),
    "all-bytes.jpg": (lambda: bytes(range(256)) * 8, ONLY),
    "packed.zip": (lambda: archive("a.txt"), "压缩包"),
    "bomb.zip": (lambda: archive("a.txt", b"0" * (8 << 20)), "压缩包"),
    "bomb.xlsx": (lambda: archive("xl/worksheets/sheet1.xml", b"0" * (8 << 20)), "压缩包"),
    "old-office.doc": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "压缩包"),
    "head-alone.heic": (lambda: HEIC, "HEIC"),
    "cut-head.heic": (lambda: HEIC[:20], "HEIC"),
    "picture.avif": (lambda: photo("AVIF"), "AVIF"),
    # two things at once
    "zip-behind.jpg": (lambda: photo() + archive("shell.php", PHP), ""),
    "php-behind.jpg": (lambda: photo() + PHP, ""),
    "php-in-the-comment.jpg": (lambda: photo(comment=PHP), ""),
    "script-in-the-profile.jpg": (lambda: photo(icc_profile=SCRIPT * 20), ""),
    "script-in-a-text.png": (lambda: png(8, 8, chunk(b"tEXt", b"Comment\0" + SCRIPT), chunk(b"IDAT", zlib.compress(b"\0" * 72))), ""),
    "php-behind.png": (lambda: photo("PNG") + PHP, ""),
    "page-in-a.webp": (lambda: photo("WEBP", exif=b"Exif\0\0" + SCRIPT), ""),
    "zip-behind.pdf": (lambda: pdf(after=archive("shell.php", PHP)), CUT),
    "page-behind.pdf": (lambda: pdf(after=SCRIPT), CUT),
    "php-behind.heic": (lambda: photo("HEIF") + PHP, ""),
    "script-in-the-notes.heic": (lambda: photo("HEIF", exif=b"Exif\0\0" + SCRIPT, xmp=SCRIPT), ""),
    "photo-before.pdf": (lambda: photo() + pdf(), ""),
    # broken and cut
    "cut.jpg": (lambda: photo(size=(400, 300))[:-400], BROKEN),
    "head-alone.jpg": (lambda: b"\xff\xd8\xff\xe0", ONLY),
    "cut.png": (lambda: photo("PNG", size=(400, 300))[:-60], BROKEN),
    "no-points.png": (lambda: png(8, 8), BROKEN),
    "cut.webp": (lambda: photo("WEBP", size=(400, 300))[:-40], BROKEN),
    "cut.heic": (lambda: photo("HEIF", size=(400, 300))[:-60], BROKEN),
    "cut-in-the-middle.heic": (lambda: photo("HEIF", size=(400, 300))[:200], "HEIC"),
    "smaller-than-it-is.heic": (lambda: claiming(8, 8), BROKEN),
    "no-size.heic": (lambda: claiming(0, 0), "HEIC"),
    "no-size.png": (lambda: png(0, 0, chunk(b"IDAT", zlib.compress(b""))), ONLY),
    # too much
    "144-megapixels.png": (lambda: png(12000, 12000, chunk(b"IDAT", bomb(144))), LARGE),
    "144-megapixels-claimed.png": (lambda: png(12000, 12000), LARGE),
    "four-thousand-million-wide.png": (lambda: png(2**31 - 1, 1), LARGE),
    "51-megapixels.png": (lambda: png(10200, 5000), LARGE),
    "144-megapixels-claimed.heic": (lambda: claiming(12000, 12000), LARGE),
    "four-thousand-million-wide.heic": (lambda: claiming(2**31 - 1, 2**31 - 1), LARGE),
    "text-bomb.png": (lambda: png(8, 8, chunk(b"zTXt", b"a\0\0" + bomb(80)), chunk(b"IDAT", zlib.compress(b"\0" * 72))), BROKEN),
    "stream-bomb.pdf": (lambda: pdf(b"<</Filter /FlateDecode>>\nstream\n" + bomb(130) + b"\nendstream"), COMPLEX),
    "packed-twice.pdf": (lambda: pdf(stream(zlib.compress(b"0" * 99), b"/Filter [/FlateDecode /FlateDecode]")), COMPLEX),
    "ten-thousand-pages.pdf": (lambda: pdf(pages=10_000), "页数太多"),
    # photos that are unusual and good
    "moving.png": (lambda: animated("PNG"), ""),
    "moving.webp": (lambda: animated("WEBP"), ""),
    "printers-colours.jpg": (lambda: photo(mode="CMYK"), ""),
    "grey.jpg": (lambda: photo(mode="L"), ""),
    "clear.png": (lambda: photo("PNG", mode="RGBA"), ""),
    "palette.png": (lambda: photo("PNG", mode="P"), ""),
    "sixteen-bits.png": (lambda: deep(), ""),
    "with-its-place.jpg": (lambda: turned(1, located=True), ""),
    "of-a-phone.heic": (lambda: of_a_phone(1), ""),
    "clear.heic": (lambda: photo("HEIF", mode="RGBA"), ""),
    "series.heic": (lambda: animated("HEIF"), ""),
    **{f"turned-{way}.jpg": ((lambda way=way: turned(way)), "") for way in range(1, 9)},
    "turned-nowhere.jpg": (lambda: turned(77), ""),
    # PDFs
    "plain.pdf": (lambda: pdf(stream(b"BT (/JS /AA) Tj ET")), ""),
    "opens-at-a-page.pdf": (lambda: pdf(b"<</OpenAction [3 0 R /Fit]>>"), ""),
    "two-letters-in-a-photo.pdf": (lambda: pdf(stream(b"\xff\xd8/AA /JS (", b"/Filter /DCTDecode", packed=False)), ""),
    "script.pdf": (lambda: pdf(JS), ACTS),
    "script-as-numbers.pdf": (lambda: pdf(b"<</S /J#61va#53cript /#4aS (x)>>"), ACTS),
    "script-hidden.pdf": (lambda: pdf(hidden(JS)), ACTS),
    "script-hidden-as-numbers.pdf": (lambda: pdf(hidden(JS, b"/Type /Obj#53tm /N 1 /First 4 /Filter /FlateDecode")), ACTS),
    "script-hidden-behind-a-false-stream.pdf": (lambda: pdf(b"<<>> %stream\n", hidden(JS)), ACTS),
    "script-on-closing.pdf": (lambda: pdf(b"<</AA <</WC 9 0 R>>>>"), ACTS),
    "opens-and-acts.pdf": (lambda: pdf(b"<</OpenAction 9 0 R>>"), ACTS),
    "starts-a-programme.pdf": (lambda: pdf(b"<</S /Launch /F (cmd.exe)>>"), ACTS),
    "file-inside.pdf": (lambda: written(lambda made: made.add_attachment("a.exe", b"MZ")), ACTS),
    "script-as-written.pdf": (lambda: written(lambda made: made.root_object.update({NameObject("/Names"): acting()})), ACTS),
    "password.pdf": (lambda: written(lambda made: made.encrypt("secret", algorithm="RC4-128")), ACTS),
    "form.pdf": (lambda: pdf(b"<</XFA [(template) 9 0 R]>>"), ACTS),
    "sends-a-form.pdf": (lambda: pdf(b"<</S /SubmitForm /F (http://x/)>>"), ACTS),
    "film.pdf": (lambda: pdf(b"<</Subtype /RichMedia>>"), ACTS),
    "packed-unreadably.pdf": (lambda: pdf(stream(b"no zlib", b"/Type /ObjStm", packed=False)), "PDF 文件已损坏"),
    "no-table.pdf": (lambda: pdf().replace(b"xref\n0", b"yref\n0", 1), CUT),
    "table-elsewhere.pdf": (lambda: re.sub(rb"startxref\n\d+", b"startxref\n99999999", pdf()), CUT),
    "cut.pdf": (lambda: pdf()[:-30], CUT),
    "head-alone.pdf": (lambda: b"%PDF-1.7\n", CUT),
}


# -- what becomes of them -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_in_words_or_copied_without_harm(name: str) -> None:
    made, said = FILES[name]
    data = made()
    if said:
        with pytest.raises(UploadError, match=said) as refused:
            inspect(data, name)
        assert CJK.search(str(refused.value))
        return
    clean = inspect(data, name)
    assert clean.file_name.endswith(".pdf" if clean.content_type == "application/pdf" else ".jpg")
    if clean.content_type == "application/pdf":
        assert len(PdfReader(io.BytesIO(clean.content)).pages) == 1
        return
    assert not any(harm in clean.content for harm in (SCRIPT, PHP, b"PK\x03\x04", b"Exif", b"GPS"))
    with Image.open(io.BytesIO(clean.content)) as copy:
        copy.load()
        assert (copy.format, copy.mode, getattr(copy, "n_frames", 1)) == ("JPEG", "RGB", 1)
        assert not copy.getexif()
        assert not {"comment", "icc_profile", "exif"} & set(copy.info)


def test_there_are_as_many_kinds_as_promised() -> None:
    assert len(FILES) >= 64


@pytest.mark.parametrize(
    ("way", "place"),
    [(1, (30, 3)), (2, (30, 3)), (3, (30, 36)), (4, (30, 36)), (5, (3, 30)), (6, (36, 30)), (7, (36, 30)), (8, (3, 30))],
)
@pytest.mark.parametrize("taken", [turned, of_a_phone])
def test_a_photo_stands_as_it_was_taken(way: int, place: tuple[int, int], taken: Callable[[int], bytes]) -> None:
    with Image.open(io.BytesIO(inspect(taken(way), "a.jpg").content)) as copy:
        red, _green, blue = copy.getpixel(place)
        assert red > 200 > 60 > blue


@pytest.mark.parametrize("taken", [turned, of_a_phone])
def test_a_photo_that_is_too_large_is_made_small_and_stands_as_it_was_taken(
    taken: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_SIDE", 100)
    with Image.open(io.BytesIO(inspect(taken(6, scale=10), "a.jpg").content)) as copy:
        assert copy.size == (67, 100)
        assert [copy.getpixel((x, 50))[0] > 200 for x in (2, 47, 53, 65)] == [False, False, True, True]
        assert not copy.getexif()


def test_sixteen_bits_stay_a_slope_and_clear_becomes_white() -> None:
    with Image.open(io.BytesIO(inspect(deep(), "a.png").content)) as copy:
        assert [abs(copy.getpixel((x, 0))[0] - x) < 12 for x in (10, 128, 245)] == [True] * 3
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(inspect(out.getvalue(), "a.png").content)) as copy:
        assert min(copy.getpixel((10, 10))) > 240


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("..\\..\\windows\\system.ini", "system.jpg"),
        ("结算单\x00.jpg.exe", "结算单.jpg.jpg"),
        ("a\r\nSet-Cookie: x=1.jpg", "aSet-Cookiex=1.jpg"),
        ("结算\u202egpj.exe", "结算gpj.jpg"),
        ("长" * 300 + ".jpg", "长" * 80 + ".jpg"),
        ("-rf.jpg", "rf.jpg"),
        (".htaccess", "htaccess.jpg"),
        ("....", "file.jpg"),
        ("", "file.jpg"),
        ("con.jpg", "_con.jpg"),
        ("LPT1.txt.jpg", "_LPT1.txt.jpg"),
        ('<img src=x onerror="a">.jpg', "imgsrc=xonerror=a.jpg"),
        ("%2e%2e%2fx.jpg", "2e2e2fx.jpg"),
        ("\ud800.jpg", "jpg.jpg"),
    ],
)
def test_a_name_is_fit_to_be_shown_and_saved(name: str, shown: str) -> None:
    assert safe_name(name, "jpg") == shown

"""What an uploaded file really is: images are decoded and written anew without metadata, PDFs are checked for active content."""

import hashlib
import io
import re
import unicodedata
import warnings
import zlib
from dataclasses import dataclass

import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 2600
MAX_PDF_PAGES, MAX_STREAMS = 300, 20_000
# What a PDF unpacks to at most: in one stream, and in all; a page of a scan unpacks to some 30 MB.
MAX_STREAM, MAX_UNPACKED = 120 * 1024 * 1024, 600 * 1024 * 1024
MAX_OBJECTS = 32 * 1024 * 1024  # of one stream of objects
# An opening action that is a list names but the page to begin with.
_ACTIVE = re.compile(
    rb"/(JavaScript|OpenAction(?!\s*\[)|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToR|GoToE|Encrypt)\b"
)
# Two letters stand by chance in the bytes of any photo, so these are looked for outside of streams alone.
_ACTIVE_SHORT = re.compile(rb"/(JS|AA)(?=[\s(<\[/])")
_ACTIVE_WORDS = "PDF 文件里有脚本、附件或密码，请打印成普通 PDF 或拍照上传"
_COMPLEX_WORDS = "PDF 文件太复杂，请拍照上传"
_STREAM = re.compile(rb"(?<!end)stream[ \t]*(?:\r\n?|\n)")
_TWICE_PACKED = re.compile(rb"/(?:FlateDecode|Fl)\b\s*/(?:FlateDecode|Fl)\b")
_PHOTOS = ("JPEG", "PNG", "WEBP", "HEIF")
_SHRINKABLE = ("RGB", "RGBA", "L", "LA", "CMYK", "YCbCr")  # made smaller as they are; others once they have colours
# Phones keep photos as HEIC. The picture alone is read: no small copy of it, no depth, no layers.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
# What the leading bytes of a file tell, where there is better advice than "only photos and PDF".
_KNOWN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (
        re.compile(rb"....ftyp(heic|heix|hevc|hevx|heim|heis|mif1|msf1|avif|avis)", re.DOTALL),
        "这张手机照片（HEIC 或 AVIF）打不开，请在手机里另存为 JPG，或直接用这个页面拍照上传",
    ),
    (re.compile(rb"PK[\x03\x05]"), "这是压缩包或办公文件，请拍照，或另存为 PDF 再上传"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "这是压缩包或办公文件，请拍照，或另存为 PDF 再上传"),
)
# Names that stand for devices on the machines that papers are saved to.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


class UploadError(ValueError):
    """The file is refused; the message says what is wrong and what to send instead."""


@dataclass(frozen=True, slots=True)
class CleanUpload:
    """A harmless copy: content type, bytes, a safe name to show, SHA-256 of the bytes as uploaded."""

    content_type: str
    content: bytes
    file_name: str
    sha256: str


def inspect(data: bytes, file_name: str) -> CleanUpload:
    """The harmless copy of a photo (JPEG, PNG, WebP, HEIC) or PDF. UploadError for anything else: what the bytes are
    decides, never the name. The hash is of the bytes as uploaded, so the same photo sent twice is recognised."""
    if not data:
        raise UploadError("文件是空的，请重新拍照或选择文件")
    if len(data) > MAX_BYTES:
        raise UploadError("文件超过 10 MB，请拍得小一些或分开上传")
    digest = hashlib.sha256(data).hexdigest()
    if data.startswith(b"%PDF-"):
        _refuse_active_pdf(data)
        return CleanUpload("application/pdf", data, safe_name(file_name, "pdf"), digest)
    return CleanUpload("image/jpeg", _clean_image(data), safe_name(file_name, "jpg"), digest)


def _clean_image(data: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_PHOTOS) as image:
                _refuse_large(image)
                image.draft(None, (MAX_SIDE, MAX_SIDE))  # a large JPEG is read at half its size, or less
                image.load()
                _refuse_large(image)  # a HEIC may turn out larger than it said
                if image.mode in _SHRINKABLE:  # before it is copied: a photo of 48 megapixels is 150 MB
                    image.thumbnail((MAX_SIDE, MAX_SIDE))
                upright = _plain(_upright(image))
    except UploadError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UploadError("照片像素太大，请用手机普通模式重新拍照") from error
    except UnidentifiedImageError as error:
        words = next((words for known, words in _KNOWN if known.match(data)), "只能上传照片（JPG、PNG、HEIC）或 PDF 文件，请重新选择")
        raise UploadError(words) from error
    except Exception as error:  # decoders raise many kinds of error on damaged files
        raise UploadError("照片不完整或已损坏，请重新拍照后上传") from error
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def _refuse_large(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise UploadError("照片像素太大，请用手机普通模式重新拍照")


def _upright(image: Image.Image) -> Image.Image:
    """The photo as it was taken; what it says of itself may be broken where the photo is not."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # readers of such notes raise many kinds of error
        return image


def _plain(image: Image.Image) -> Image.Image:
    """The points alone, on white: a new picture, so that no comment, profile or place of the old one goes along."""
    if image.mode.startswith("I"):  # 16 bits a point; what is wider than that is no photo
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    seen = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
    plain = Image.new("RGB", seen.size, "white")
    plain.paste(seen, mask=seen if seen.mode == "RGBA" else None)
    return plain


def _refuse_active_pdf(data: bytes) -> None:
    """Refuse what a PDF may do beyond being read, what does not end where it says, and what unpacks beyond measure."""
    _refuse_broken_pdf(data)
    outside, pages, after = bytearray(), 0, 0
    unpacked, end = _Unpacking(), -1
    for order, found in enumerate(_STREAM.finditer(data)):
        if order >= MAX_STREAMS:
            raise UploadError(_COMPLEX_WORDS)
        end = end if end >= found.end() else data.find(b"endstream", found.end())
        end = end if end >= 0 else len(data)
        head = _head(data, found.start())
        if found.start() >= after:  # else it stands in another stream, or in what only looks like one
            outside += data[after : found.start()]
            after = end
        elif b"/ObjStm" not in head:
            continue
        content = unpacked.unpack(memoryview(data)[found.end() : end], keep=b"/ObjStm" in head, twice=bool(_TWICE_PACKED.search(head)))
        pages += _refuse_active(content)
    pages += _refuse_active(bytes(outside + data[after:]))
    if _ACTIVE.search(_names(data)):
        raise UploadError(_ACTIVE_WORDS)
    if pages > MAX_PDF_PAGES:
        raise UploadError("PDF 页数太多，请只上传需要的几页")


def _head(data: bytes, start: int) -> bytes:
    """What is said of the stream that starts here, its names in letters."""
    before = data[max(start - 65536, 0) : start]
    at = before.rfind(b"obj")
    if at < 0:
        raise UploadError(_COMPLEX_WORDS)
    return _names(before[at:])


_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


def _refuse_active(objects: bytes) -> int:
    """How many pages these objects are; UploadError when one of them acts."""
    plain = _names(objects)
    if _ACTIVE.search(plain) or _ACTIVE_SHORT.search(plain):
        raise UploadError(_ACTIVE_WORDS)
    return len(_PAGE.findall(plain))


def _names(objects: bytes) -> bytes:
    """The same with names in letters: any letter of a name may stand there as a number."""
    return re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m.group(1), 16)]), objects)


def _refuse_broken_pdf(data: bytes) -> None:
    """The table of contents must stand where the end of the file says, and nothing may follow the end."""
    found = re.search(rb"startxref\s+(\d{1,10})\s+%%EOF[\s\x00]*\Z", data[-4096:])
    if not found or not re.match(rb"\s*(xref\b|\d+\s+\d+\s+obj\b)", data[int(found.group(1)) : int(found.group(1)) + 64]):
        raise UploadError("PDF 文件不完整，请重新导出后上传")


class _Unpacking:
    """Unpacks streams within one budget for the whole file."""

    def __init__(self) -> None:
        self.left = MAX_UNPACKED

    def unpack(self, packed: memoryview, *, keep: bool, twice: bool) -> bytes:
        """The content of a stream of objects (`keep`), where active parts can hide; of others only how much it is."""
        if twice:
            raise UploadError(_COMPLEX_WORDS)
        kept, size, unpacker = bytearray(), 0, zlib.decompressobj()
        try:
            for at in range(0, len(packed), 65536):
                piece: bytes | memoryview = packed[at : at + 65536]
                while piece and not unpacker.eof:
                    part = unpacker.decompress(piece, 1024 * 1024)
                    piece, size = unpacker.unconsumed_tail, size + len(part)
                    kept += part if keep else b""
                    self.left -= len(part)
                    if size > MAX_STREAM or self.left < 0 or len(kept) > MAX_OBJECTS:
                        raise UploadError(_COMPLEX_WORDS)
        except zlib.error:
            if keep:
                raise UploadError("PDF 文件已损坏，请重新导出后上传") from None
        return bytes(kept)


def safe_name(name: str, ending: str) -> str:
    """A name fit to be shown and offered for download: no path, no control characters, no device, the true ending."""
    leaf = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    leaf = "".join(c for c in leaf if unicodedata.category(c)[0] not in "CZ" and c not in '<>:"|?*;%')
    stem = (leaf.rpartition(".")[0] or leaf).lstrip(".-") or "file"
    return f"{'_' if _RESERVED.match(stem) else ''}{stem[:80]}.{ending}"

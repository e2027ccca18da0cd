"""What an uploaded file really is: images are decoded and written anew without metadata, PDFs are checked for active content."""

import hashlib
import io
import re
import unicodedata
import warnings
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 2600
_ACTIVE = re.compile(
    rb"/(JavaScript|JS|OpenAction|AA|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToR|GoToE|Encrypt)\b"
)


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
    """The harmless copy of a photo (JPEG, PNG, WebP) or PDF. UploadError for anything else: what the bytes are
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
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise UploadError("照片像素太大，请用手机普通模式重新拍照")
                image.load()
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except UploadError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UploadError("照片像素太大，请用手机普通模式重新拍照") from error
    except UnidentifiedImageError as error:
        raise UploadError("只能上传照片（JPG、PNG）或 PDF 文件，请重新选择") from error
    except Exception as error:  # decoders raise many kinds of error on damaged files
        raise UploadError("照片不完整或已损坏，请重新拍照后上传") from error
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def _refuse_active_pdf(data: bytes) -> None:
    if b"%%EOF" not in data[-2048:] or b"startxref" not in data[-4096:]:
        raise UploadError("PDF 文件不完整，请重新导出后上传")
    budget = 60 * 1024 * 1024
    for chunk in (data, *_streams(data)):
        budget -= len(chunk)
        if budget < 0:
            raise UploadError("PDF 文件太复杂，请拍照上传")
        plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m.group(1), 16)]), chunk)
        if _ACTIVE.search(plain):
            raise UploadError("PDF 文件里有脚本、附件或密码，请打印成普通 PDF 或拍照上传")


def _streams(data: bytes) -> list[bytes]:
    """The contents of compressed object streams, where active parts can hide."""
    found = []
    for match in re.finditer(rb"/ObjStm\b.{0,400}?stream\r?\n", data, re.DOTALL):
        try:
            found.append(zlib.decompressobj().decompress(data[match.end() :], 8 * 1024 * 1024))
        except zlib.error:
            raise UploadError("PDF 文件已损坏，请重新导出后上传") from None
    return found


def safe_name(name: str, ending: str) -> str:
    """A name fit to be shown and offered for download: no path, no control characters, the true ending."""
    leaf = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    leaf = "".join(c for c in leaf if unicodedata.category(c)[0] not in "CZ" and c not in '<>:"|?*;%')
    stem = leaf.rpartition(".")[0] or leaf or "file"
    return f"{stem[:80]}.{ending}"

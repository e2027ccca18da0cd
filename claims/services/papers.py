"""The bytes of a claim's papers."""

import io

from PIL import Image, UnidentifiedImageError

from claims.models import ClaimDocument

SMALL = (240, 240)


def content_of(paper: ClaimDocument) -> bytes:
    """The clean bytes, opened from the document store."""
    with paper.file.open() as stored:
        content: bytes = stored.read()
    return content


def small(content: bytes) -> bytes:
    """A photo made small for a list on a phone; as it is when it cannot be made small."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            image.draft("RGB", SMALL)
            image.thumbnail(SMALL)
            out = io.BytesIO()
            image.save(out, "JPEG", quality=70)
    except (UnidentifiedImageError, OSError):
        return content
    return out.getvalue()

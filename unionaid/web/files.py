"""Keeping and serving papers: sealed in the store, sent out with no-store and a sandbox."""

from typing import Any

from django.core.files.base import ContentFile
from django.db import models
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from unionaid.lib.uploads import CleanUpload

ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class KeptPaper(models.Model):
    """What is written down of every paper that is kept; a subclass adds whose it is and `file`, its place in the store."""

    file: models.FileField

    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        abstract = True


def kept(upload: CleanUpload) -> dict[str, Any]:
    """What a `KeptPaper` writes down of a clean upload, by column; the store gives the file a random name."""
    file = ContentFile(upload.content, name=f"paper.{ENDINGS[upload.content_type]}")
    return {"file": file, "file_name": upload.file_name, "content_type": upload.content_type, "sha256": upload.sha256}


def send(content: bytes, *, content_type: str, file_name: str, as_attachment: bool = False) -> HttpResponse:
    """The bytes, never cached, never sniffed, without script, forms or frames of other sites."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment, file_name) or "inline"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
    return response


def send_paper(paper: KeptPaper) -> HttpResponse:
    """A paper as it is kept, to look at in the browser. The caller has checked who asks."""
    with paper.file.open() as stored:
        return send(stored.read(), content_type=paper.content_type, file_name=paper.file_name)

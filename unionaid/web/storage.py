"""The document store: every file is sealed before it is written, whatever store lies beneath."""

from contextlib import suppress
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.crypto import get_random_string
from django.utils.deconstruct import deconstructible
from django.utils.module_loading import import_string

from unionaid.web.keys import ring


@deconstructible
class SealedStorage(Storage):
    """Seals on save and opens on read; names are random, so nothing is told by a name."""

    def __init__(self, backend: str, options: dict[str, Any] | None = None) -> None:
        self.inner: Storage = import_string(backend)(**(options or {}))

    def _open(self, name: str, mode: str = "rb") -> File:
        with self.inner.open(name, "rb") as sealed:
            return ContentFile(ring().open(sealed.read(), bound_to=("file", "content", name)), name=name)

    def _save(self, name: str, content: IO[bytes]) -> str:
        sealed = ring().seal(content.read(), bound_to=("file", "content", name))
        try:
            kept = self.inner.save(name, ContentFile(sealed))
        except OSError:  # a full disk: what was begun is no document
            with suppress(OSError):
                self.inner.delete(name)
            raise
        if kept != name:  # the name is part of the seal
            self.inner.delete(kept)
            raise OSError(f"the document store changed the name {name}")
        return kept

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        folder, _, leaf = name.replace("\\", "/").rpartition("/")
        ending = leaf.rpartition(".")[2].lower()[:5] if "." in leaf else "bin"
        return f"{folder}/{get_random_string(32)}.{ending}"

    def generate_filename(self, filename: str) -> str:
        return filename

    def delete(self, name: str) -> None:
        self.inner.delete(name)

    def exists(self, name: str) -> bool:
        return self.inner.exists(name)

    def size(self, name: str) -> int:
        return self.inner.size(name)

    def url(self, name: str | None) -> str:
        raise NotImplementedError("documents are served by views that check who asks")

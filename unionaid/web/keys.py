"""The one key ring of the house, made from the settings once per process."""

from functools import lru_cache

from django.conf import settings

from unionaid.lib.cipher import Keyring


@lru_cache(maxsize=1)
def ring() -> Keyring:
    """The key ring for sealed columns, sealed files and blind indexes."""
    return Keyring.from_text(settings.FIELD_KEYS, settings.BLIND_INDEX_KEY)

"""What background work says to people: kept in every language of the house when it is said, read in the reader's own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from django.conf import settings
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language, gettext, override

# language → sentences, as it stands in the database
Said = dict[str, list[str]]


class _Bilingual(Protocol):
    def in_language(self, language: str) -> str: ...


def _in_reading_language(words: _Bilingual) -> str:
    return words.in_language(get_language() or settings.LANGUAGE_CODE)


# A text of the rules, which stands in both languages, as a sentence that is told in the language it is read in.
spoken = lazy(_in_reading_language, str)


def each_in_every_language(many: Sequence[Iterable[str | Promise]]) -> list[Said]:
    """Each group of lazy sentences in every language. A plain text is looked up as it stands."""
    found: list[Said] = [{} for _group in many]
    for language, _name in settings.LANGUAGES:
        with override(language):
            for said, group in zip(found, many, strict=True):
                said[language] = [str(text) if isinstance(text, Promise) else gettext(text) for text in group]
    return found


def in_every_language(texts: Iterable[str | Promise]) -> Said:
    """These lazy sentences in every language."""
    return each_in_every_language([list(texts)])[0]


def sentences(said: Mapping[str, Sequence[str]]) -> list[str]:
    """What was said, in the language of the page."""
    return list(said.get(get_language() or "") or said.get(settings.LANGUAGE_CODE) or ())


def line(said: Mapping[str, Sequence[str]]) -> str:
    """What was said, in one line; empty when nothing was."""
    return ("; " if (get_language() or "").startswith("en") else "；").join(sentences(said))  # zh: between sentences

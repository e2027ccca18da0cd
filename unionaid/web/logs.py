"""Logs hold no personal numbers: long digit runs are blotted out before a line is written."""

import logging
import re

# ID numbers (17 digits and X), phones, bank accounts: any run of eleven digits or more.
_NUMBER = re.compile(r"(?<![0-9])[0-9]{4}([0-9]{5,})[0-9Xx]{2}(?![0-9])")


def scrub(text: str) -> str:
    """The text with the middle of every long number blotted out."""
    return _NUMBER.sub(lambda found: found.group(0)[:2] + "…" + "*" * 6, text)


class ScrubNumbers(logging.Filter):
    """Passes every record, without its request object (which may hold a form)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.__dict__.pop("request", None)
        return True


class ScrubbingFormatter(logging.Formatter):
    """Formats the whole line, traceback included, and scrubs it."""

    def __init__(self, format: str | None = None, **_: object) -> None:  # noqa: A002 (logging's own name)
        super().__init__(format)

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))

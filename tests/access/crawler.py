"""Walks the product as a person does: from the first page along its links, reading every page and every form."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.db import connection, reset_queries
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

EACH = 3  # how many addresses of one route are read
QUIET = ("SAVEPOINT", "RELEASE", "ROLLBACK TO")


@dataclass
class Form:
    """A form as it stands on a page: where it goes and what its fields hold."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    widths: dict[str, int] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class PageReader(HTMLParser):
    """Links, forms and the words a person sees."""

    QUIET = {"script", "style", "title", "head"}
    VOID = {"input", "meta", "link", "br", "img", "hr", "source", "col", "wbr"}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.stack: list[tuple[str, bool]] = []
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        hidden = (self.stack[-1][1] if self.stack else False) or tag in self.QUIET or "lang" in given and tag not in ("html", "body")
        if tag not in self.VOID:
            self.stack.append((tag, hidden))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img":
            self.words.append(given.get("alt", ""))
            self.links.append(given.get("src", ""))
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        if self.forms and given.get("name"):
            self._field(tag, given)
        if tag == "option" and self._select:
            self.forms[-1].options.setdefault(self._select, []).append(given.get("value", ""))
        if tag == "option" and self._select and ("selected" in given or self.forms[-1].fields[self._select] == ""):
            self.forms[-1].fields[self._select] = given.get("value", "")

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form, name, kind = self.forms[-1], given["name"], given.get("type", "text")
        if tag == "select":
            self._select, form.fields[name] = name, ""
        elif tag == "textarea":
            self._textarea, form.fields[name] = name, ""
            form.widths |= {name: int(given["maxlength"])} if "maxlength" in given else {}
        elif tag == "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input" and kind == "file":
            form.files.append(name)
        elif tag == "input" and kind in ("radio", "checkbox"):
            form.options.setdefault(name, []).append(given.get("value", "on"))
            if "checked" in given or name not in form.fields:
                form.fields[name] = given.get("value", "on")
        elif tag == "input" and kind == "submit":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input":
            form.fields[name] = given.get("value", "")
            form.widths |= {name: int(given["maxlength"])} if "maxlength" in given else {}

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        while self.stack and self.stack[-1][0] != tag:
            self.stack.pop()
        if self.stack:
            self.stack.pop()

    def handle_data(self, text: str) -> None:
        if self.stack and not self.stack[-1][1] and text.strip() and self.stack[-1][0] != "textarea":
            self.words.append(text.strip())


@dataclass
class Seen:
    """One page of the walk."""

    address: str
    route: str
    came_from: str
    answer: HttpResponse
    page: PageReader
    statements: int


def route_of(address: str) -> str:
    """The pattern behind an address."""
    try:
        return resolve(urlsplit(address).path).route
    except Resolver404:
        return "?" + urlsplit(address).path


def walk(client: Client, start: str) -> Iterator[Seen]:
    """Every page that can be reached from `start` along links, up to EACH addresses of a route; one, where it answers a file."""
    waiting, known, counts = [(start, "")], {start}, Counter[str]()
    while waiting:
        address, came_from = waiting.pop(0)
        route = route_of(address)
        counts[route] += 1
        if counts[route] > EACH:
            continue
        reset_queries()
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        statements = sum(not query["sql"].startswith(QUIET) for query in asked.captured_queries)
        reader = PageReader()
        if answer.status_code in (301, 302):
            reader.links.append(answer["Location"])
        elif "text/html" in answer.get("Content-Type", ""):
            reader.feed(answer.content.decode())
        else:
            counts[route] += EACH
        yield Seen(address, route, came_from, answer, reader, statements)
        for link in reader.links:
            target = urlsplit(urljoin(f"http://testserver{address}", link))
            if target.netloc == "testserver" and not target.path.startswith("/static/"):
                plain = target.path + (f"?{target.query}" if target.query else "")
                if plain not in known:
                    known.add(plain)
                    waiting.append((plain, address))


CODE = re.compile(r"\b[a-z]+_[a-z_]+\b")
ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
ENGLISH = re.compile(r"[A-Za-z]{3,}(?: [A-Za-z]{2,})+")
CJK = re.compile(r"[\u3400-\u9fff]")
FORBIDDEN = re.compile("保险金|理赔|保单")


def faults_of_words(page: PageReader, *, language: str, data: str = "") -> list[str]:
    """What a person should not have to read: codes, ISO dates, the other language, the words of commercial insurance."""
    found = []
    for words in page.words:
        if CODE.search(words) and ".csv" not in words and ".xlsx" not in words and "@" not in words:
            found.append(f"a code: {words[:60]}")
        if ISO_DAY.search(words) and ".xlsx" not in words and ".csv" not in words:
            found.append(f"a machine's date: {words[:60]}")
        if FORBIDDEN.search(words):
            found.append(f"a word of insurance: {words[:60]}")
        if language == "zh-hans" and ENGLISH.search(words):
            found.append(f"English: {words[:60]}")
    return found

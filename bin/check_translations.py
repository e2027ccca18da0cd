"""Every interface text has an English translation: the texts are read from the sources, the translations from locale/."""

import ast
import re
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
NAMES = {"_", "gettext", "gettext_lazy", "ngettext"}
HAN = re.compile(r"[\u3400-\u9fff]")
TAG = re.compile(r"{%\s*(?:translate|trans)\s+(\"[^\"]*\"|'[^']*')")
BLOCK = re.compile(r"{%\s*blocktranslate([^%]*)%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)


def of_python(path: Path) -> set[str]:
    """The texts passed to gettext."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES and node.args:
            if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                found.add(node.args[0].value)
    return found


def of_template(path: Path) -> set[str]:
    """The texts of translate and blocktranslate tags."""
    text = path.read_text("utf-8")
    found = {match.group(1)[1:-1] for match in TAG.finditer(text)}
    for options, body in BLOCK.findall(text):
        plain = re.sub(r"{{\s*([\w.|:\"]+)\s*}}", lambda m: f"%({m.group(1)})s", body)
        found.add(" ".join(plain.split()) if "trimmed" in options else plain)
    return found


def messages() -> set[str]:
    found: set[str] = set()
    for folder in ("unionaid", "programs", "members", "claims"):
        for path in (ROOT / folder).rglob("*.py"):
            if "migrations" not in path.parts:
                found |= of_python(path)
    for path in (ROOT / "templates").rglob("*.html"):
        found |= of_template(path)
    return {text for text in found if HAN.search(text)}


def main() -> int:
    catalogue = ROOT / "locale/en/LC_MESSAGES/django.po"
    book = polib.pofile(str(catalogue))
    known = {entry.msgid: entry for entry in book}
    missing = sorted(text for text in messages() if text not in known or not known[text].msgstr or known[text].fuzzy)
    for text in missing:
        print(f"no English for: {text}")
    compiled = catalogue.with_suffix(".mo")
    if not compiled.exists() or {e.msgid: e.msgstr for e in polib.mofile(str(compiled))} != {
        e.msgid: e.msgstr for e in book if e.msgstr
    }:
        print("locale/en/LC_MESSAGES/django.mo is not what django.po says; run bin/check_translations.py --compile")
        if "--compile" not in sys.argv:
            return 1
        book.save_as_mofile(str(compiled))
    print(f"{len(known)} texts, {len(missing)} without English")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

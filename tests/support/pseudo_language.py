"""A language of marks: what stands on a page in it without marks went through no catalogue.

Each text is its English one, with marks around each part between values. What a value brings along
so has to have marks of its own, or be of the data.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from readfirst.language import languages
from tests.messages import PLACEHOLDER
from tests.support.bare_texts import ATTRIBUTES, LETTERS, UNSPOKEN

#: A code that no language of the page has.
CODE = "nl"
OPEN, CLOSE = "⟦", "⟧"
#: Elements without an end.
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "circle", "rect"})


def speak_marks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page know the language `CODE`, whose catalogue has the texts of the German one.

    It counts as English does.
    """
    path = folder / CODE / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, _catalogue())
    monkeypatch.setattr(languages, "catalogue_path", lambda _: path)
    monkeypatch.setitem(languages.NAMES, CODE, f"{OPEN}Marks{CLOSE}")


def _catalogue() -> Catalog:
    marked = Catalog(locale=CODE, fuzzy=False)
    for message in languages.read_catalogue("de"):
        if message.pluralizable:
            forms = tuple(_marked(each) for each in message.id)
            marked.add(message.id, forms, message.locations, context=message.context)
        elif message.id:
            text = _marked(str(message.id))
            marked.add(message.id, text, message.locations, context=message.context)
    return marked


def _marked(text: str) -> str:
    parts = re.split(f"({PLACEHOLDER.pattern})", text)
    return "".join(
        part if not part.strip() or PLACEHOLDER.fullmatch(part) else f"{OPEN}{part}{CLOSE}"
        for part in parts
    )


def unmarked(page: str) -> list[str]:
    """The texts and attributes of a page with letters outside of marks.

    What is English on purpose (`lang="en"`), or no text of a language, is left out.
    """
    parser = _Unmarked()
    parser.feed(page)
    parser.close()
    return parser.texts


class _Unmarked(HTMLParser):
    """Collects what has no marks; a marked text may begin and end in different elements."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._depth = 0
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        spoken = not self._unspoken() and dict(attributes).get("lang") != "en"
        for name, value in attributes:
            if name in ATTRIBUTES and value and spoken:
                self._keep(_outside(value, 0)[0])
        if tag not in VOID:
            self._open.append((tag, tag in UNSPOKEN or not spoken))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        outside, self._depth = _outside(data, self._depth)
        if not self._unspoken():
            self._keep(outside)

    def _unspoken(self) -> bool:
        return any(unspoken for _, unspoken in self._open)

    def _keep(self, text: str) -> None:
        if LETTERS.search(text):
            self.texts.append(" ".join(text.split()))


def _outside(text: str, depth: int) -> tuple[str, int]:
    """What of a text is outside of marks, and how many are open behind it."""
    kept = []
    for sign in text:
        if sign == OPEN:
            depth += 1
        elif sign == CLOSE:
            depth -= 1
        elif depth == 0:
            kept.append(sign)
    return "".join(kept), depth

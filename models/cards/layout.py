"""The parts of a card as people read it: sections and tables of texts.

What a manifest or an evaluation says is English in each language. Within a text it stands between
the isolates of Unicode for a text of another language (U+2068, U+2069; UAX 9).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

ISOLATE, END = "\u2068", "\u2069"
_QUOTE = re.compile(f"{ISOLATE}([^{END}]*){END}")


def quoted(text: str) -> str:
    """Mark a text as that of a file, which is translated nowhere."""
    bare = without_marks(text)
    return f"{ISOLATE}{bare}{END}" if bare else ""


def without_marks(text: str) -> str:
    """A text of a card without the marks around what is quoted."""
    return text.replace(ISOLATE, "").replace(END, "")


def text_parts(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text in their order, and whether each is quoted."""
    for number, part in enumerate(_QUOTE.split(text)):
        if part:
            yield part, number % 2 == 1


@dataclass(frozen=True, slots=True)
class CardTable:
    """A table of a card. Each row has as many cells as there are columns."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class CardSection:
    """Section: texts, then items of a list, then tables. id: the same in each language."""

    id: str
    title: str
    texts: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tables: tuple[CardTable, ...] = ()

"""The parts of a card as people read it: sections and tables of texts."""

from dataclasses import dataclass


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

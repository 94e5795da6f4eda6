"""A model card as Markdown."""

from collections.abc import Iterator, Sequence

from models.cards.card import ModelCard
from models.cards.layout import CardTable, without_marks
from models.cards.sections import sections_of
from readfirst.language.texts import gettext

#: What would be markup within a line; names with underscores stay readable.
_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in "\\`*<|["})


def to_markdown(card: ModelCard) -> str:
    """Write a card as Markdown, with a line for each paragraph and each row."""
    title = gettext("Model card of ensemble {version}").format(version=card.version)
    lines = [f"# {_plain(title)}", ""]
    for section in sections_of(card):
        lines += [f"## {_plain(section.title)}", ""]
        for text in section.texts:
            lines += [_plain(text), ""]
        if section.items:
            lines += [*(f"- {_plain(item)}" for item in section.items), ""]
        for table in section.tables:
            lines += [*_table(table), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(table: CardTable) -> Iterator[str]:
    yield f"**{_plain(table.caption)}**"
    yield ""
    yield _row(table.columns)
    yield _row(["---"] * len(table.columns))
    yield from map(_row, ([_plain(cell) for cell in row] for row in table.rows))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """A text of one line that is no markup."""
    return " ".join(without_marks(text).split()).translate(_MARKUP)

"""The sentence that says who else has a study open. Pure."""

from collections.abc import Sequence

from db.worklist.readers import StudyReader
from readfirst.language.texts import gettext, ngettext

ANOTHER_WINDOW = "Open in another window"


def reader_text(others: Sequence[StudyReader], account: str | None, *, mine: bool = False) -> str:
    """Say who reads a study, and who has it open besides; empty where nobody does.

    others: the first of them reads it, unless it is mine: this account came first. Where nobody
    has to log in, all that is known is that there is another window.
    """
    names = [reader.by for reader in others if reader.by is not None and reader.by != account]
    if not names:
        return gettext(ANOTHER_WINDOW) if others else ""
    mine = mine or others[0].by == account
    first = [] if mine else [gettext("{name} is reading").format(name=names.pop(0))]
    return "; ".join([*first, *([_open_too(names)] if names else [])])


def _open_too(names: Sequence[str]) -> str:
    if len(names) > 2:
        return gettext("{number} others have it open").format(number=len(names))
    text = ngettext("{names} has it open too", "{names} have it open too", len(names))
    return text.format(names=gettext(" and ").join(names))

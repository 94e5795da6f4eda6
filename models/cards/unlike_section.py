"""The check of films that look unlike the validated ones, on the card of an ensemble."""

from collections.abc import Mapping

from models.cards.layout import CardSection, CardTable, quoted
from models.unlike.manifest_part import MarkedShare, UnlikeCheck
from readfirst.formatting import readable_share
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext


def unlike_section(check: UnlikeCheck) -> CardSection:
    """Write what the check marks, of the validated films and of others."""
    text = gettext(
        "From the pixels it marks a film that looks unlike those of the validation. The threshold "
        "was set to mark {share} of the validated films by mistake. Method: {method}."
    )
    figures = check.figures
    tables = (
        _table(gettext("Held-out films, in simulated acquisitions"), figures.acquisitions),
        _table(gettext("Held-out films, by group"), figures.groups),
        _table(gettext("Films of other people"), figures.elsewhere),
        _table(
            gettext("Films of other people, by a check that never saw their hospital"),
            figures.unseen,
        ),
        _table(
            gettext("Held-out films, by checks that never saw their group"), figures.unseen_groups
        ),
    )
    return CardSection(
        "unlike",
        gettext("Films unlike the validated ones"),
        (
            text.format(
                share=readable_share(check.false_marks), method=quoted(check.method.rstrip("."))
            ),
        ),
        (),
        tuple(table for table in tables if table.rows),
    )


def _table(caption: str, shares: Mapping[str, MarkedShare]) -> CardTable:
    columns = (gettext("Films"), gettext("Number"), gettext("Marked"), gettext("95 % interval"))
    rows = tuple(
        (
            quoted(name),
            number_text(share.films),
            readable_share(share.marked / share.films),
            f"{readable_share(share.low)}–{readable_share(share.high)}",
        )
        for name, share in shares.items()
    )
    return CardTable(caption, columns, rows)

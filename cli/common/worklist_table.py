"""The worklist as a table of one line for each study, which fits into 80 columns."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from cli.common.console import out
from db.read_models import StudyRecord
from readfirst.formatting import (
    readable_age,
    readable_name,
    readable_probability,
    short_duration,
)
from readfirst.printable import printable
from readfirst.studies.marks import VALIDITY_WORDS, Validity
from readfirst.studies.priority import PriorityReason

#: Heading and greatest width of each column but the UID. With the gaps they make 80.
COLUMNS = (
    ("#", 5),
    ("", 5),
    ("AI", 6),
    ("Patient", 15),
    ("Age", 4),
    ("Waiting", 8),
    ("Reason", 31),
)
#: A reason is never longer.
LONGEST_REASON = 40


def print_worklist(rows: Sequence[StudyRecord], *, with_uid: bool = False) -> None:
    """Print the studies, the first to be read on top. `#` is the number of the study."""
    table = Table(title=f"Worklist: {len(rows)} studies", title_justify="left")
    table.box, table.header_style, table.padding = None, "bold", (0, 0)
    table.pad_edge, table.collapse_padding = False, True
    for heading, width in COLUMNS:
        right = heading in ("#", "AI", "Age", "Waiting")
        table.add_column(
            heading,
            no_wrap=True,
            overflow="ellipsis",
            max_width=width,
            justify="right" if right else "left",
        )
    if with_uid:
        table.add_column("Study Instance UID", no_wrap=True)
    table.padding = (0, 1, 0, 0)
    now = datetime.now(UTC)
    for row in rows:
        uid = [Text(printable(row.study_instance_uid))] if with_uid else []
        table.add_row(*_cells(row, now), *uid)
    out().print(table)


def short_reason(row: StudyRecord) -> str:
    """The reason of a study's place, in at most 40 characters."""
    if row.prior:
        return "prior, for comparison"
    if row.warnings:
        return f"warning: {row.warnings[0].code.value.replace('_', ' ')}"[:LONGEST_REASON]
    refused = [image.code for image in row.images if image.code]
    if row.probability is None and refused:
        reason = f"not scored: {refused[0].replace('_', ' ')}"
    elif row.probability is None:
        reason = "AI hidden" if row.ai_hidden else "not scored yet"
    elif row.marks:
        lead = "AI above threshold, " if row.flagged else ""
        reason = f"{lead}not valid: {row.marks[0].code.replace('_', ' ')}"
        if row.validity is Validity.IN_DOUBT:
            reason = f"{lead}{VALIDITY_WORDS[row.validity]}"
    else:
        reason = _by_rank(row)
        if len(row.images) > 1:
            reason += f", {len(row.images)} images"
    return reason if len(reason) <= LONGEST_REASON else reason[: LONGEST_REASON - 1] + "…"


def _by_rank(row: StudyRecord) -> str:
    if row.flagged:
        return "AI above threshold"
    return "STAT order" if row.standing is PriorityReason.STAT else "order of arrival"


def _cells(row: StudyRecord, now: datetime) -> list[Text]:
    name = readable_name(row.patient_name) if row.patient_name else f"({_file_of(row)})"
    return [
        Text(str(row.number)),
        _signs(row),
        Text("–" if row.probability is None else readable_probability(row.probability)),
        Text(printable(name)),
        Text(printable(readable_age(row.patient_age)) if row.patient_age else ""),
        Text(short_duration(now - row.received_at)),
        Text(short_reason(row)),
    ]


def _signs(row: StudyRecord) -> Text:
    stat, flag = Text("STAT", "bold magenta"), Text("⚑", "bold red")
    return Text.assemble(*([stat] if row.stat else []), *([flag] if row.flagged else []))


def _file_of(row: StudyRecord) -> str:
    return row.images[0].file_name.rsplit("/", 1)[-1] if row.images else ""

"""`destinations add`, `change`, `remove`, `enable` and `disable`."""

from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from cli.common.console import notice
from cli.common.database import TERMINAL, opened
from cli.common.options import named_forms
from db.destinations.changes import (
    add_destination,
    change_destination,
    remove_destination,
    switch_destination,
)
from db.destinations.queries import find_destination
from db.destinations.records import DestinationRecord
from readfirst.destinations.forms import Form, Studies
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings

Name = Annotated[str, typer.Argument(help="The destination's name.")]
Parts = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="A part of its address, as host=pacs.example. `kinds` lists them. Passwords, tokens "
        "and keys are files, of which the path is given.",
    ),
]
Forms = Annotated[
    str | None,
    typer.Option(
        "--form",
        help="What it gets, with commas: sr (report), kos (flag), sc and gsps (heat map, as a "
        "picture or as outlines), verdict, oru and fhir (result as a message). Default: sr,kos, as "
        "far as its kind takes them.",
    ),
]
Which = Annotated[
    Studies | None, typer.Option(help="Of which studies it gets results. Default: flagged.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="FIELD=PATTERN",
        help="Only of studies whose institution_name, study_description or "
        "requested_procedure_description is like this, as institution_name=Clinic*. Several "
        "patterns of a field: like one of them. Several fields: like each.",
    ),
]
SENTENCE = 'Destination "{}" gets {} of {} studies{}.'


def add(
    name: Name,
    kind: Annotated[
        str,
        typer.Option(
            help="How it is reached, as dicom, stow, mllp, fhir or folder. `kinds` lists them."
        ),
    ],
    parts: Parts = None,
    form: Forms = None,
    studies: Which = None,
    only: Only = None,
) -> None:
    """Add a destination. It gets the results of studies that are scored from now on."""
    from results.destinations.kinds import checked_input, checked_name, kind_named

    wanted = checked_input(
        kind_named(kind),
        _address(parts),
        _forms(form),
        studies or Studies.FLAGGED,
        _rule(only),
    )
    with opened(load_settings()) as database, database.write() as session:
        record = add_destination(
            session, TERMINAL, checked_name(name), wanted, datetime.now(UTC), by=getuser()
        )
    _say(record)
    notice(f"`readfirst destinations test {name}` tries whether it answers.")


def change(
    name: Name,
    parts: Parts = None,
    unset: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="A part of its address that goes back to its default."),
    ] = None,
    form: Forms = None,
    studies: Which = None,
    only: Only = None,
    of_every: Annotated[
        bool, typer.Option("--of-every", help="Take the rule of --only away.")
    ] = False,
) -> None:
    """Change where a destination is, what it gets, and of which studies; the rest stays."""
    from results.destinations.kinds import checked_input, kind_named

    if not (parts or unset or form or studies or only or of_every):
        raise Misconfigured(
            "Say what is to change: --set, --unset, --form, --studies, --only or --of-every."
        )
    with opened(load_settings()) as database, database.write() as session:
        before = find_destination(session, name)
        address = {key: value for key, value in before.address.items() if key not in (unset or ())}
        wanted = checked_input(
            kind_named(before.kind),
            address | _address(parts),
            _forms(form) or before.forms,
            studies or before.studies,
            _rule(only) or ({} if of_every else before.rule),
        )
        record = change_destination(
            session, TERMINAL, name, wanted, datetime.now(UTC), by=getuser()
        )
    _say(record)


def remove(
    name: Name,
    drop: Annotated[
        bool, typer.Option("--drop", help="Although results wait for it, which are not sent then.")
    ] = False,
) -> None:
    """Remove a destination. What was sent to it stays in the audit log."""
    with opened(load_settings()) as database, database.write() as session:
        remove_destination(session, TERMINAL, name, datetime.now(UTC), drop=drop, by=getuser())
    notice(f'Destination "{name}" removed.')


def enable(name: Name) -> None:
    """Let a destination get results again, those first that wait for it."""
    _switch(name, enabled=True)


def disable(name: Name) -> None:
    """Let a destination get no results. What waits for it goes on waiting."""
    _switch(name, enabled=False)


def _switch(name: str, *, enabled: bool) -> None:
    with opened(load_settings()) as database, database.write() as session:
        record = switch_destination(
            session, TERMINAL, name, datetime.now(UTC), enabled=enabled, by=getuser()
        )
    _say(record)


def _say(record: DestinationRecord) -> None:
    forms = ", ".join(form.value for form in record.forms)
    off = "" if record.enabled else ", once it is enabled"
    notice(SENTENCE.format(record.name, forms, record.studies.value, off))


def _address(parts: list[str] | None) -> dict[str, str]:
    return dict(_pairs("--set", parts))


def _rule(only: list[str] | None) -> dict[str, list[str]]:
    rule: dict[str, list[str]] = {}
    for field, pattern in _pairs("--only", only):
        rule.setdefault(field, []).append(pattern)
    return rule


def _pairs(option: str, parts: list[str] | None) -> list[tuple[str, str]]:
    """What is given as FIELD=VALUE. Raises Misconfigured for one without an equals sign."""
    pairs = [part.partition("=") for part in parts or ()]
    for name, equals, value in pairs:
        if not (name.strip() and equals and value.strip()):
            raise Misconfigured(f"{option} {name!r} is not understood. Write FIELD=VALUE.")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _forms(text: str | None) -> tuple[Form, ...]:
    """The forms that are named; none where none are. Raises Misconfigured."""
    text = text or ""
    return named_forms(Form, (name.strip() for name in text.split(",") if name.strip()), text)

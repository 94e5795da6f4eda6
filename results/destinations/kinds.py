"""All kinds of destinations, by name, and addresses as their kinds check them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from db.destinations.changes import DestinationInput
from readfirst.destinations.forms import Form, Studies
from readfirst.destinations.rules import FIELDS
from readfirst.errors import Misconfigured
from readfirst.settings.fields import MustBe
from results.destinations.dicom import DICOM
from results.destinations.fhir import FHIR
from results.destinations.folder import FOLDER
from results.destinations.kind import Address, DestinationKind
from results.destinations.mllp import MLLP
from results.destinations.stow import STOW

KINDS: dict[str, DestinationKind] = {kind.name: kind for kind in (DICOM, STOW, MLLP, FHIR, FOLDER)}
#: Names stand in addresses of the page, and in the log.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: What a destination gets unless something else is wanted, as far as its kind takes it.
DEFAULT_FORMS = (Form.SR, Form.KOS)


def checked_name(name: str) -> str:
    """Return a name of a destination. Raises Misconfigured."""
    if not NAME.fullmatch(name):
        raise Misconfigured(
            f"{name!r} is no name of a destination: it must be 1 to 64 letters, digits, dots, "
            "hyphens and underscores, and begin with a letter or digit."
        )
    return name


def kind_named(name: str) -> DestinationKind:
    """Return a kind. Raises Misconfigured for a name that is none's."""
    kind = KINDS.get(name)
    if kind is None:
        raise Misconfigured(f"There is no kind {name!r} of destinations; {_listed(KINDS)} are.")
    return kind


def fields_of(kind: DestinationKind) -> list[tuple[str, FieldInfo]]:
    """Return the parts of an address, those first that are needed."""
    fields = kind.address.model_fields.items()
    return sorted(fields, key=lambda each: not each[1].is_required())


def checked_address(kind: DestinationKind, values: Mapping[str, Any]) -> Address:
    """Return an address. Raises Misconfigured, with one sentence for each fault."""
    try:
        return kind.address.model_validate(values)
    except ValidationError as error:
        raise Misconfigured("\n".join(_sentences(kind, error))) from error


def checked_input(
    kind: DestinationKind,
    values: Mapping[str, Any],
    forms: Sequence[Form],
    studies: Studies,
    rule: Mapping[str, Sequence[str]] | None = None,
) -> DestinationInput:
    """Return a destination as it is kept. forms: empty for the usual ones. Raises Misconfigured."""
    rule = rule or {}
    if unknown := [field for field in rule if field not in FIELDS]:
        raise Misconfigured(f"No rule goes by {_listed(unknown)}. It may go by {_listed(FIELDS)}.")
    wanted = tuple(forms) or tuple(form for form in DEFAULT_FORMS if form in kind.forms)
    wanted = wanted or kind.forms[:1]
    if strange := [form for form in wanted if form not in kind.forms]:
        raise Misconfigured(
            f"A destination of kind {kind.name} does not take {_listed(strange)}. "
            f"It takes {_listed(kind.forms)}."
        )
    address = checked_address(kind, values).model_dump(mode="json", exclude_defaults=True)
    return DestinationInput(
        kind=kind.name,
        address=address,
        forms=tuple(dict.fromkeys(wanted)),
        studies=studies,
        rule={field: list(patterns) for field, patterns in rule.items()},
    )


def _sentences(kind: DestinationKind, error: ValidationError) -> list[str]:
    """What is wrong with an address, by its fields; never a value, which may be a password."""
    sentences = []
    for fault in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in fault["loc"]) or "address"
        if fault["type"] == "extra_forbidden":
            fields = _listed(kind.address.model_fields)
            sentences.append(f"{name} is no part of an address of kind {kind.name}: {fields} are.")
        elif fault["type"] == "missing":
            description = kind.address.model_fields[name].description
            sentences.append(f"{name} is missing: {description}")
        elif words := _must_be(kind.address.model_fields[name]):
            sentences.append(f"{name} must be {words}.")
        else:
            sentences.append(f"{name}: {fault['msg'].removeprefix('Value error, ')}.")
    return sentences


def _must_be(field: FieldInfo) -> str | None:
    words = (each.words for each in field.metadata if isinstance(each, MustBe))
    return next(words, None)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(str(name) for name in names)

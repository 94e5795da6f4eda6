"""A kind of destination: its address, the forms that it takes, and how it is reached."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict

from readfirst.destinations.commitment import Receipt
from readfirst.destinations.forms import Form
from results.destinations.outgoing import OutgoingObject


def _check_absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path, as workers and page run in other folders")
    return path


#: The path of a file or folder of this machine. Secrets are kept in files, and never in a row.
AbsolutePath = Annotated[Path, AfterValidator(_check_absolute)]


class Address(BaseModel):
    """Base of addresses. Each field has a description, which commands and pages show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def own_settings(self) -> dict[str, Any]:
        """The settings of the site that are otherwise for what this destination gets, by name."""
        return {}


class SendingFailed(Exception):
    """A destination did not take what was sent.

    reason: a sentence that a person can act on, without a patient's data. answered: it is there and
    refused this object; else it is down, or not what the address says, and the next object would
    fail alike.
    """

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        self.reason = reason
        self.answered = answered
        super().__init__(reason)


class DestinationConnection(Protocol):
    """A destination that was reached."""

    def send(self, objects: Sequence[OutgoingObject]) -> Receipt | None:
        """Send the objects of one result. Raises SendingFailed if one of them was not taken.

        Returns None where the destination promises nothing more.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationKind:
    """A kind of destination.

    title: for people. forms: those that it takes. connect: reaches an address; raises SendingFailed
    here or within. test: tries an address for some forms, and returns a sentence that says what it
    saw; raises SendingFailed.
    """

    name: str
    title: str
    address: type[Address]
    forms: tuple[Form, ...]
    connect: Callable[[Any], AbstractContextManager[DestinationConnection]]
    test: Callable[[Any, Sequence[Form]], str]

"""Destinations of the kind `fhir`: transactions to a FHIR R4 server (http://hl7.org/fhir/R4/http)."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from readfirst.destinations.forms import Form
from readfirst.language.texts import gettext
from readfirst.results.fhir.outcome import outcome_text
from readfirst.results.redaction import without_values
from results.destinations.http import HttpAddress, check_url, request
from results.destinations.kind import DestinationKind, SendingFailed
from results.destinations.outgoing import OutgoingObject

MEDIA_TYPE = "application/fhir+json"


class FhirAddress(HttpAddress):
    """The address of a FHIR server."""

    url: Annotated[str, AfterValidator(check_url)] = Field(
        description="Base of its FHIR R4 service, as https://fhir.example/r4, to which "
        "transactions are posted."
    )


class FhirConnection:
    """A FHIR server. Each result is a transaction: all of it is taken, or nothing."""

    def __init__(self, address: FhirAddress) -> None:
        self._address = address

    def send(self, objects: Sequence[OutgoingObject]) -> None:
        """Post each transaction."""
        for each in objects:
            self._post(each)

    def _post(self, each: OutgoingObject) -> None:
        headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        answer = request(self._address, "POST", "", each.message.content, headers)
        if 200 <= answer.status < 300:
            return
        text = without_values(outcome_text(answer.content), each.message.patient_values)
        raise SendingFailed(
            f"{self._address.url} refuses the transaction (status {answer.status})"
            f"{f': {text}' if text else '.'}",
            answered=True,
        )


@contextmanager
def connect(address: FhirAddress) -> Iterator[FhirConnection]:
    """Give what sends by requests of their own: there is nothing to keep open."""
    yield FhirConnection(address)


def test(address: FhirAddress, forms: Sequence[Form]) -> str:  # noqa: ARG001 - it takes all
    """Ask for the CapabilityStatement, and whether it is of R4."""
    answer = request(address, "GET", "/metadata", headers={"Accept": MEDIA_TYPE})
    try:
        statement: Any = json.loads(answer.content)
        kind, version = statement["resourceType"], str(statement["fhirVersion"])
    except (ValueError, LookupError, TypeError) as error:
        raise SendingFailed(f"{address.url} answers, but not as a FHIR server.") from error
    if kind != "CapabilityStatement" or not version.startswith("4."):
        raise SendingFailed(f"{address.url} speaks FHIR {version}; R4 (4.0.1) is sent.")
    text = gettext("{address} answers, and speaks FHIR {version}.")
    return text.format(address=address.url, version=version)


FHIR = DestinationKind(
    name="fhir",
    title="FHIR R4",
    address=FhirAddress,
    forms=(Form.FHIR,),
    connect=connect,
    test=test,
)

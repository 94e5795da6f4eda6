"""Destinations of the kind `stow`: the Store transaction of DICOMweb (PS3.18 10.5)."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from readfirst.destinations.forms import Form
from readfirst.http_client import HttpAnswer
from readfirst.language.texts import gettext
from results.destinations.http import HttpAddress, check_url, request
from results.destinations.kind import DestinationKind, SendingFailed
from results.destinations.outgoing import DICOM_FORMS, OutgoingObject
from results.destinations.statuses import check_status

PATH = "/studies"
NO_STUDY = "?StudyInstanceUID=2.25.0&limit=1"
ANSWER_TYPE = "application/dicom+json"
#: (0008,1198) Failed SOP Sequence, and (0008,1197) Failure Reason in it.
FAILED_SOP, FAILURE_REASON = "00081198", "00081197"
#: Some stored, or none: the answer says which.
SOME_OR_NONE_STORED = (202, 409)


class StowAddress(HttpAddress):
    """The address of a DICOMweb server."""

    url: Annotated[str, AfterValidator(check_url)] = Field(
        description="Root of its DICOMweb service, as https://pacs.example/dicom-web, to which "
        "`/studies` is added."
    )


class StowConnection:
    """A DICOMweb server. Each object is a request: an answer is of one object, and no other."""

    def __init__(self, address: StowAddress) -> None:
        self._address = address

    def send(self, objects: Sequence[OutgoingObject]) -> None:
        """Store each object."""
        for each in objects:
            self._store(each)

    def _store(self, each: OutgoingObject) -> None:
        content = _file(each)
        # A boundary that is not in the content, and the same at each repetition.
        boundary = sha256(content).hexdigest()
        body = (
            f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            + content
            + f"\r\n--{boundary}--\r\n".encode()
        )
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": ANSWER_TYPE,
        }
        _check(request(self._address, "POST", PATH, body, headers), each.form.value)


@contextmanager
def connect(address: StowAddress) -> Iterator[StowConnection]:
    """Give what sends by requests of their own: there is nothing to keep open."""
    yield StowConnection(address)


def test(address: StowAddress, forms: Sequence[Form]) -> str:  # noqa: ARG001 - it takes all
    """Search for a study that nobody has (PS3.18 10.6): nothing is stored, and nothing read."""
    answer = request(address, "GET", PATH + NO_STUDY, headers={"Accept": ANSWER_TYPE})
    text = gettext("{address} answers (status {status}).")
    return text.format(address=address.url, status=answer.status)


def _file(each: OutgoingObject) -> bytes:
    with BytesIO() as buffer:
        each.dicom.dataset.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()


def _check(answer: HttpAnswer, what: str) -> None:
    """Raises SendingFailed unless the object was stored, be it with a warning."""
    if answer.status in SOME_OR_NONE_STORED:
        failures = _failure_reasons(answer.content)
        for reason in failures:
            check_status(reason, what)
        if failures or answer.status == 202:
            return
    if not 200 <= answer.status < 300:
        raise SendingFailed(f"{what} was not taken (status {answer.status}).", answered=True)


def _failure_reasons(content: bytes) -> list[int]:
    """The failure reasons of an answer (PS3.18 I.2.2); none where it names none."""
    try:
        answer: Any = json.loads(content)
        items = answer.get(FAILED_SOP, {}).get("Value", [])
        return [int(item[FAILURE_REASON]["Value"][0]) for item in items]
    except (ValueError, LookupError, AttributeError, TypeError):
        return []


STOW = DestinationKind(
    name="stow",
    title="DICOMweb (STOW-RS)",
    address=StowAddress,
    forms=DICOM_FORMS,
    connect=connect,
    test=test,
)

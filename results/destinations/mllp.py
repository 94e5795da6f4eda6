"""Destinations of the kind `mllp`: HL7 v2 messages by MLLP (HL7 v2.5.1, appendix C).

Each message has a connection of its own. An idle connection is dropped by firewalls without a word,
and receivers differ in what they make of several messages in one; some take the first one again.
So an acknowledgement can be of no other message than the one that was sent.
"""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

from hl7.mllp import HL7StreamReader, HL7StreamWriter, InvalidBlockError, open_hl7_connection
from pydantic import AfterValidator, Field

from readfirst.destinations.forms import Form
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.results.hl7.acknowledgement import Acknowledgement, read_acknowledgement
from readfirst.results.hl7.check import check_template
from readfirst.results.hl7.oru import read_template
from readfirst.results.redaction import without_values
from readfirst.settings.exchange.messages import APPLICATIONS_WORDS, check_applications
from readfirst.settings.fields import Host, MustBe
from results.destinations.kind import AbsolutePath, DestinationKind, SendingFailed
from results.destinations.outgoing import OutgoingObject
from results.destinations.tls import TlsAddress, client_context, tls_fault
from results.destinations.unreachable import nothing_answers

#: Seconds to reach a destination.
CONNECT_SECONDS = 10.0


def _check_applications(text: str | None) -> str | None:
    return None if text is None else check_applications(text)


def _check_template(path: Path | None) -> Path | None:
    """Try a template with invented results. Raises ValueError with what is wrong."""
    if path is not None:
        try:
            check_template(read_template(path))
        except Misconfigured as error:
            raise ValueError(str(error).rstrip(".")) from error
    return path


class MllpAddress(TlsAddress):
    """The address of an HL7 listener."""

    host: Host = Field(description="Name or address of the destination.")
    port: int = Field(ge=1, le=65535, description="Port on which it listens, often 2575.")
    tls: bool = Field(False, description="Whether TLS is used.")
    seconds: Annotated[float, Field(ge=1, le=120)] = Field(
        30.0, description="Seconds in which it must acknowledge each message."
    )
    applications: Annotated[
        str | None, AfterValidator(_check_applications), MustBe(APPLICATIONS_WORDS)
    ] = Field(
        None,
        description="MSH-3 to MSH-6 of its messages, in the form of READFIRST_HL7_APPLICATIONS, "
        "which is the default.",
    )
    template: Annotated[AbsolutePath | None, AfterValidator(_check_template)] = Field(
        None,
        description="File with the template of its messages. Default: READFIRST_ORU_TEMPLATE.",
    )

    def own_settings(self) -> dict[str, Any]:
        """Header and template of its messages, where they are its own."""
        own = {"hl7_applications": self.applications, "oru_template": self.template}
        return {name: value for name, value in own.items() if value is not None}

    @property
    def where(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"


class MllpSender:
    """An HL7 listener."""

    def __init__(self, address: MllpAddress) -> None:
        self._address = address
        self._context = client_context(address) if address.tls else None

    def send(self, objects: Sequence[OutgoingObject]) -> None:
        """Send each message, and wait for its acknowledgement."""
        for each in objects:
            self._send(each)

    def try_it(self) -> None:
        """Open a connection and close it. Raises SendingFailed."""
        asyncio.run(self._exchange(None))

    def _send(self, each: OutgoingObject) -> None:
        where = self._address.where
        answer = self._answer(each.message.content)
        if answer.control_id not in (each.key, ""):
            raise SendingFailed(f"{where} acknowledges another message than was sent (MSA-2).")
        if not answer.is_taken:
            text = without_values(answer.text, each.message.patient_values)
            reason = f"{where} refuses the message ({answer.code}){f': {text}' if text else '.'}"
            raise SendingFailed(reason, answered=True)

    def _answer(self, content: bytes) -> Acknowledgement:
        where = self._address.where
        try:
            return read_acknowledgement(asyncio.run(self._exchange(content)))
        except TimeoutError as error:
            raise SendingFailed(
                f"{where} did not acknowledge within {self._address.seconds:g} s."
            ) from error
        except (InvalidBlockError, ValueError) as error:
            raise SendingFailed(f"{where} answers, but not by an HL7 acknowledgement.") from error
        except (OSError, EOFError) as error:
            raise SendingFailed(f"{where} hung up before it acknowledged the message.") from error

    async def _exchange(self, content: bytes | None) -> bytes:
        """Send a message, and return the answer; without one, only connect."""
        reader, writer = await self._opened()
        try:
            if content is None:
                return b""
            async with asyncio.timeout(self._address.seconds):
                writer.writeblock(content)
                await writer.drain()
                block: bytes = await reader.readblock()
                return block
        finally:
            writer.close()
            # What it had to acknowledge it has: how it takes its leave is all the same.
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def _opened(self) -> tuple[HL7StreamReader, HL7StreamWriter]:
        where = self._address.where
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                opened: tuple[HL7StreamReader, HL7StreamWriter] = await open_hl7_connection(
                    self._address.host, self._address.port, ssl=self._context
                )
                return opened
        except ssl.SSLError as error:
            raise SendingFailed(tls_fault(where, error)) from error
        except OSError as error:
            raise SendingFailed(nothing_answers(where, error)) from error


@contextmanager
def connect(address: MllpAddress) -> Iterator[MllpSender]:
    """Give what sends by connections of their own. Raises SendingFailed."""
    yield MllpSender(address)


def test(address: MllpAddress, forms: Sequence[Form]) -> str:  # noqa: ARG001 - it takes all
    """Open a connection and close it: HL7 has no message that only asks."""
    MllpSender(address).try_it()
    plain, secured = gettext("{address} answers."), gettext("{address} answers by TLS.")
    answers = (secured if address.tls else plain).format(address=address.where)
    first = gettext("The first result will show whether it takes messages.")
    return f"{answers} {first}"


MLLP = DestinationKind(
    name="mllp",
    title="HL7 v2 (MLLP)",
    address=MllpAddress,
    forms=(Form.ORU,),
    connect=connect,
    test=test,
)

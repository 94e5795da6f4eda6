"""ORU^R01 messages: the AI's result by a template, and the check of a template before it is used.

Templates are Jinja's, in its sandbox: they read the values of a result and nothing else. Every
value is encoded for HL7 where it is written, so that no name can end a field or a segment.
"""

import re
import traceback
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from readfirst.errors import Misconfigured
from readfirst.results.hl7.encoding import escaped
from readfirst.results.hl7.fields import MessageHeader, template_fields
from readfirst.results.hl7.rules import faults
from readfirst.results.uids import digest, instance_uid
from readfirst.results.values import AiResult, ResultKind

DEFAULT_TEMPLATE = "oru_r01.jinja"
#: Most bytes of a template: more than anybody writes.
MOST_BYTES = 256 * 1024
#: A control ID has at most 20 characters (2.5.1, MSH-10).
CONTROL_ID_DIGITS = 18
#: What an expression may raise, of which there is no end.
OF_EXPRESSIONS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
#: The name in Jinja's sentences of what is undefined or unsafe.
UNKNOWN_NAME = re.compile(r"(?:attribute |^)'(\w+)'")


@dataclass(frozen=True, slots=True)
class OruTemplate:
    """A template. name: for people, as the path of its file."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return digest(self.text.encode())


@dataclass(frozen=True, slots=True)
class OruMessage:
    """A message. control_id: MSH-10. text: its segments, each ended by a carriage return."""

    control_id: str
    text: str

    @property
    def content(self) -> bytes:
        """The bytes that are sent: UTF-8, as MSH-18 says."""
        return self.text.encode()


@cache
def default_template() -> OruTemplate:
    """Return the template that comes with ReadFirst."""
    file = resources.files("readfirst.results.hl7").joinpath(DEFAULT_TEMPLATE)
    return OruTemplate(DEFAULT_TEMPLATE, file.read_text("utf-8"))


def read_template(path: Path | None) -> OruTemplate:
    """Return the template of a file; the default without one. Raises Misconfigured."""
    if path is None:
        return default_template()
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Misconfigured(f"The template {path} is no text in UTF-8; it must be one.") from error
    except OSError as error:
        raise Misconfigured(f"The template {path} cannot be read: {error.strerror}.") from error
    if len(content) > MOST_BYTES:
        raise Misconfigured(f"The template {path} is larger than {MOST_BYTES // 1024} KiB.")
    return OruTemplate(str(path), text)


def oru_message(result: AiResult, template: OruTemplate, header: MessageHeader) -> OruMessage:
    """Make the message of a result: the same result, template and header, the same bytes.

    Raises Misconfigured, with a sentence for the site, where the template cannot be rendered, or
    makes what is no message or would lower. No sentence holds a value of the patient.
    """
    control_id = _control_id(result, template, header)
    text = _rendered(template, template_fields(result, header, control_id))
    for fault in faults(text, control_id, flagged=bool(result.flagged)):
        raise Misconfigured(f"The template {template.name} makes no message to send. {fault}")
    return OruMessage(control_id, text)


def _control_id(result: AiResult, template: OruTemplate, header: MessageHeader) -> str:
    uid = instance_uid(ResultKind.ORU, result, template.digest, astuple(header))
    return f"RF{digest(uid.encode())[:CONTROL_ID_DIGITS].upper()}"


def _rendered(template: OruTemplate, fields: dict[str, object]) -> str:
    try:
        text = _compiled(template.text).render(fields)
    except TemplateSyntaxError as error:
        sentence = (
            f"The template {template.name} cannot be read: line {error.lineno}: {error.message}"
        )
        raise Misconfigured(sentence) from None
    except (*OF_EXPRESSIONS, TemplateError) as error:
        sentence = f"The template {template.name} cannot be filled in{_where(error)}"
        raise Misconfigured(f"{sentence}: {_words(error, template)}.") from None
    return "".join(f"{line}\r" for line in _numbered(text.splitlines()))


def _numbered(lines: list[str]) -> Iterator[str]:
    """Yield the lines that say something; an empty OBX-1 becomes the number of the OBX."""
    number = 0
    for line in lines:
        segment = line.strip()
        if segment.startswith("OBX|"):
            number += 1
            segment = re.sub(r"^OBX\|\|", f"OBX|{number}|", segment)
        if segment:
            yield segment


def _words(error: Exception, template: OruTemplate) -> str:
    """Return what is wrong, without any value: only a name that the template itself has."""
    name = UNKNOWN_NAME.search(str(error)) if isinstance(error, TemplateError) else None
    if name and name[1] in template.text:
        return f"there is no {name[1]}, or a template may not use it"
    return type(error).__name__


def _where(error: Exception) -> str:
    """Return `, line 7`, of the template."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "<template>"]
    return f", line {lines[-1]}" if lines else ""


@cache
def _compiled(text: str) -> Template:
    # With autoescape, what a macro makes is encoded already, and is not encoded once more.
    environment = ImmutableSandboxedEnvironment(
        finalize=escaped,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(text)

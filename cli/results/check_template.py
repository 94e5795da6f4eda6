"""`results check-template`: the template of HL7 v2 messages, tried with invented results."""

from pathlib import Path
from typing import Annotated

import typer

from cli.common.console import notice
from readfirst.results.hl7.oru import OruMessage
from readfirst.settings import load_settings


def check_template(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Default: READFIRST_ORU_TEMPLATE, or the template that comes with ReadFirst.",
        ),
    ] = None,
    *,
    source: Annotated[
        bool, typer.Option("--source", help="Print the template itself, to copy and change it.")
    ] = False,
) -> None:
    """Try a template of ORU^R01 with invented results, and print the messages that it makes.

    Where the package hl7apy is installed, it checks them against the standard, too.
    """
    from readfirst.results.hl7.check import check_template as check
    from readfirst.results.hl7.fields import MessageHeader
    from readfirst.results.hl7.oru import read_template

    settings = load_settings()
    header = MessageHeader(*settings.hl7_applications.split("|"))
    template = read_template(file or settings.oru_template)
    if source:
        typer.echo(template.text, nl=False)
        return
    messages = check(template, header)
    for message in messages:
        typer.echo(message.text.replace("\r", "\n"))
    notice(f"{len(messages)} messages of invented results can be sent.")
    strict = [_strict_fault(message) for message in messages]
    if None in strict:
        notice("They were not checked against the standard: hl7apy is not installed.", "yellow")
    elif faults := sorted({fault for fault in strict if fault}):
        for fault in faults:
            notice(f"HL7 v2.5.1: {fault}", "yellow")
        raise typer.Exit(1)
    else:
        notice("They are valid by HL7 v2.5.1, by hl7apy.")


def _strict_fault(message: OruMessage) -> str | None:
    """Return what hl7apy has against a message: empty if nothing, None where it is not there."""
    try:
        from hl7apy.consts import VALIDATION_LEVEL
        from hl7apy.exceptions import HL7apyException
        from hl7apy.parser import parse_message
    except ImportError:
        return None
    try:
        parse_message(message.text, validation_level=VALIDATION_LEVEL.STRICT).validate()
    except HL7apyException as error:
        return str(error) or type(error).__name__
    return ""

"""`hl7 …`: messages of the radiology information system that could not be read."""

import typer

from cli.common.help import PlainCommand
from cli.hl7 import messages

app = typer.Typer(
    help="HL7 messages that could not be read: list, print, try again, remove.",
    no_args_is_help=True,
)
app.command("list", cls=PlainCommand)(messages.list_messages)
app.command("print", cls=PlainCommand)(messages.print_message)
app.command("retry", cls=PlainCommand)(messages.retry_messages)
app.command("drop", cls=PlainCommand)(messages.drop_message)

"""`hl7 …`: messages of the radiology information system, for people and programs."""

import typer

from cli.common.help import PlainCommand
from cli.hl7 import merges, messages

app = typer.Typer(
    help="HL7 messages that could not be read, and patients that were merged.",
    no_args_is_help=True,
)
app.command("list", cls=PlainCommand)(messages.list_messages)
app.command("print", cls=PlainCommand)(messages.print_message)
app.command("retry", cls=PlainCommand)(messages.retry_messages)
app.command("drop", cls=PlainCommand)(messages.drop_message)
app.command("merges", cls=PlainCommand)(merges.list_merges)
app.command("undo-merge", cls=PlainCommand)(merges.undo)

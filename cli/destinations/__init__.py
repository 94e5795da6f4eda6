"""`destinations …`: the other systems that get results by themselves."""

import typer

from cli.common.help import PlainCommand
from cli.destinations import changing, listing, sending

app = typer.Typer(
    help="Other systems that get results by themselves: PACS, DICOMweb servers, folders.",
    no_args_is_help=True,
)
app.command("list", cls=PlainCommand)(listing.list_destinations)
app.command(cls=PlainCommand)(listing.kinds)
app.command(cls=PlainCommand)(changing.add)
app.command(cls=PlainCommand)(changing.change)
app.command(cls=PlainCommand)(changing.remove)
app.command(cls=PlainCommand)(changing.enable)
app.command(cls=PlainCommand)(changing.disable)
app.command("test", cls=PlainCommand)(sending.try_it)
app.command(cls=PlainCommand)(listing.waiting)
app.command("send-again", cls=PlainCommand)(sending.send_again)

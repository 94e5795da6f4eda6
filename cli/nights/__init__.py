"""`nights …`: the nights in which the site scored again, for people and programs."""

import typer

from cli.common.help import PlainCommand
from cli.nights import listing, report

app = typer.Typer(
    help="The nights in which the active ensemble scores films again.", no_args_is_help=True
)
app.command("list", cls=PlainCommand)(listing.list_nights)
app.command(cls=PlainCommand)(report.show)
app.command(cls=PlainCommand)(listing.stop)

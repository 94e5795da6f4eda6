"""`results …`: what the AI and the readers say of studies, for other systems."""

import typer

from cli.common.help import PlainCommand
from cli.results.check_template import check_template
from cli.results.write import write

app = typer.Typer(
    help="What the AI and the readers say of studies, as objects and messages for other systems.",
    no_args_is_help=True,
)
app.command(cls=PlainCommand)(write)
app.command("check-template", cls=PlainCommand)(check_template)

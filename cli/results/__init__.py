"""`results …`: what the AI and the readers say of studies, as objects for other systems."""

import typer

from cli.common.help import PlainCommand
from cli.results.write import write

app = typer.Typer(
    help="What the AI and the readers say of studies, as DICOM objects for other systems.",
    no_args_is_help=True,
)
app.command(cls=PlainCommand)(write)


@app.callback()
def _root() -> None:
    """Keep `write` a command by its name, as long as it is the only one."""

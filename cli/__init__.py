"""The command line. Rows go to stdout, notices and progress to stderr.

Exit codes: 0 done; 1 it could not be done; 2 the command or a setting is wrong.
"""

import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated

import typer
from rich.text import Text

from cli import (
    accounts,
    demo,
    doctor,
    inbox,
    migrate,
    models,
    monitoring,
    nights,
    parts,
    refused,
    score,
    verdicts,
    worklist,
)
from cli import scope as scope_rules
from cli.common.console import err
from cli.common.help import PlainCommand
from readfirst import DISCLAIMER, __version__
from readfirst.errors import Misconfigured, ReadFirstError
from readfirst.files.folders import os_fault
from readfirst.files.private_files import keep_private
from readfirst.logs import configure_logs

app = typer.Typer(
    name="readfirst",
    help=f"Chest X-rays that probably show pneumonia are read first.\n\n{DISCLAIMER}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 could not be done, 2 the command or a setting is wrong.",
)
#: The commands, by what somebody wants to do.
COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Run": {
        "up": parts.up,
        "demo": demo.demo,
        "doctor": doctor.doctor,
        "migrate": migrate.migrate,
    },
    "Read": {
        "worklist": worklist.worklist,
        "study": worklist.study,
        "verdict": verdicts.verdict,
        "verdicts": verdicts.verdicts,
        "score": score.score,
        "watching": monitoring.print_figures,
    },
    "Fix": {
        "refused": refused.refused,
        "retry": refused.retry,
        "original": refused.original,
        "inbox": inbox.inbox,
        "rescore": worklist.rescore,
        "scope": scope_rules.scope,
    },
    "People": {"audit": accounts.audit},
    "Parts (for compose)": {
        "ingest": parts.ingest,
        "receive": parts.receive,
        "worker": parts.worker,
        "beat": parts.beat,
        "serve": parts.serve,
    },
}
for panel, commands in COMMANDS.items():
    for name, command in commands.items():
        app.command(name, cls=PlainCommand, rich_help_panel=panel)(command)
app.add_typer(accounts.app, name="accounts", rich_help_panel="People")
app.add_typer(nights.app, name="nights", rich_help_panel="Fix")
app.add_typer(models.app, name="models", rich_help_panel="Laboratory")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"readfirst {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[  # noqa: ARG001 - its callback does it all
        bool, typer.Option("--version", callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    # Rows alone belong on stdout; the parts that run for long say more by their own setting.
    configure_logs("warning")


def main() -> None:
    """Run the command line; errors that ReadFirst raises on purpose become one clear line."""
    keep_private()
    for stream in (sys.stdout, sys.stderr):
        # A terminal may lack a letter of a name; a name may be no text at all.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except ReadFirstError as error:
        # As it is: what somebody wrote may look like markup.
        err.print(Text(str(error), "red"), soft_wrap=True)
        sys.exit(2 if isinstance(error, Misconfigured) else 1)
    except BrokenPipeError:
        # The reader of our output, as `head`, has seen enough.
        sys.stderr.close()
    except OSError as error:
        # Of a file or folder of this machine, a sentence says it all; of the program, nothing.
        if not error.filename:
            raise
        err.print(Text(os_fault(error), "red"), soft_wrap=True)
        sys.exit(1)

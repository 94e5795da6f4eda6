"""The command line. Rows go to stdout, notices and progress to stderr.

Exit codes: 0 done; 1 it could not be done; 2 the command or a setting is wrong.
"""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer
from rich.text import Text

from cli.common.console import err
from cli.common.lazy_commands import lazy_group
from readfirst import DISCLAIMER, __version__
from readfirst.errors import Misconfigured, ReadFirstError
from readfirst.files.folders import os_fault
from readfirst.files.private_files import keep_private
from readfirst.logs import configure_logs
from readfirst.startup.garbage import collect_seldom

#: Where each command is defined, by what somebody wants to do; a group of commands as well.
COMMANDS = {
    "Run": {
        "up": "cli.parts:up",
        "demo": "cli.demo:demo",
        "doctor": "cli.doctor:doctor",
        "migrate": "cli.migrate:migrate",
    },
    "Read": {
        "worklist": "cli.worklist:worklist",
        "study": "cli.worklist:study",
        "verdict": "cli.verdicts:verdict",
        "verdicts": "cli.verdicts:verdicts",
        "score": "cli.score:score",
        "watching": "cli.monitoring:print_figures",
        "acceptance": "cli.site.acceptance:accept_ensemble",
        "results": "cli.results:app",
        "destinations": "cli.destinations:app",
    },
    "Fetch": {
        "fetch": "cli.pacs.fetch:fetch",
        "fetches": "cli.pacs.fetch:fetches",
        "sources": "cli.pacs.sources:app",
    },
    "Fix": {
        "refused": "cli.refused:refused",
        "retry": "cli.refused:retry",
        "original": "cli.refused:original",
        "inbox": "cli.inbox:inbox",
        "rescore": "cli.worklist:rescore",
        "nights": "cli.nights:app",
        "scope": "cli.scope:scope",
        "hl7": "cli.hl7:app",
    },
    "People": {"audit": "cli.accounts:audit", "accounts": "cli.accounts:app"},
    "Parts (for compose)": {
        "ingest": "cli.parts:ingest",
        "receive": "cli.parts:receive",
        "mllp": "cli.parts:mllp",
        "worker": "cli.parts:worker",
        "beat": "cli.parts:beat",
        "serve": "cli.parts:serve",
    },
    "Laboratory": {"models": "cli.models:app"},
}
app = typer.Typer(
    name="readfirst",
    cls=lazy_group(COMMANDS),
    help=f"Chest X-rays that probably show pneumonia are read first.\n\n{DISCLAIMER}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 could not be done, 2 the command or a setting is wrong.",
)


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
    collect_seldom()
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

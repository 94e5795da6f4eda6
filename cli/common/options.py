"""Options that commands of all kinds share."""

from typing import Annotated

import typer

StudyName = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="Its number in `readfirst worklist`, or its UID."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]

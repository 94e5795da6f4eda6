"""Parts that the commands which train share: the recipe, the folder, the progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.common.console import err
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings

if TYPE_CHECKING:
    from laboratory.training.progress import ReportProgress
    from laboratory.training.recipes import Recipe


def recipe_with(name: str, changes: list[str] | None) -> Recipe:
    """Return a recipe by name, with the changes of `--set`. Raises Misconfigured."""
    from laboratory.training.recipes import changed, recipe_named

    return changed(recipe_named(name), parse_changes(changes))


def parse_changes(changes: list[str] | None) -> dict[str, str]:
    """Parse `FIELD=VALUE`. Raises Misconfigured."""
    pairs = [change.partition("=") for change in changes or ()]
    if any(not sign for _, sign, _ in pairs):
        raise Misconfigured("--set wants FIELD=VALUE.")
    return {field: value for field, _, value in pairs}


def output_folder(output: Path | None, *default: str) -> Path:
    """Make the folder for what a command writes. default: the path within the home folder."""
    folder = output or load_settings().home_path.joinpath(*default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def training_progress() -> Iterator[Callable[[str], ReportProgress]]:
    """Show a bar on stderr for each training, by its name, with its figures."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[figures]}"), console=err) as progress:

        def bar(name: str) -> ReportProgress:
            task = progress.add_task(name, total=None, figures="")

            def report(done: int, total: int, figures: dict[str, float]) -> None:
                text = "  ".join(f"{name} {float(value):.4f}" for name, value in figures.items())
                progress.update(task, completed=done, total=total, figures=text)

            return report

        yield bar

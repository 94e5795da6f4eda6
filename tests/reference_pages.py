"""The reference pages that are made from the code: settings, commands, conformance, model card.

    python -m tests.reference_pages

writes anew docs/reference/settings.md, docs/reference/commands.md, docs/reference/model-card.md,
and the pages of `tests.conformance_pages`.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from cli import app
from models.cards.card import model_card
from models.cards.markdown import to_markdown
from models.manifest import SHIPPED, find_ensembles, load_manifest, shipped_version
from readfirst.settings import Settings
from tests.conformance_pages import dicom_conformance_page, ihe_integration_page
from worklist.admin.setting_sources import GROUP_WORDS

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
MADE = "<!-- Made by `python -m tests.reference_pages` from the code. Change it there. -->\n"
FIRST = ("home", "port", "host", "time_zone", "prevalence")
BOUNDS = {Ge: "at least", Gt: "more than", Le: "at most", Lt: "less than"}
SETTINGS_INTRODUCTION = """# Settings

Set them in the environment or in a file `.env`. Capital and small letters are the same. A wrong
value ends the command with exit code 2 and a sentence that names the setting and what it must be.
`up`, `demo`, the parts and `readfirst doctor` warn of a name that starts with `READFIRST_` and is
no setting.
"""
COMMANDS_INTRODUCTION = """# Commands

Rows go to stdout and notices to stderr. `--json` is there where a program would read. Exit codes:
0 done, 1 could not be done, 2 the command or a setting is wrong. A refused file is a result, not a
failure. `--since` takes `30m`, `2h` or `3d` (ago), a date or a time.

A STUDY is named by its number in `readfirst worklist` (`12`) or by its Study Instance UID; an IMAGE
by its number in `readfirst refused`, by its sha256, or by the first 12 digits of it.
"""


def settings_page() -> str:
    """The page of all settings, by group."""
    groups = dict(_groups())
    lines = [MADE, SETTINGS_INTRODUCTION, "## The first five to know\n", *_table(FIRST)]
    for name, words in GROUP_WORDS.items():
        lines += [f"\n## {words}\n", *_table(groups[f"{name}Settings"])]
    return "\n".join(lines) + "\n"


def _groups() -> Iterator[tuple[str, tuple[str, ...]]]:
    for group in Settings.__mro__:
        own = tuple(n for n in inspect.get_annotations(group) if n in Settings.model_fields)
        if own:
            yield group.__name__, own


def _table(names: tuple[str, ...]) -> list[str]:
    rows = ["| setting | default | what it is |", "| --- | --- | --- |"]
    for name in names:
        field = Settings.model_fields[name]
        words, default = _words_and_default(field)
        rows.append(f"| `READFIRST_{name.upper()}` | {default} | {words}{_bounds(field)} |")
    return rows


def _words_and_default(field: FieldInfo) -> tuple[str, str]:
    """The description without its default, and the default: the value, or words for it."""
    described = re.fullmatch(r"(.*?)\s*Default: (.*?)\.?", field.description or "", re.DOTALL)
    value = field.default
    if value is None or value == ():
        words = described[1] if described else field.description or ""
        return words, described[2] if described else "none"
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    label = text.lower() if isinstance(value, bool) else text
    return field.description or "", f"`{label}`"


def _bounds(field: FieldInfo) -> str:
    bounds = [
        f"{words} {_number(getattr(bound, kind.__name__.lower()))}"
        for kind, words in BOUNDS.items()
        for bound in field.metadata
        if isinstance(bound, kind)
    ]
    return f" ({', '.join(bounds)})" if bounds else ""


def _number(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def commands_page() -> str:
    """The page of all commands, by what somebody wants to do."""
    root: Any = typer.main.get_command(app)
    lines, panel = [MADE, COMMANDS_INTRODUCTION], ""
    for name, command in root.commands.items():
        if command.rich_help_panel != panel:
            panel = command.rich_help_panel
            lines.append(f"## {panel}\n")
        inner = getattr(command, "commands", None)
        named = {f"{name} {sub}": each for sub, each in inner.items()} if inner else {name: command}
        for full_name, each in named.items():
            lines += _command(full_name, each)
    return "\n".join(lines)


def _command(name: str, command: Any) -> Iterator[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    params = [p for p in command.get_params(context) if not getattr(p, "hidden", False)]
    yield f"### `readfirst {name}`\n"
    yield "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n")) + "\n"
    rows = [_parameter(p, context) for p in params if "--help" not in p.opts]
    if rows:
        yield from ("| argument or option | what it is |", "| --- | --- |", *rows)
        yield ""


def _parameter(param: Any, context: Any) -> str:
    is_argument = param.param_type_name == "argument"
    label = None if is_argument else param.display_type_rich(ctx=context)
    names = (
        param.metavar or param.name.upper()
        if is_argument
        else ", ".join(sorted(param.opts, key=len))
    )
    text = f"`{names}{f' {label}' if label else ''}`".replace("|", "\\|")
    words = (param.help or "").replace("|", "\\|")
    needed = " Required." if param.required and not is_argument else ""
    default = param.default
    is_shown = not is_argument and default not in (None, False, True, "") and not callable(default)
    return f"| {text} | {words}{needed}{f' Default: `{default}`.' if is_shown else ''} |"


def model_card_page() -> str:
    """The model card of the ensemble that comes with ReadFirst."""
    manifest = load_manifest(find_ensembles([SHIPPED])[shipped_version()])
    return f"{MADE}\n{to_markdown(model_card(manifest))}"


#: Each page, and what makes it.
PAGES = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "dicom-conformance.md": dicom_conformance_page,
    "ihe-integration.md": ihe_integration_page,
    "model-card.md": model_card_page,
}


def write() -> None:
    """Write the pages."""
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())


if __name__ == "__main__":
    write()

"""Commands whose modules are imported when they are asked for: each start loads what it needs."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from cli.common.help import PlainCommand


def command_of(target: str, name: str, panel: str) -> Any:
    """Make the command, or the group of commands, that a module defines.

    target: module and attribute, as `cli.parts:up`; a function or an application of typer.
    panel: of the help text.
    """
    module, _, attribute = target.partition(":")
    defined = getattr(import_module(module), attribute)
    holder = typer.Typer()
    if isinstance(defined, typer.Typer):
        holder.add_typer(defined, name=name, rich_help_panel=panel)
    else:
        holder.command(name, cls=PlainCommand, rich_help_panel=panel)(defined)
    return typer.main.get_group(holder).commands[name]


class LazyCommands(dict[str, Any]):
    """Commands by name, in the order of their makers; each is made when it is first looked up."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__(dict.fromkeys(makers))
        self._makers = dict(makers)

    def __getitem__(self, name: str) -> Any:
        if name in self._makers:
            self[name] = self._makers.pop(name)()
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the command, or the default where there is none of that name."""
        return self[name] if name in self else default  # noqa: SIM401 - that would be itself

    def items(self) -> Any:
        """Return names and commands, all of them made."""
        for name in self:
            self[name]
        return super().items()


def lazy_group(panels: Mapping[str, Mapping[str, str]]) -> type[TyperGroup]:
    """Return the class of a group with these commands.

    panels: by panel of the help text and by name of the command, where it is defined.
    """

    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.commands = LazyCommands(
                {
                    name: partial(command_of, target, name, panel)
                    for panel, commands in panels.items()
                    for name, target in commands.items()
                }
            )

    return LazyGroup

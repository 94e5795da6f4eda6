"""Routes are given the things that the application holds, by their names."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_origin

import pytest
from fastapi import Request

from readfirst.settings import Settings
from readfirst.tasks.names import TaskName
from worklist.app import make_app
from worklist.services import dependencies


def of_the_application() -> dict[str, Any]:
    """The aliases that need nothing but the request, so all that lies in the state."""
    aliases = {name: alias for name, alias in vars(dependencies).items() if name.endswith("Dep")}
    return {
        name: alias
        for name, alias in aliases.items()
        if "request" in inspect.signature(get_args(alias)[1].dependency).parameters
    }


@pytest.mark.parametrize("name", sorted(of_the_application()))
def test_the_state_holds_what_a_name_promises(settings: Settings, name: str) -> None:
    kind, depends = get_args(of_the_application()[name])
    request = Request({"type": "http", "app": make_app(settings)})
    dependency = asyncio.run(depends.dependency(request))
    assert isinstance(dependency, get_origin(kind) or kind)


def test_there_are_such_names() -> None:
    assert {"SettingsDep", "DatabaseDep", "NotifierDep"} <= set(of_the_application())
    assert get_args(dependencies.NotifierDep)[0] == Callable[[TaskName], None]


def test_studies_are_shown_as_of_the_time_of_the_request(settings: Settings) -> None:
    at = asyncio.run(dependencies.now())
    assert asyncio.run(dependencies.display(settings, at)) == settings.display(at)

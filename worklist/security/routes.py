"""Which route a request goes to, as the application's own router will find it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount


@dataclass(frozen=True, slots=True)
class KnownRoute:
    """One route of the application. methods: None for any."""

    path: str
    methods: frozenset[str] | None
    pattern: re.Pattern[str]

    @property
    def names(self) -> list[str]:
        """As the table of rules names it, once for each method. HEAD is a GET without its body."""
        methods = (self.methods or frozenset({"GET"})) - {"HEAD"}
        return [f"{method} {self.path}" for method in sorted(methods)]


@dataclass(frozen=True, slots=True)
class Meant:
    """What a request asks for: the route's name in the table, and the parameters of its path."""

    name: str
    parameters: Mapping[str, str]


def routes_of(app: FastAPI) -> list[KnownRoute]:
    """Every route, in the order in which the router tries them."""
    return [
        KnownRoute(
            path=context.path or "/",
            methods=None if isinstance(context.route, Mount) else frozenset(context.methods or ()),
            pattern=context.path_regex,
        )
        for context in iter_route_contexts(app.routes)
    ]


def meant(routes: list[KnownRoute], method: str, path: str) -> Meant | None:
    """The route that will answer; one that knows the path and not the method will say so."""
    fits = [(route, found) for route in routes if (found := route.pattern.match(path))]
    for route, found in fits:
        if route.methods is None or method in route.methods:
            asked = "GET" if route.methods is None or method == "HEAD" else method
            return Meant(f"{asked} {route.path}", found.groupdict())
    return None

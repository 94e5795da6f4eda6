"""The route that a request goes to, by the routes' own matching, and the policy beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Match
from starlette.types import Scope

from readfirst.access.roles import Role
from worklist.security.policy import Policy, policy_of


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """The route that answers a request.

    name: method and path, as `GET /studies/{study_instance_uid}`. policy: None where the route has
    none. parameters: of the path.
    """

    name: str
    policy: Policy | None
    parameters: Mapping[str, str]


def matched_route(app: FastAPI, scope: Scope) -> MatchedRoute | None:
    """The route that will answer; None where none knows the path and the method."""
    for route in iter_route_contexts(app.routes):
        match, child_scope = route.matches(scope)
        if match is Match.FULL:
            method = scope["method"] if scope["method"] in _methods(route) else "GET"
            parameters = child_scope.get("path_params", {})
            return MatchedRoute(f"{method} {route.path}", _policy(route), parameters)
    return None


def may_see(app: FastAPI, role: Role, path: str) -> bool:
    """Tell whether a role is enough to look at a page; False where there is none.

    Every page asks for each of its links, and routes stay as they are: each path is matched once.
    path: of a link that is always the same; it is kept.
    """
    known: dict[str, Policy | None] = app.state.page_policies
    if path not in known:
        route = matched_route(app, {"type": "http", "method": "GET", "path": path})
        known[path] = route.policy if route else None
    policy = known[path]
    return policy is not None and policy.allows(role)


def policies(app: FastAPI) -> dict[str, Policy | None]:
    """The policy of every route, by its name, once for each method."""
    return {
        f"{method} {route.path}": _policy(route)
        for route in iter_route_contexts(app.routes)
        for method in _methods(route)
    }


def _methods(route: RouteContext) -> list[str]:
    """HEAD is a GET without its body; what is mounted takes any method, and is named by GET."""
    return sorted((route.methods or {"GET"}) - {"HEAD"})


def _policy(route: RouteContext) -> Policy | None:
    """The endpoint's; a mounted application is its own."""
    return policy_of(route.endpoint or getattr(route.route, "app", None))

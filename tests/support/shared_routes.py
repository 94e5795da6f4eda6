"""The routes of an application, resolved once in a process and not once in each test.

FastAPI reads the signature and the types of every route when an application is first asked: a fifth
of a second of one core, for what is the same each time.
"""

import sys
from typing import Final

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

#: By what distinguishes the routes of two applications: the longest body of an upload, in bytes.
RESOLVED: Final[dict[int, list[BaseRoute]]] = {}


def share_routes(patch: pytest.MonkeyPatch) -> None:
    """Let applications share their routes, if anything imported the web application."""
    module = sys.modules.get("worklist.app")
    if module is None:
        return
    add_routes = module._add_routes

    def add_shared(app: FastAPI) -> None:
        longest = app.state.upload_endpoints.most_bytes
        if longest not in RESOLVED:
            add_routes(app)
            RESOLVED[longest] = list(app.router.routes)
        else:
            app.router.routes[:] = RESOLVED[longest]

    patch.setattr(module, "_add_routes", add_shared)

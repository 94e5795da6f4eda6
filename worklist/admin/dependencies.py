"""The dependencies of the administrator's routes, beside those of all routes."""

from typing import Annotated

from fastapi import Depends, Request

from worklist.admin.live_checks import LiveChecks


async def live_checks(request: Request) -> LiveChecks:
    """The checks of `readfirst doctor`."""
    checks: LiveChecks = request.app.state.live_checks
    return checks


LiveChecksDep = Annotated[LiveChecks, Depends(live_checks)]

"""Forms of the pages: the token that each carries, and its fields."""

from typing import Annotated

from fastapi import Depends, Form, HTTPException

from worklist.security.principal import same
from worklist.services.dependencies import CurrentUser

TOO_OLD = "This form is too old: load the page again."
FormText = Annotated[str, Form(max_length=1024)]


async def own_form(user: CurrentUser, token: Annotated[str, Form(alias="form_token")] = "") -> None:
    """Raises HTTPException (403) for a form that was not made for this session."""
    if not same(token, user.form_token):
        raise HTTPException(403, TOO_OLD)


OwnForm = Depends(own_form)

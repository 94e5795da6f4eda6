"""The filters that somebody has saved: tabs of the list, kept with the account."""

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, HTTPException
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from db.access.saved_filters import SavedFilter, save_filters, saved_filters
from db.session import Database
from readfirst.access.roles import Role
from readfirst.printable import one_line
from worklist.pages.list.query import WorklistQuery
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep

router = APIRouter(include_in_schema=False)

#: Filters of one account.
MOST_FILTERS = 12


def list_address(written: str) -> str:
    """The address of a list from its first page on, with nothing in it but its known fields.

    So no text that is searched for is ever kept. Raises ValueError if it is no list's.
    """
    parts = urlsplit(written)
    if parts.netloc or parts.path != "/":
        raise ValueError("this is no address of the list")
    try:
        return WorklistQuery.model_validate(dict(parse_qsl(parts.query))).address()
    except ValidationError as error:
        raise ValueError("this is no address of the list") from error


Name = Annotated[str, Field(max_length=40), AfterValidator(lambda name: one_line(name.strip()))]
Address = Annotated[str, Field(max_length=4000), AfterValidator(list_address)]


class SavedFilterBody(BaseModel):
    """A filter as the page sends it."""

    name: Annotated[Name, Field(min_length=1)]
    address: Address


Filters = Annotated[list[SavedFilterBody], Field(max_length=MOST_FILTERS)]


@router.put("/saved-filters")
@policy(Role.READER)
def replace_filters(
    user: CurrentUser, database: DatabaseDep, filters: Filters
) -> list[dict[str, Any]]:
    """Keep these in place of those before, in this order. They name no patient."""
    if user.account is None:
        raise HTTPException(409, "Without an account, the browser keeps the filters.")
    kept = [SavedFilter(each.name, each.address) for each in filters]
    with database.write() as session:
        save_filters(session, user.account, kept)
    return [asdict(each) for each in kept]


def filters_of(database: Database, account: str | None) -> list[dict[str, Any]] | None:
    """Return the filters of an account, for the page; None where the browser keeps them."""
    if account is None:
        return None
    with database.read() as session:
        return [asdict(each) for each in saved_filters(session, account)]

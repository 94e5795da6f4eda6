"""The saved filters of an account: names and addresses of lists, in the account's order."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.tables import Account


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A list that somebody comes back to. address: the query of the list, which holds no text."""

    name: str
    address: str


def saved_filters(session: Session, account: str) -> list[SavedFilter]:
    """Return those of an account, in its order."""
    rows = session.scalar(select(Account.saved_filters).where(Account.name == account))
    return [SavedFilter(row["name"], row["address"]) for row in rows or ()]


def save_filters(session: Session, account: str, filters: Sequence[SavedFilter]) -> None:
    """Replace those of an account."""
    rows = [{"name": each.name, "address": each.address} for each in filters]
    session.execute(update(Account).where(Account.name == account).values(saved_filters=rows))

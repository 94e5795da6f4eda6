"""The language that an account has chosen for its page."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from db.tables import Account


def save_language(session: Session, account: str, code: str) -> None:
    """Keep the language of an account. code: of `readfirst.language.languages.NAMES`."""
    session.execute(update(Account).where(Account.name == account).values(language=code))

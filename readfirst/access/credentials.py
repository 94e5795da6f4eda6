"""Passwords, and secrets that nobody can guess. What is kept of either gives neither away."""

import hashlib
import re
import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext

LEAST_PASSWORD, MOST_PASSWORD = 12, 256
#: Guesses that a password must withstand, as a power of ten; and characters that are looked at.
LEAST_GUESSES_LOG10, MOST_GUESSED = 9, 72
ACCOUNT_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
#: By which a scanner for secrets knows a token of this program.
TOKEN_PREFIX = "readfirst_"  # noqa: S105 - a prefix
#: Each hash takes 64 MiB: so many at a time, whatever is asked at once.
_HASHING = threading.BoundedSemaphore(2)


def check_name(name: str) -> str:
    """An account's name, in small letters. Raises Misconfigured."""
    small = name.lower()
    if not ACCOUNT_NAME.fullmatch(small):
        raise Misconfigured(
            gettext(
                "{name} cannot name an account: take up to 64 letters, digits, dots, dashes, "
                "underscores or @, a letter or digit first."
            ).format(name=repr(name))
        )
    return small


def check_password(password: str, name: str) -> str:
    """A password that may be set. Raises Misconfigured, without the password.

    Length is what counts; NIST SP 800-63B 5.1.1.2 advises against rules of composition.
    """
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise Misconfigured(
            gettext("A password has {least} to {most} characters; a few words do well.").format(
                least=LEAST_PASSWORD, most=MOST_PASSWORD
            )
        )
    if len(set(password)) < 4 or _guessable(password, name):
        raise Misconfigured(
            gettext(
                "This password is too easy to guess: it is, or is made of, one that many people "
                "have, or the account's name. Take a few words that nobody would put together."
            )
        )
    return password


def _guessable(password: str, name: str) -> bool:
    """Tell whether common passwords, words and patterns lead to a password too soon.

    By zxcvbn (Wheeler 2016), which knows the 30,000 most common passwords: NIST SP 800-63B 5.1.1.2.
    """
    # It loads its lists: not needed by whoever sets no password.
    from zxcvbn import zxcvbn  # type: ignore[import-untyped,import-not-found,unused-ignore]

    # Beyond these characters it is not asked, since it takes long.
    guessed = zxcvbn(password[:MOST_GUESSED], [name, "readfirst", "radiology"])
    return bool(guessed["guesses_log10"] < LEAST_GUESSES_LOG10)


def hash_password(password: str) -> str:
    """Argon2id, with a salt of its own, by RFC 9106's second recommendation."""
    with _HASHING:
        return _hasher().hash(_normal(password))


def verify_password(password: str, kept: str | None) -> bool:
    """Tell whether a password fits the hash that was kept; as slow for None, which nothing fits."""
    with _HASHING:
        try:
            matches = _hasher().verify(kept or _nobodys(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return matches and kept is not None


def is_outdated(kept: str) -> bool:
    """Tell whether a hash was made with other parameters than new ones are."""
    return _hasher().check_needs_rehash(kept)


def new_secret() -> str:
    """256 random bits, as text: for a session or a token."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """The secret by which a program says who it is."""
    return TOKEN_PREFIX + new_secret()


def digest(secret: str) -> str:
    """Return the digest that is kept of a random secret; since nobody can guess it, a fast one."""
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(new_secret())


def _normal(password: str) -> str:
    # The same keys give other code points on other systems.
    return unicodedata.normalize("NFKC", password)

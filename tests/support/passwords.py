"""Passwords that cost a test little: hashing is slow on purpose, and tests log in often."""

from typing import Final

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from readfirst.access import credentials

CHEAP: Final = PasswordHasher.from_parameters(CHEAPEST)
#: The product's own, whose parameters a test looks at.
product_hasher = credentials._hasher


def hash_cheaply() -> None:
    """Hash with the least that Argon2id can do, in this process, from now on."""
    pytest.MonkeyPatch().setattr(credentials, "_hasher", lambda: CHEAP)

"""Who asks, as the guard found out. Routes take it as `Who`."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from db.audit import Actor
from readfirst.roles import Role

#: The prefix makes browsers hold to `Secure`, to this host and to every path (RFC 6265bis 4.1.3).
SECURE_COOKIE, PLAIN_COOKIE = "__Host-readfirst", "readfirst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who was let in. account: None where nobody has to log in."""

    account: str | None
    role: Role
    address: str
    #: What forms of this visitor send along; empty for programs.
    form_token: str = ""

    @property
    def actor(self) -> Actor:
        """As the audit log names them."""
        return Actor(self.account, self.address)


def visitor(request: Request) -> Visitor:
    """Who asks. Only for routes that are not open to everybody."""
    found: Visitor = request.state.visitor
    return found


Who = Annotated[Visitor, Depends(visitor)]


def cookie_name(connection: HTTPConnection) -> str:
    """Under which name the session's secret travels."""
    return SECURE_COOKIE if connection.scope["scheme"] == "https" else PLAIN_COOKIE


def form_token(secret: str) -> str:
    """What a form must send along, so that it was made for this cookie."""
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell how far."""
    return hmac.compare_digest(one.encode(), other.encode())


def address_of(connection: HTTPConnection) -> str:
    """From where somebody asks; a trusted proxy has told the true one."""
    return connection.client.host[:64] if connection.client else "unknown"

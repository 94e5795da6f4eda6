"""The principal of a request: account, role and address. Routes take it as `CurrentUser`."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from starlette.requests import HTTPConnection

from db.access.audit import Actor
from readfirst.access.roles import Role

#: The prefix makes browsers hold to `Secure`, to this host and to every path (RFC 6265bis 4.1.3).
SECURE_COOKIE, PLAIN_COOKIE = "__Host-readfirst", "readfirst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who was let in. account: None where nobody has to log in."""

    account: str | None
    role: Role
    address: str
    #: What forms of this session send along; empty for programs.
    form_token: str = ""
    #: The code of the language that the account has chosen; None for that of the site.
    language: str | None = None

    @property
    def actor(self) -> Actor:
        """As the audit log names them."""
        return Actor(self.account, self.address)

    @property
    def viewer(self) -> tuple[str, ...]:
        """Who looks: the session, or the program, and from where."""
        return (self.account or "", self.address, self.form_token)


def cookie_name(connection: HTTPConnection) -> str:
    """The name under which the session's secret travels."""
    return SECURE_COOKIE if connection.scope["scheme"] == "https" else PLAIN_COOKIE


def form_token(secret: str) -> str:
    """The token that a form must send along, so that it was made for this cookie."""
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()


def same(secret: str, other: str) -> bool:
    """Compare two secrets in a time that does not tell how far they are the same."""
    return hmac.compare_digest(secret.encode(), other.encode())


def address_of(connection: HTTPConnection) -> str:
    """The address from which a request comes; a trusted proxy has told the true one."""
    return connection.client.host[:64] if connection.client else "unknown"

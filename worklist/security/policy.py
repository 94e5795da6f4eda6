"""The access policy of a route, written beside it by a decorator: the least role, and the audit.

The middleware reads it before the route runs and before a body is read. A route without a policy
is for nobody; a test says so before a release does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from db.access.audit import AuditAction
from readfirst.access.roles import Role

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
#: The name under which an endpoint carries its policy.
ATTRIBUTE = "__policy__"


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call a route, and how it is noted.

    least: the least role; None for everybody, before any log-in. audit: the action in the audit
    log, if any. attended: whether it shows that a person is there; what a page asks by itself
    does not. each_time: whether every answer is noted, or only what was not shown to the same
    session of late (`worklist.security.noted_of_late`). What shows patients' data is noted in any
    case, with an action or without.
    """

    least: Role | None
    audit: AuditAction | None = None
    attended: bool = True
    each_time: bool = True

    def allows(self, role: Role) -> bool:
        """Tell whether a role is enough."""
        return self.least is None or role.may(self.least)


#: For everybody, before any log-in.
PUBLIC = Policy(None)


def policy(
    least: Role,
    *,
    audit: AuditAction | None = None,
    attended: bool = True,
    each_time: bool = True,
) -> Callable[[Endpoint], Endpoint]:
    """Let a route be for a role and those above it. The others: as in `Policy`."""
    return _marked_with(Policy(least, audit, attended, each_time))


def public(endpoint: Endpoint) -> Endpoint:
    """Let a route be for everybody, before any log-in."""
    return _marked_with(PUBLIC)(endpoint)


def policy_of(endpoint: object) -> Policy | None:
    """The policy of an endpoint, or of a mounted application; None if nobody gave it one."""
    own_policy: Policy | None = getattr(endpoint, ATTRIBUTE, None)
    return own_policy


def _marked_with(rule: Policy) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, ATTRIBUTE, rule)
        return endpoint

    return mark

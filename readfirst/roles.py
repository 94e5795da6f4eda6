"""Who may do what: the roles of accounts, from the least to the most."""

from enum import StrEnum


class Role(StrEnum):
    """What an account may do; each may all that those before it may."""

    #: A program with a token: the API and the ways in, and no page.
    SERVICE = "service"
    #: A radiologist: the pages, and verdicts.
    READER = "reader"
    #: A physicist or lead: what watches the AI.
    LEAD = "lead"
    #: Whoever runs the site.
    ADMIN = "admin"

    def may(self, least: "Role") -> bool:
        """Whether this role reaches another."""
        order = list(Role)
        return order.index(self) >= order.index(least)

"""The roles of accounts, from the least to the most powerful."""

from enum import StrEnum


class Role(StrEnum):
    """The roles; each may do all that those before it may."""

    #: A program with a token: the API and the ways in, and no page.
    SERVICE = "service"
    #: A radiologist: the pages, and verdicts.
    READER = "reader"
    #: A physicist or lead: what watches the AI.
    LEAD = "lead"
    #: Whoever runs the site.
    ADMIN = "admin"

    def may(self, least: "Role") -> bool:
        """Tell whether this role may do all that another may."""
        order = list(Role)
        return order.index(self) >= order.index(least)

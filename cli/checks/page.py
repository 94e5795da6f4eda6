"""The page and its log-in, as `readfirst doctor` sees them."""

from sqlalchemy.orm import Session

from cli.common.checks import from_database
from readfirst.errors import ReadFirstError
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_page(settings: Settings) -> CheckResult:
    """See who may look at the page, and whether passwords cross the network as they are."""
    from db.access.accounts import any_account
    from ingest.receivers.listener_config import is_loopback
    from worklist.security.access_policy import check_may_listen

    def is_closed(session: Session) -> bool:
        check_may_listen(settings, session)
        return settings.auth == "required" or any_account(session)

    try:
        closed = from_database(settings, is_closed)
    except ReadFirstError as error:
        return CheckResult("page", False, str(error), gettext("Then start it again."))
    if closed is None:
        return CheckResult("page", True, gettext("see the database"))
    access = gettext("by log-in") if closed else gettext("open to whoever is on this machine")
    bare = not (is_loopback(settings.host) or settings.tls_certificate or settings.trusted_proxies)
    plain, safe = gettext("{access}, on {host} without TLS"), gettext("{access}, on {host}")
    where = plain if bare else safe
    return CheckResult(
        "page",
        not bare,
        where.format(access=access, host=settings.host),
        gettext(
            "Set READFIRST_TLS_CERTIFICATE and READFIRST_TLS_KEY, or put a proxy with TLS before "
            "it and name that in READFIRST_TRUSTED_PROXIES."
        ),
    )

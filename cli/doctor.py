"""`doctor`: is everything in place, and what to do where it is not."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.text import Text

from cli.checks.database import check_database
from cli.checks.destinations import check_results
from cli.checks.ensembles import check_accepted, check_weights
from cli.checks.folders import check_disk, check_home, check_inbox, check_rights
from cli.checks.listeners import check_hl7, check_listener
from cli.checks.messages import check_messages
from cli.checks.page import check_page
from cli.checks.settings import check_scope, check_settings
from cli.checks.sources import check_sources
from cli.checks.work import check_broker, check_intake, check_reading, check_work
from cli.common.console import err, notice, out, print_json
from readfirst.errors import Misconfigured, Unavailable
from readfirst.settings import Settings, load_settings
from readfirst.site.checks import CheckResult

CHECKS: tuple[Callable[[Settings], CheckResult], ...] = (
    check_settings,
    check_scope,
    check_home,
    check_rights,
    check_inbox,
    check_disk,
    check_database,
    check_intake,
    check_work,
    check_broker,
    check_reading,
    check_listener,
    check_sources,
    check_hl7,
    check_page,
    check_messages,
    check_results,
    check_weights,
    check_accepted,
)


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
    fix_rights: Annotated[
        bool,
        typer.Option(
            "--fix-rights",
            help="Take from other users of this machine every right to what ReadFirst keeps.",
        ),
    ] = False,
    send_test_mail: Annotated[
        bool,
        typer.Option(
            "--send-test-mail",
            help="Send a mail to those who are told of escalations, or of nights.",
        ),
    ] = False,
) -> None:
    """Check settings, folders, disk, database, broker, listener and weights; say what to do."""
    settings = load_settings()
    if fix_rights:
        _fix_rights(settings)
    if send_test_mail:
        _send_test_mail(settings)
    results = [check(settings) for check in CHECKS]
    if json:
        print_json(results)
    else:
        for result in results:
            out().print(
                Text("✓", "green") if result.well else Text("✗", "red"),
                Text(f"{result.name:9} {result.found}"),
            )
            if not result.well:
                out().print(Text(f"  → {result.advice}", "yellow"))
            if result.warning:
                out().print(Text(f"  ! {result.warning}", "yellow"))
    if not all(result.well for result in results):
        raise typer.Exit(1)


def _send_test_mail(settings: Settings) -> None:
    """Raises ReadFirstError where no mail is set up, or none is taken."""
    from datetime import UTC, datetime
    from uuid import uuid4

    from worker.delivery.escalation_message import trial_mail
    from worker.delivery.mail import mail_server, night_mail_server, send_mail

    server = mail_server(settings) or night_mail_server(settings)
    if server is None:
        raise Misconfigured(
            "No mail is sent: READFIRST_ESCALATE_AFTER_MINUTES and READFIRST_ESCALATE_BY say when, "
            "or READFIRST_NIGHTLY_MAIL_TO."
        )
    attempt = send_mail(trial_mail(server, datetime.now(UTC), uuid4().hex), server)
    if not attempt.taken:
        raise Unavailable(f"{server.host}:{server.port} did not take the mail: {attempt.outcome}.")
    count = len(server.receivers)
    notice(f"Sent to {count} {'address' if count == 1 else 'addresses'}: {attempt.outcome}.")


def _fix_rights(settings: Settings) -> None:
    from cli.common.rights import close_to_others

    for path, reason in close_to_others(settings):
        err.print(Text(f"{path} stays as it is: {reason}", "yellow"), soft_wrap=True)

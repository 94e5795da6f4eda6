"""The ensembles of a site, as `readfirst doctor` sees them."""

from sqlalchemy.orm import Session

from cli.common.checks import from_database, unknown
from readfirst.errors import ReadFirstError
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_weights(settings: Settings) -> CheckResult:
    """See whether every weight file is the one that its manifest names."""
    from models.manifest import available_ensembles, check_files, load_manifest

    try:
        folders = available_ensembles(settings.ensembles_path)
        for folder in folders.values():
            check_files(folder, load_manifest(folder))
    except ReadFirstError as error:
        advice = gettext("Install ReadFirst again, or copy them again.")
        return CheckResult("weights", False, str(error), advice)
    advice = gettext("Install ReadFirst again: the shipped ensemble is missing.")
    found = gettext("ensembles {versions}").format(versions=", ".join(sorted(folders)))
    return CheckResult("weights", bool(folders), found, advice)


def check_accepted(settings: Settings) -> CheckResult:
    """See whether a lead has ever accepted the active ensemble for this site."""
    from db.ensembles.acceptance import is_accepted
    from db.ensembles.versions import active_ensemble

    def read(session: Session) -> tuple[str | None, bool]:
        active = active_ensemble(session)
        version = active.version if active else None
        return version, version is not None and is_accepted(session, version)

    answer = from_database(settings, read)
    if answer is None:
        return unknown("accepted")
    version, accepted = answer
    if version is None:
        return CheckResult("accepted", True, gettext("no ensemble has scored yet"))
    if accepted:
        text = gettext("ensemble {version} was accepted by a lead")
        return CheckResult("accepted", True, text.format(version=version))
    if settings.is_silent:
        text = gettext("silent mode: ensemble {version} only scores")
        return CheckResult("accepted", True, text.format(version=version))
    warning = gettext(
        "No lead has accepted ensemble {version} on films of this site: "
        "docs/how-to/accept-an-ensemble.md says how."
    ).format(version=version)
    found = gettext("live, ranked by ensemble {version}").format(version=version)
    return CheckResult("accepted", True, found, warning=warning)

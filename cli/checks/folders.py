"""The folders of a site, their rights and their disks, as `readfirst doctor` sees them."""

from pathlib import Path

from readfirst.files.folders import make_inbox, make_private_folder
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_home(settings: Settings) -> CheckResult:
    """See whether everything can be written where ReadFirst keeps it."""
    home = settings.home_path
    return _writable("home", home, "READFIRST_HOME", make_private_folder(home))


def check_rights(settings: Settings) -> CheckResult:
    """See whether other users of this machine can look into what ReadFirst keeps."""
    from cli.common.rights import open_to_others

    opened = list(open_to_others(settings))
    if not opened:
        return CheckResult(
            "rights", True, gettext("nobody else on this machine reads the home folder")
        )
    warning = gettext(
        "Other users of this machine may look into {path} ({mode}). "
        "`readfirst doctor --fix-rights` takes that right away."
    ).format(path=opened[0].path, mode=f"{opened[0].mode:03o}")
    found = gettext("{count} files and folders are open to others").format(count=len(opened))
    return CheckResult("rights", True, found, warning=warning)


def check_inbox(settings: Settings) -> CheckResult:
    """See whether files can be claimed in the drop folder."""
    home, inbox = settings.home_path, settings.inbox_path
    return _writable("inbox", inbox, "READFIRST_INBOX", make_inbox(home, inbox))


def check_disk(settings: Settings) -> CheckResult:
    """See whether there is room for intake."""
    from ingest.inbox.disk import intake_disk_space

    room = intake_disk_space(settings)
    return CheckResult(
        "disk",
        room.enough,
        gettext("{size} GiB free at {folder}").format(
            size=number_text(room.free / 1024**3, ".1f"), folder=room.folder
        ),
        f"{room.sentence} "
        + gettext("Make room, or move READFIRST_HOME or READFIRST_INBOX to a larger disk."),
    )


def _writable(name: str, folder: Path, setting: str, fault: str | None) -> CheckResult:
    advice = gettext("Make it usable, or set {setting}.").format(setting=setting)
    if fault:
        return CheckResult(name, False, fault, advice)
    try:
        probe = folder / ".readfirst-doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return CheckResult(name, False, f"{folder}: {error.strerror}", advice)
    return CheckResult(name, True, str(folder))

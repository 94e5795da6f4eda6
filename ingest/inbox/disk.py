"""Free space on the disk: below a watermark nothing is taken in, and files stay where they are."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.settings import Settings

MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The free space on the disk of a folder, and what intake must leave free (bytes)."""

    folder: Path
    free: int
    least: int

    @property
    def enough(self) -> bool:
        """Return whether more may be taken in."""
        return self.free >= self.least

    @property
    def sentence(self) -> str:
        """The sentence for people when it is not enough."""
        text = gettext(
            "Intake paused: {free} free at {folder}, {least} required. "
            "Files stay where they are. Intake resumes when there is space."
        )
        free, least = _readable(self.free), _readable(self.least)
        return text.format(free=free, folder=self.folder, least=least)


def _readable(size: int) -> str:
    """A number of bytes, as `63.6 GiB`."""
    value, units = size / MEBIBYTE, ["MiB", "GiB", "TiB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    spec = ".0f" if units[0] == "MiB" else ",.1f"
    return f"{number_text(value, spec)} {units[0]}"


def disk_space(folder: Path, least: int) -> DiskSpace:
    """Measure the disk on which a folder lies, or would. least: what must be left free (bytes)."""
    for existing in (folder, *folder.parents):
        with suppress(OSError):
            # It may be gone, as an inbox that is not mounted; what it lay in is there.
            return DiskSpace(existing, shutil.disk_usage(existing).free, least)
    raise FileNotFoundError(folder)


def intake_disk_space(settings: Settings) -> DiskSpace:
    """Measure the fuller of the two disks that intake writes to: those of home and inbox."""
    least = settings.min_free_megabytes * MEBIBYTE
    folders = (settings.home_path, settings.inbox_path)
    return min((disk_space(folder, least) for folder in folders), key=lambda space: space.free)

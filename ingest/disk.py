"""Is there room for more? Below a watermark nothing is taken in, and files stay where they are."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from readfirst.settings import Settings

MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Room:
    """What is free on the disk of a folder, and what must be left free for intake (bytes)."""

    folder: Path
    free: int
    least: int

    @property
    def enough(self) -> bool:
        """Whether more may be taken in."""
        return self.free >= self.least

    @property
    def sentence(self) -> str:
        """What a person reads when it is not enough."""
        return (
            f"Intake is paused: {self.free // MEBIBYTE} MiB are free at {self.folder}, and "
            f"{self.least // MEBIBYTE} must be. Files stay where they are; it goes on by itself "
            "when there is room."
        )


def room(folder: Path, least: int) -> Room:
    """Measure the disk on which a folder lies, or would. least: what must be left free (bytes)."""
    for place in (folder, *folder.parents):
        with suppress(OSError):
            # It may be gone, as an inbox that is not mounted; what it lay in is there.
            return Room(place, shutil.disk_usage(place).free, least)
    raise FileNotFoundError(folder)


def intake_room(settings: Settings) -> Room:
    """The scarcer of the two disks that intake writes to: that of the home and of the inbox.."""
    least = settings.min_free_megabytes * MEBIBYTE
    folders = (settings.home_path, settings.inbox_path)
    return min((room(folder, least) for folder in folders), key=lambda found: found.free)

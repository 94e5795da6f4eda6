"""The tasks that workers do, by name.

No message carries an image, a UID or a person: it only says that there is work.
"""

from enum import StrEnum


class TaskName(StrEnum):
    """The tasks; each bears its Celery name and has a queue of its own name's first part."""

    PREPARE = "prepare"
    SCORE = "assess"
    SWEEP = "housekeeping.sweep"
    DELIVER = "housekeeping.announce"
    SEND = "sending.send"
    NIGHTLY = "housekeeping.nightly"
    RANK = "housekeeping.rank"
    RETENTION = "housekeeping.retention"
    WATCH = "housekeeping.watch"

    @property
    def queue(self) -> str:
        """The queue in which the task waits."""
        return self.value.split(".")[0]

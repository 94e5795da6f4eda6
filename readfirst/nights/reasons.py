"""The reasons why a night gives no more to the workers."""

from enum import StrEnum


class NightEnd(StrEnum):
    """Stored and exported, so a value is never renamed."""

    #: Its window is over.
    WINDOW = "window"
    #: Nothing is left.
    FINISHED = "finished"
    #: A person stopped it.
    STOPPED = "stopped"
    #: Another ensemble is active.
    REPLACED = "replaced"


END_WORDS = {
    NightEnd.WINDOW: "its window was over",
    NightEnd.FINISHED: "nothing was left",
    NightEnd.STOPPED: "somebody stopped it",
    NightEnd.REPLACED: "another ensemble became active",
}

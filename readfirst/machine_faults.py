"""Faults of the machine: they stop a kind of work, and no film is ever refused for them.

A full disk, a folder that cannot be written to, networks that cannot be loaded: films wait, it is
said, and the work goes on by itself when the fault has gone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from readfirst.errors import Unavailable
from readfirst.language.texts import gettext

#: Attempts on one film that ended without a word or by a signal from outside, each alone, after
#: which the film is held to be their cause. With the pauses in between they take about a day.
MOST_UNPROVEN = 30


class WorkKind(StrEnum):
    """The kinds of work that a fault may stop."""

    INTAKE = "intake"
    PREPARING = "preparing"
    SCORING = "scoring"


class FaultCode(StrEnum):
    """The codes. They are stored, so a code is never renamed."""

    DERIVED_IMAGES_NOT_WRITTEN = "derived_images_not_written"
    DERIVED_IMAGES_NOT_READ = "derived_images_not_read"
    ORIGINALS_UNAVAILABLE = "originals_unavailable"
    READING_INTERRUPTED = "reading_interrupted"
    READER_NOT_STARTED = "reader_not_started"
    OUT_OF_MEMORY = "out_of_memory"
    ENSEMBLE_NOT_LOADED = "ensemble_not_loaded"
    NETWORKS_FAIL = "networks_fail"


#: What is wrong, and what to do.
SENTENCES: dict[FaultCode, tuple[str, str]] = {
    FaultCode.DERIVED_IMAGES_NOT_WRITTEN: (
        "Prepared images cannot be written.",
        "Make room on the disk of the folder `prepared`, and let ReadFirst write to it.",
    ),
    FaultCode.DERIVED_IMAGES_NOT_READ: (
        "Prepared images cannot be read.",
        "Let ReadFirst read the folder `prepared`, and look after its disk.",
    ),
    FaultCode.ORIGINALS_UNAVAILABLE: (
        "Originals cannot be written or read.",
        "See that the folder `store` is mounted, has room, and lets ReadFirst write and read.",
    ),
    FaultCode.READING_INTERRUPTED: (
        "The process that reads files is ended from outside, or gets no processor time.",
        "See whether the machine has memory left (`dmesg` names what the kernel has ended), and "
        "what else runs on it.",
    ),
    FaultCode.READER_NOT_STARTED: (
        "The process that reads files does not start.",
        "See whether the machine has memory, processes and open files left, and install ReadFirst "
        "again if it has.",
    ),
    FaultCode.OUT_OF_MEMORY: (
        "The machine has no memory left.",
        "Give it more memory, or set READFIRST_BATCH_SIZE or READFIRST_PREPARE_WORKERS lower.",
    ),
    FaultCode.ENSEMBLE_NOT_LOADED: (
        "The networks cannot be loaded.",
        "See `readfirst doctor` for the weights, and the log of the worker.",
    ),
    FaultCode.NETWORKS_FAIL: (
        "The networks fail on a plain grey image too.",
        "Start the worker again, and see its log; a GPU or its driver may have a fault.",
    ),
}

#: What films wait for while a kind of work is stopped.
WAITS = {
    WorkKind.INTAKE: "Films wait to be taken in; it is tried again by itself.",
    WorkKind.PREPARING: "Films wait to be prepared; it is tried again by itself.",
    WorkKind.SCORING: "Films wait to be scored; it is tried again by itself.",
}


class MachineFault(Unavailable):
    """A kind of work cannot go on; no film is to blame. detail: as the machine said it."""

    def __init__(self, code: FaultCode, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(SENTENCES[code][0] + (f" ({detail})" if detail else ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFault:
    """A fault that stops a kind of work now. since: when it was first met."""

    work: WorkKind
    code: FaultCode
    detail: str
    since: datetime

    @property
    def sentence(self) -> str:
        """The sentence for people: the fault, and the films that wait."""
        fault = gettext(SENTENCES[self.code][0]) + (f" ({self.detail})" if self.detail else "")
        return f"{fault} {gettext(WAITS[self.work])}"

    @property
    def since_when(self) -> str:
        """The same, with the time since when, in UTC."""
        return f"Since {self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {self.sentence}"

    @property
    def advice(self) -> str:
        """The sentence that says how to end it."""
        return gettext(SENTENCES[self.code][1])


def machine_fault(error: BaseException, code: FaultCode) -> MachineFault | None:
    """Return the fault that an error is if it is of the machine; None if it may be of the film.

    code: of errors of the operating system. Memory that is lacking is a fault of its own.
    """
    if isinstance(error, MachineFault):
        return error
    if isinstance(error, MemoryError):
        return MachineFault(FaultCode.OUT_OF_MEMORY)
    if isinstance(error, OSError) and error.errno is not None:
        return MachineFault(code, error.strerror or type(error).__name__)
    return None

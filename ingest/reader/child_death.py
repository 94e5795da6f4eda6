"""The death of the process that reads files, and whose doing it was."""

import signal
from enum import Enum, auto

#: A process gets these by what it does itself. All others come from outside, as the SIGKILL of the
#: kernel when the machine has no memory left.
OWN_SIGNALS = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGSYS,
    }
)


class DeathCause(Enum):
    """The cause of the end of the process."""

    #: What it did itself, as a codec that crashes.
    ITSELF = auto()
    #: It used up the processor time that it may have for one file.
    TIME = auto()
    #: A signal from outside, which says nothing of the file.
    OUTSIDE = auto()


def death_cause(returncode: int) -> DeathCause:
    """Tell what ended a process. returncode: as `subprocess` gives it, -N for signal N."""
    if -returncode == signal.SIGXCPU:
        return DeathCause.TIME
    is_own = returncode >= 0 or -returncode in OWN_SIGNALS
    return DeathCause.ITSELF if is_own else DeathCause.OUTSIDE


def signal_name(returncode: int) -> str:
    """The name of the signal that ended a process, as SIGKILL."""
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"

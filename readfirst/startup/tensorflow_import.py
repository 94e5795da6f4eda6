"""The import of TensorFlow and Keras: without lines that are not for readers, and without packages
that nobody here needs.

Most of the lines a variable keeps away. Two come from libraries that write before they have read
it, by C++ and to descriptor 2; so that descriptor leads through a filter while TensorFlow is
imported. The filter is a process of its own: if the import crashes, its last lines are shown all
the same.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType

from readfirst.startup.pruned_import import Load, PruningFinder

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
#: From errors on. A smaller number in the environment shows them again.
ERRORS = "2"
#: Packages that Keras loads where they are installed, for wrappers and plots of its own. They are a
#: third of the processor time of its import. Whoever wants them imports them before or after it.
UNUSED = frozenset({"matplotlib", "pandas", "sklearn"})
#: Passes on what is no notice or warning of TensorFlow, as `I0000 00:00:17.1 88 port.cc:153] …`.
FILTER = r"""
import re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
line_of_tensorflow = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\) is called|"
    rb"[IW]\d{4} [\d:.]+ +\d+ [\w/.]+:\d+\] |"
    rb"\d{4}-\d\d-\d\d [\d:.]+: [IW] \S+:\d+\] "
)
for line in iter(sys.stdin.buffer.readline, b""):
    if not line_of_tensorflow.match(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


def prepare_import() -> None:
    """Let the import of TensorFlow in this process, and those that it starts, be silent; and let it
    and Keras do without the packages that nobody here needs.
    """
    os.environ.setdefault(LEVEL, ERRORS)
    PruningFinder({"tensorflow": UNUSED, "keras": UNUSED}, _load).install()


def _load(load: Load, module: ModuleType) -> None:
    with ExitStack() as stack:
        if module.__name__ == "tensorflow" and os.environ.get(LEVEL, "0") >= ERRORS:
            stack.enter_context(filtered_stderr())
        load(module)


@contextmanager
def filtered_stderr() -> Iterator[None]:
    """Let descriptor 2 lead through the filter; what Python itself writes goes past it."""
    with ExitStack() as stack:
        with suppress(OSError):
            _redirect(stack)
        yield


def _redirect(stack: ExitStack) -> None:
    """Raises OSError where there is no descriptor 2, or no process can be started."""
    sys.stderr.flush()
    terminal = os.dup(2)
    stack.callback(os.close, terminal)
    command = [sys.executable, "-I", "-S", "-c", FILTER]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=terminal, stderr=terminal)
    stack.callback(child.wait)
    # Last in, first out: descriptor 2 is put back, and the filter then comes to its end.
    stack.callback(os.dup2, terminal, 2)
    if child.stdin is not None:
        os.dup2(child.stdin.fileno(), 2)
        child.stdin.close()
    python = sys.stderr
    if isinstance(python, io.TextIOWrapper) and python.fileno() == 2:
        past = os.fdopen(os.dup(terminal), "w", 1, python.encoding, python.errors)
        stack.callback(past.close)
        stack.callback(setattr, sys, "stderr", python)
        sys.stderr = past

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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
#: From errors on. A smaller number in the environment shows them again.
ERRORS = "2"
#: Packages that Keras loads where they are installed, for wrappers and plots of its own. They are a
#: third of the processor time of its import. Whoever wants them imports them before or after it.
UNUSED = frozenset({"matplotlib", "pandas", "sklearn"})
#: True where TensorFlow or Keras is being loaded: each thread has a context of its own.
_loads = ContextVar("_loads", default=False)
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
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds TensorFlow and Keras as the other finders do, and has them loaded by `_load`.

    Where `_load` is at work, and in no other thread, it finds none of the unused packages. It stays
    in `sys.meta_path`: with a finder that is taken out, other threads would skip the next one.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in UNUSED and _loads.get():
            raise ModuleNotFoundError(f"{name} is not loaded with Keras", name=name)
        if name not in ("tensorflow", "keras"):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next(filter(None, specs), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = partial(_load, load)  # type: ignore[method-assign]
        return spec


def _load(load: object, module: ModuleType) -> None:
    with ExitStack() as stack:
        if module.__name__ == "tensorflow" and os.environ.get(LEVEL, "0") >= ERRORS:
            stack.enter_context(filtered_stderr())
        stack.callback(_loads.reset, _loads.set(True))
        load(module)  # type: ignore[operator]


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

"""Packages that are imported without others, which they load where those are installed and nobody
here needs.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

#: What executes a module.
Load = Callable[[ModuleType], object]
#: The packages that are not found at the moment: each thread has a context of its own.
_unused = ContextVar[frozenset[str]]("_unused", default=frozenset())


def load_plainly(load: Load, module: ModuleType) -> None:
    """Load a module as Python does."""
    load(module)


class PruningFinder:
    """Finds some packages as the other finders do, and has them loaded without the unused ones.

    While one of them is loaded, and in no other thread, the unused packages are not found. Whoever
    wants those imports them before or after it. The finder stays in `sys.meta_path`: with one that
    is taken out, other threads would skip the next one.
    """

    def __init__(
        self,
        unused: Mapping[str, frozenset[str]],
        loading: Callable[[Load, ModuleType], None] = load_plainly,
    ) -> None:
        """unused: by package, those that it is loaded without. loading: loads such a package."""
        self._by_package = unused
        self._loading = loading

    def install(self) -> None:
        """Let Python ask this finder first. Once is enough for the same packages."""
        installed = (each for each in sys.meta_path if isinstance(each, PruningFinder))
        if not any(each._by_package == self._by_package for each in installed):
            sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module, or nothing. Raises ModuleNotFoundError for one that is left out now."""
        if name in _unused.get():
            raise ModuleNotFoundError(f"{name} is left out of this import", name=name)
        if name not in self._by_package:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next(filter(None, specs), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = partial(self._load, load)  # type: ignore[method-assign]
        return spec

    def _load(self, load: Load, module: ModuleType) -> None:
        token = _unused.set(_unused.get() | self._by_package[module.__name__])
        try:
            self._loading(load, module)
        finally:
            _unused.reset(token)

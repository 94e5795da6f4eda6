"""The import of pydicom, without what it needs for downloads of test files alone."""

from readfirst.startup.pruned_import import PruningFinder

#: A third of the processor time of its import, in each process that reads a header.
UNUSED = frozenset({"requests", "tqdm"})


def prepare_import() -> None:
    """Let pydicom do without them in this process, wherever it is imported."""
    PruningFinder({"pydicom": UNUSED}).install()

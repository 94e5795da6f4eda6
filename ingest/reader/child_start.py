"""The start of the process that readers of files come from. Nothing is imported in vain."""

import gc
import sys
from typing import Final

#: What pydicom imports where it is installed, to download its own test data.
UNUSED: Final = ("requests", "tqdm")


def prepare_imports() -> None:
    """Let the imports of this process do without what it never needs, a quarter of their time.

    Python looks for no garbage until all that stays is imported: `reader_child.main` lets it.
    """
    gc.disable()
    for name in UNUSED:
        # Python's own sign for a module that cannot be imported.
        sys.modules[name] = None  # type: ignore[assignment]


def main() -> None:
    """Import the process that reads files, and be it."""
    prepare_imports()
    from ingest.reader import reader_child

    reader_child.main()


if __name__ == "__main__":
    main()

"""The start of the process that readers of files come from."""

import gc


def main() -> None:
    """Import the process that reads files, and be it.

    Python looks for no garbage until all that stays is imported: `reader_child.main` lets it.
    """
    gc.disable()
    from ingest.reader import reader_child

    reader_child.main()


if __name__ == "__main__":
    main()

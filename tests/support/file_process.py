"""The process in which a reader has read its last file."""

import psutil

from ingest.reader.reader_process import Reader


def file_pid(reader: Reader) -> int:
    """Its number. A younger one beside it waits for the next file."""
    assert reader.pid is not None
    children = psutil.Process(reader.pid).children()
    return int(min(children, key=lambda child: (child.create_time(), child.pid)).pid)

"""The process that reads files, which cuts one at many places by itself and reads each part.

A process of its own for each part, as any other file has one, would say nothing more of what is
read of it, and takes ten times as long.
"""

import gc
from pathlib import Path
from typing import Any

gc.disable()

from ingest.reader import answers, reader_child  # noqa: E402

#: In place of a code: the part was read.
READ = "read"


def cuts(path: Path, folder: str, at: list[int]) -> tuple[dict[str, Any], bytes]:
    """Read the file as if it ended at each of these bytes.

    For each: READ, or the code of a refusal or the fault of the machine; and whether it has the
    pixels of the whole file.
    """
    content, part = path.read_bytes(), Path(folder, path.name)
    whole = pixels(path)
    ends = []
    for size in at:
        part.write_bytes(content[:size])
        grey = pixels(part)
        if isinstance(grey, str):
            ends.append([grey, False])
        else:
            ends.append([READ, grey == whole])
    return {"ends": ends}, b""


def pixels(path: Path) -> str | tuple[Any, ...]:
    """The shape and every pixel; or the code for which a header or pixels were refused."""
    for what in ("header", "display"):
        head, *body = answers._answer(what, str(path))
        if "header" not in head and "shape" not in head:
            return str(head.get("code") or head["error"])
    return (head["shape"], *body)


if __name__ == "__main__":
    answers.ANSWERS["cuts"] = cuts
    reader_child.main()

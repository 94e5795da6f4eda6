"""Times of the viewer: to a film, for each frame, and to a heat map.

    python -m benchmarks.viewing --markdown viewing.md

A real server on loopback gives a film of a detector's size in several encodings: the small one that
the viewer shows first, then every pixel. A real browser (Chromium, where there is one) drags the
window, which repaints all of the canvas each time. The shipped networks explain samples.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.decoding import ENCODINGS, a_film
from benchmarks.viewing.films import measure
from benchmarks.viewing.maps import explain_samples
from benchmarks.viewing.tables import (
    COLUMNS,
    ROWS,
    explained_rows,
    loaded_rows,
    markdown,
    painted_rows,
)
from cli.common.console import notice, print_table

ROUNDS = 5
NAMES = ("uncompressed", "JPEG baseline", "JPEG-LS", "JPEG 2000 lossless", "HTJ2K lossless")


def main(
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1)] = ROUNDS,
) -> None:
    """Milliseconds to a film, per frame and, in seconds, to a heat map."""
    load_average = os.getloadavg()[0]
    notice("Encoding a film …")
    chosen = [each for each in ENCODINGS if each.name in NAMES]
    loaded, painted = measure(a_film(ROWS, COLUMNS), chosen, rounds, browser=True)
    notice("Explaining samples …")
    explained = explain_samples()
    print_table("Films", *loaded_rows(loaded))
    print_table("Frames", *painted_rows(painted))
    print_table("Heat maps", *explained_rows(explained))
    if markdown_file:
        markdown_file.write_text(markdown(loaded, painted, explained, load_average))


if __name__ == "__main__":
    typer.run(main)

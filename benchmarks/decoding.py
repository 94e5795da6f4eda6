"""The speed of decoding films, by encoding: in full, and as far as scoring needs.

    python -m benchmarks.decoding --markdown decoding.md

The film is a sample at a detector's size, with a detector's noise. Both ways are timed in the same
run, in interleaved rounds, by the time of the processor, since all decoders here use one core; only
the ratios are claimed, each paired in its round.
"""

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Annotated, Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import typer
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from benchmarks.ratios import Spread, ratio, spread
from cli.common.console import print_table
from ingest.dicom.pixels.display import display_image, film_image
from models.preprocessing import LEAST_SIDE, standardise
from readfirst.samples import FOLDER

Film = npt.NDArray[np.uint16]
Encode = Callable[[Film], bytes]
ROWS, COLUMNS, BITS = 2500, 2000, 12
#: Standard deviation of the noise, of 4,095.
NOISE = 12.0
ROUNDS = 7
#: How many times as fast a film is to be where its encoding can be read at a smaller scale.
TARGET = 2.0
J2K: dict[str, Any] = {"codecformat": "j2k", "bitspersample": BITS}


@dataclass(frozen=True, slots=True)
class Encoding:
    """syntax: of a DICOM file; None for a picture. reduces: can be read at a smaller scale."""

    name: str
    syntax: str | None
    encode: Encode
    bits: int = BITS
    reduces: bool = False


ENCODINGS = (
    Encoding("uncompressed", ExplicitVRLittleEndian, lambda film: film.tobytes()),
    Encoding("JPEG, a picture", None, lambda film: _jpeg(film), 8, reduces=True),
    Encoding("JPEG baseline", JPEGBaseline8Bit, lambda film: _jpeg(film), 8, reduces=True),
    Encoding(
        "JPEG extended",
        JPEGExtended12Bit,
        lambda film: bytes(imagecodecs.jpeg8_encode(film, level=90, bitspersample=BITS)),
    ),
    Encoding(
        "JPEG lossless",
        JPEGLosslessSV1,
        lambda film: bytes(imagecodecs.ljpeg_encode(film, bitspersample=BITS)),
    ),
    Encoding("JPEG-LS", JPEGLSLossless, lambda film: bytes(imagecodecs.jpegls_encode(film))),
    Encoding(
        "JPEG 2000 lossless",
        JPEG2000Lossless,
        lambda film: bytes(imagecodecs.jpeg2k_encode(film, reversible=True, **J2K)),
        reduces=True,
    ),
    Encoding(
        "JPEG 2000 lossy",
        JPEG2000,
        lambda film: bytes(imagecodecs.jpeg2k_encode(film, level=55, **J2K)),
        reduces=True,
    ),
    Encoding(
        "HTJ2K lossless",
        HTJ2KLossless,
        lambda film: bytes(imagecodecs.htj2k_encode(film, reversible=True)),
        reduces=True,
    ),
)


@dataclass(frozen=True, slots=True)
class DecodingRow:
    """A row of the report. Milliseconds in full and as scored; times: the one by the other."""

    name: str
    bits: int
    megabytes: float
    full: Spread
    scored: Spread
    times: Spread
    reduces: bool


def a_film(rows: int = ROWS, columns: int = COLUMNS) -> Film:
    """A sample film at 12 bits, enlarged, with noise."""
    sample = Image.fromarray(display_image(FOLDER / "film-03.jpg"))
    large = np.asarray(sample.resize((columns, rows), Image.Resampling.BICUBIC)) * 16.0
    noise = np.random.default_rng(0).normal(0, NOISE, large.shape)
    return np.clip(np.rint(large + noise), 0, 2**BITS - 1).astype(np.uint16)


def write(encoding: Encoding, film: Film, path: Path) -> None:
    """Write the film as a file of this encoding."""
    content = encoding.encode(film)
    path.write_bytes(content if encoding.syntax is None else _dicom(encoding, film, content))


def measure(paths: Mapping[Encoding, Path], rounds: int = ROUNDS) -> list[DecodingRow]:
    """Time every encoding in both ways, in rounds there and back, once warm."""
    tasks: dict[tuple[Encoding, bool], Callable[[], object]] = {}
    for encoding, path in paths.items():
        tasks[encoding, False] = partial(_in_full, path)
        tasks[encoding, True] = partial(_as_scored, path)
    for task in tasks.values():
        task()
    times: dict[tuple[Encoding, bool], list[float]] = {key: [] for key in tasks}
    for number in range(rounds):
        for key in list(tasks)[:: -1 if number % 2 else 1]:
            start = process_time()
            tasks[key]()
            times[key].append(1e3 * (process_time() - start))
    return [_row(encoding, path, times) for encoding, path in paths.items()]


def markdown(rows: list[DecodingRow], load_average: float) -> str:
    """The report for benchmarks/RESULTS.md."""
    columns, cells = table(rows)
    lines = [
        f"A film of {COLUMNS:,} x {ROWS:,} pixels from the file to the model-ready image, decoded "
        f"in full and as far as scoring needs (at least {LEAST_SIDE} pixels on the shorter side). "
        f"Processor time; medians and quartiles of {ROUNDS} interleaved rounds, ratios paired "
        f"within them. Load average before the run: {load_average:.2f}.",
        "",
        "| " + " | ".join(columns) + " |",
        "|" + " --- |" * len(columns),
        *("| " + " | ".join(row) + " |" for row in cells),
        "",
        verdict(rows),
    ]
    return "\n".join(lines) + "\n"


def table(rows: list[DecodingRow]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the report."""
    columns = ["encoding", "bits", "MB", "in full, ms", "as scored, ms", "times as fast"]
    return columns, [
        [
            row.name,
            str(row.bits),
            f"{row.megabytes:.1f}",
            _text(row.full),
            _text(row.scored),
            _text(row.times, "{:.2f}") if row.reduces else "read in full",
        ]
        for row in rows
    ]


def verdict(rows: list[DecodingRow]) -> str:
    """Say whether each encoding that can be read at a smaller scale reaches the target."""
    slow = [row.name for row in rows if row.reduces and row.times.median < TARGET]
    missed = f"; missed by {', '.join(slow)}" if slow else ", met by all that reduce"
    return f"Target: at least {TARGET:g} times as fast{missed}."


def _in_full(path: Path) -> None:
    standardise(display_image(path))


def _as_scored(path: Path) -> None:
    standardise(film_image(path, LEAST_SIDE))


def _row(
    encoding: Encoding, path: Path, times: dict[tuple[Encoding, bool], list[float]]
) -> DecodingRow:
    full, scored = times[encoding, False], times[encoding, True]
    return DecodingRow(
        encoding.name,
        encoding.bits,
        path.stat().st_size / 1e6,
        spread(full),
        spread(scored),
        ratio(full, scored),
        encoding.reduces,
    )


def _jpeg(film: Film) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((film >> (BITS - 8)).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _dicom(encoding: Encoding, film: Film, content: bytes) -> bytes:
    dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    dataset.file_meta.TransferSyntaxUID = UID(str(encoding.syntax))
    dataset.Rows, dataset.Columns = film.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = 8 if encoding.bits == 8 else 16
    dataset.BitsStored, dataset.HighBit = encoding.bits, encoding.bits - 1
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 2 ** (encoding.bits - 1), 2**encoding.bits
    native = encoding.syntax == ExplicitVRLittleEndian
    dataset.PixelData = content if native else encapsulate([content])
    dataset["PixelData"].VR = "OW" if native else "OB"
    dataset["PixelData"].is_undefined_length = not native
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def _text(value: Spread, form: str = "{:.0f}") -> str:
    low, median, high = (form.format(v) for v in (value.low, value.median, value.high))
    return median if low == high else f"{median} ({low}–{high})"


def main(
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the table to this file.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1)] = ROUNDS,
) -> None:
    """Decode a film of a detector's size in every encoding, in full and as scoring needs."""
    load_average = os.getloadavg()[0]
    film = a_film()
    with TemporaryDirectory() as folder:
        paths = {each: Path(folder) / str(n) for n, each in enumerate(ENCODINGS)}
        for encoding, path in paths.items():
            write(encoding, film, path)
        rows = measure(paths, rounds)
    print_table("Decoding", *table(rows))
    print(verdict(rows))
    if markdown_file:
        markdown_file.write_text(markdown(rows, load_average))


if __name__ == "__main__":
    typer.run(main)

"""Films from originals, in the process that reads files, one at a time."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import HTTPException
from PIL import Image as PillowImage

from ingest.dicom.elements import Element
from ingest.dicom.pixels.arrays import Array8
from ingest.dicom.pixels.viewing import FilmFacts
from ingest.dicom.pixels.window import Window
from ingest.reader.reader_process import Reader
from readfirst.settings import Settings

#: Films in line to be rendered; one is in memory at a time.
MOST_WAITING = 8
#: The least work of zlib: a film is larger by a tenth, and there in a third of the time.
COMPRESSION = 1


class Renderer:
    """Renders originals, one at a time, in the process that reads files."""

    def __init__(self, settings: Settings) -> None:
        self._reader = Reader(settings.decode_seconds, settings.decode_megabytes)
        self._line = threading.BoundedSemaphore(MOST_WAITING)
        self._turn = threading.Lock()

    def close(self) -> None:
        """End that process."""
        self._reader.close()

    @contextmanager
    def reading(self, patience: float = 0.0) -> Iterator[Reader]:
        """Wait in line for the process that reads files.

        patience: seconds in which there may come to be room in the line. Raises HTTPException 503.
        """
        with self._in_line(patience), self._turn:
            yield self._reader

    def png(self, path: Path, window: Window | None) -> bytes:
        """Every pixel of a film as PNG, 8 bits. Raises Refused, Unavailable, HTTPException 503."""
        with self.reading() as reader:
            return _png(reader.display(path, window))

    def overlay(self, path: Path) -> bytes:
        """The overlays of a film as PNG, of its size: white where they draw. Raises as `png`."""
        with self.reading() as reader:
            return _png(reader.overlay(path))

    def samples(self, path: Path, longest: int | None) -> tuple[FilmFacts, bytes]:
        """A film before any window, as `Reader.samples`. Raises as `png`."""
        with self.reading() as reader:
            return reader.samples(path, longest)

    def elements(self, path: Path) -> list[Element]:
        """The data elements of a file, as `Reader.elements`. Raises as `png`."""
        with self.reading() as reader:
            return reader.elements(path)

    @contextmanager
    def _in_line(self, patience: float) -> Iterator[None]:
        if not self._line.acquire(timeout=patience):
            raise HTTPException(503, "Too many films wait.", headers={"Retry-After": "2"})
        try:
            yield
        finally:
            self._line.release()


def _png(grey: Array8) -> bytes:
    out = io.BytesIO()
    PillowImage.fromarray(grey).save(out, "png", compress_level=COMPRESSION)
    return out.getvalue()

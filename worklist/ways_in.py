"""The ways in through the page's server: plain upload and STOW-RS."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from fastapi import FastAPI

from ingest.delivery import Inlet, inlet
from ingest.sandbox import Reader
from readfirst.settings import Settings
from worklist import stow, uploads

log = structlog.get_logger()
MEGABYTE = 1024 * 1024


class WaysIn:
    """Both ways of one site."""

    def __init__(self, settings: Settings) -> None:
        self._inlets: list[Inlet] = [inlet(settings, way) for way in ("upload", "dicomweb")]
        self._reader = Reader(settings.decode_seconds, settings.decode_megabytes)
        self._most_bytes = settings.upload_megabytes * MEGABYTE

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        upload, dicomweb = self._inlets
        uploads.add_uploads(app, upload, self._most_bytes)
        stow.add_stow(app, dicomweb, self._reader, self._most_bytes)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Ready for the length of the block. An inbox that is not there yet may come later."""
        for way in self._inlets:
            try:
                way.prepare()
            except OSError as error:
                log.warning("inbox_not_ready", action="serve", error=error.strerror)
        try:
            yield
        finally:
            self._reader.close()

"""The inbox writers and the header reader of the upload endpoints: the form and STOW-RS."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ingest.inbox.inbox_writer import inbox_writer
from ingest.reader.reader_process import Reader
from readfirst.settings import Settings

log = structlog.get_logger()
MEGABYTE = 1024 * 1024


class UploadEndpoints:
    """Both endpoints of one site. reader: of headers. most_bytes: of one request."""

    def __init__(self, settings: Settings) -> None:
        self.upload = inbox_writer(settings, "upload")
        self.dicomweb = inbox_writer(settings, "dicomweb")
        self.reader = Reader(settings.decode_seconds, settings.decode_megabytes)
        self.most_bytes = settings.upload_megabytes * MEGABYTE

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep them ready for the block. An inbox that is not there yet may come later."""
        for endpoint in (self.upload, self.dicomweb):
            try:
                endpoint.prepare()
            except OSError as error:
                log.warning("inbox_not_ready", action="serve", error=error.strerror)
        try:
            yield
        finally:
            self.reader.close()

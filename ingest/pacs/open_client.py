"""The client of a source, by its protocol."""

import threading

from ingest.inbox.inbox_writer import inbox_writer
from ingest.pacs.client import ClientConfig, PacsClient
from readfirst.pacs.source import PacsSource, Retrieval
from readfirst.settings import Settings

#: Folder in the inbox into which films come by C-GET and WADO-RS.
FOLDER = "pacs"
MEGABYTE = 1024 * 1024


def client_config(settings: Settings) -> ClientConfig:
    """Make the configuration that the settings state."""
    return ClientConfig(
        ae_title=settings.receive_ae_title,
        most_bytes=settings.receive_megabytes * MEGABYTE,
        inbox_writer=inbox_writer(settings, FOLDER),
    )


def open_client(source: PacsSource, config: ClientConfig, stop: threading.Event) -> PacsClient:
    """Make the client of a source; nothing is connected yet.

    stop: ends what is being asked or retrieved, politely. Raises Misconfigured for files that are
    none.
    """
    if source.retrieval is Retrieval.DICOMWEB:
        from ingest.pacs.dicomweb_client import DicomwebClient

        return DicomwebClient(source, config, stop)
    from ingest.pacs.dimse_client import DimseClient

    return DimseClient(source, config, stop)

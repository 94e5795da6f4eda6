"""A PACS by DICOMweb: QIDO-RS (PS3.18 10.6) and WADO-RS (10.4), over one session."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import requests
from dicomweb_client.web import DICOMwebClient
from pydicom.dataset import Dataset
from requests.auth import AuthBase

from ingest.pacs.client import ClientConfig
from ingest.pacs.datasets import (
    IMAGE_KEYS,
    SERIES_KEYS,
    STUDY_KEYS,
    image_match,
    series_match,
    study_keys,
    study_match,
)
from ingest.pacs.parts import PartReceiver
from ingest.pacs.tls import token
from readfirst.errors import Misconfigured, SourceRefuses, SourceUnavailable
from readfirst.pacs.matches import PacsSeries, PacsStudy, Retrieved, RetrieveTarget, StudyQuery
from readfirst.pacs.source import PacsSource

#: Seconds to connect, and for the next bytes of an answer.
TIMEOUTS = (10.0, 120.0)
#: Answers of one request of QIDO-RS; a server gives fewer if it likes.
PAGE = 500
CHUNK = 256 * 1024
#: As it is stored (PS3.18 8.7.3.5.2): nothing is recoded for us.
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
#: PS3.18 8.5: what a server says to a request that it does not do.
SENTENCES = {
    401: "it wants a token, or does not know this one (401)",
    403: "it does not let this token do that (403)",
    404: "it has nothing at this address (404)",
    406: "it does not give films as DICOM files (406)",
}
Match = TypeVar("Match")


class DicomwebClient:
    """A client of one DICOMweb service."""

    def __init__(self, source: PacsSource, config: ClientConfig, stop: threading.Event) -> None:
        self._source = source
        self._config = config
        self._stop = stop
        self._url = (source.url or "").rstrip("/")
        self._session = _session(source)
        try:
            self._client = DICOMwebClient(self._url, self._session, timeout=TIMEOUTS)
        except ValueError as error:
            raise Misconfigured(f"The address of {source.name} cannot be used: {error}") from error
        self._client.set_http_retry_params(retry=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def verify(self) -> str:
        """QIDO-RS for one study."""
        with self._answering():
            self._client.search_for_studies(limit=1)
        return "QIDO-RS answered"

    def find_studies(self, query: StudyQuery) -> list[PacsStudy]:
        """QIDO-RS for studies."""
        search = self._client.search_for_studies
        return self._pages(
            lambda **page: search(
                search_filters=study_keys(query), fields=list(STUDY_KEYS), **page
            ),
            study_match,
        )

    def find_series(self, study_instance_uid: str) -> list[PacsSeries]:
        """QIDO-RS for the series of a study."""
        search = self._client.search_for_series
        return self._pages(
            lambda **page: search(study_instance_uid, fields=list(SERIES_KEYS), **page),
            series_match,
        )

    def find_images(self, study_instance_uid: str, series_instance_uid: str) -> list[str]:
        """QIDO-RS for the instances of a series."""
        search = self._client.search_for_instances
        return self._pages(
            lambda **page: search(
                study_instance_uid, series_instance_uid, fields=list(IMAGE_KEYS), **page
            ),
            image_match,
        )

    def retrieve(self, target: RetrieveTarget) -> Retrieved:
        """WADO-RS, each film into the inbox as it comes."""
        url = f"{self._url}/studies/{target.study_instance_uid}"
        if target.series_instance_uid is not None:
            url += f"/series/{target.series_instance_uid}"
        if target.sop_instance_uid is not None:
            url += f"/instances/{target.sop_instance_uid}"
        with (
            self._answering(),
            self._session.get(
                url, headers={"Accept": ACCEPT}, stream=True, timeout=TIMEOUTS
            ) as answer,
        ):
            answer.raise_for_status()
            receiver = PartReceiver(
                answer.headers.get("Content-Type", ""),
                self._config.inbox_writer,
                self._config.most_bytes,
            )
            with receiver:
                for chunk in answer.iter_content(CHUNK):
                    if self._stop.is_set():
                        return Retrieved(images=receiver.images, cancelled=True)
                    receiver.write(chunk)
                return receiver.result()

    def rest(self) -> None:
        """Nothing to do: the server ends idle connections as it likes."""

    def _pages(
        self, search: Callable[..., list[dict[str, Any]]], read: Callable[[Dataset], Match | None]
    ) -> list[Match]:
        """All answers, a page at a time, in whatever size the server gives them."""
        matches: dict[Match, None] = {}
        offset = 0
        while not self._stop.is_set():
            with self._answering():
                answers = search(limit=PAGE, offset=offset)
                page = [read(_dataset(answer)) for answer in answers]
            before = len(matches)
            matches |= dict.fromkeys(match for match in page if match is not None)
            # One that knows no offset would give the same for ever.
            if not answers or len(matches) == before:
                break
            offset += len(answers)
        return list(matches)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Let what goes wrong become one sentence."""
        address = self._source.address
        try:
            yield
        except requests.HTTPError as error:
            code = 0 if error.response is None else error.response.status_code
            reason = SENTENCES.get(code, f"it answers with status {code}")
            kind = SourceRefuses if code in SENTENCES else SourceUnavailable
            raise kind(f"{address}: {reason}.") from error
        except requests.exceptions.SSLError as error:
            raise SourceUnavailable(
                f"{address}: its certificate is not one that is trusted here (--tls-ca)."
            ) from error
        except requests.Timeout as error:
            raise SourceUnavailable(f"{address} does not answer in time.") from error
        except requests.RequestException as error:
            raise SourceUnavailable(
                f"{address} does not answer ({type(error).__name__})."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise SourceUnavailable(f"{address} answers with what is no DICOMweb.") from error


def _dataset(answer: object) -> Dataset:
    """Read a match (PS3.18 F.2). Raises ValueError, KeyError or TypeError for what is none."""
    if not isinstance(answer, dict):
        raise TypeError("no DICOM JSON object")
    return Dataset.from_json(answer)


class _Token(AuthBase):
    """A bearer token (RFC 6750). It is no header of the session, so that no redirect takes it to
    another host.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    """A session whose own CA counts: the library lets a variable of the environment overrule it."""

    def merge_environment_settings(self, *arguments: Any) -> Any:
        settings = super().merge_environment_settings(*arguments)
        if self.verify is not True:
            settings["verify"] = self.verify
        return settings


def _session(source: PacsSource) -> requests.Session:
    session = _Session()
    if source.tls_ca is not None:
        session.verify = str(source.tls_ca)
    if source.tls_certificate is not None and source.tls_key is not None:
        session.cert = (str(source.tls_certificate), str(source.tls_key))
    if source.token_file is not None:
        session.auth = _Token(token(source, source.token_file))
    return session

"""A PACS by DIMSE: C-ECHO, C-FIND, C-MOVE and C-GET in one association (PS3.4 A and C, PS3.7 9)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, cast

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.association import Association

from ingest.pacs.client import ClientConfig
from ingest.pacs.datasets import (
    IMAGE_KEYS,
    SERIES_KEYS,
    STUDY_KEYS,
    identifier,
    image_match,
    retrieve_identifier,
    series_match,
    study_keys,
    study_match,
)
from ingest.pacs.dimse_contexts import FIND, GET, MOVE, requested_contexts
from ingest.pacs.dimse_receiving import ReceivingProvider, store
from ingest.pacs.statuses import (
    CANCELLED,
    NO_ANSWER,
    NOTHING_WILL_DO,
    PENDING,
    SOME_FAILED,
    SUCCESS,
    missing_sentence,
    status_sentence,
)
from ingest.pacs.tls import client_context
from readfirst.errors import SourceRefuses, SourceUnavailable, Unavailable
from readfirst.pacs.connecting import ClientAE
from readfirst.pacs.matches import PacsSeries, PacsStudy, Retrieved, RetrieveTarget, StudyQuery
from readfirst.pacs.source import PacsSource, Retrieval
from readfirst.printable import printable

#: Seconds: to connect, to be let in, and for the next answer. A PACS that has to bring films back
#: from a tape says nothing for minutes.
CONNECT_SECONDS, REQUEST_SECONDS, ANSWER_SECONDS = 10.0, 30.0, 600.0
#: Seconds that a PACS may take to end what was cancelled.
CANCEL_SECONDS = 10.0
#: Why an association is rejected, by (source, diagnostic) of PS3.8 9.3.4.
REJECTIONS: dict[tuple[int | None, int | None], str] = {
    (1, 1): "no reason given",
    (1, 2): "it does not support DICOM's application context",
    (1, 3): "it does not know our AE title",
    (1, 7): "its own AE title is another",
    (3, 1): "it is congested",
    (3, 2): "it has as many associations as it may have",
}
#: Source of a rejection: the service user, which will do so again.
BY_USER = 1
#: The number of the only operation of an association at a time (PS3.7 9.1).
MESSAGE_ID = 1


class DimseClient:
    """A client of one PACS. The association is opened by the first question."""

    def __init__(self, source: PacsSource, config: ClientConfig, stop: threading.Event) -> None:
        self._source = source
        self._config = config
        self._stop = stop
        self._association: Association | None = None
        self._tls = client_context(source) if source.tls else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    def verify(self) -> str:
        """C-ECHO (PS3.4 A.4), and what of the rest the PACS accepts."""
        association = self._open()
        status = _status(association.send_c_echo())
        if status != SUCCESS:
            raise SourceUnavailable(status_sentence(status) if status is not None else NO_ANSWER)
        accepted = {context.abstract_syntax for context in association.accepted_contexts}
        needed = {"C-FIND": FIND, self._source.retrieval.value.upper(): self._model}
        missing = [name for name, model in needed.items() if model not in accepted]
        if missing:
            raise SourceRefuses(
                f"{self._source.address} answers, and does not accept {' and '.join(missing)} of "
                "the Study Root model."
            )
        return f"C-ECHO answered; {' and '.join(needed)} accepted"

    def find_studies(self, query: StudyQuery) -> list[PacsStudy]:
        """C-FIND at study level (PS3.4 C.4.1)."""
        answers = self._find(identifier("STUDY", study_keys(query), STUDY_KEYS))
        return [match for match in map(study_match, answers) if match is not None]

    def find_series(self, study_instance_uid: str) -> list[PacsSeries]:
        """C-FIND at series level."""
        keys = {"StudyInstanceUID": study_instance_uid}
        answers = self._find(identifier("SERIES", keys, SERIES_KEYS))
        return [match for match in map(series_match, answers) if match is not None]

    def find_images(self, study_instance_uid: str, series_instance_uid: str) -> list[str]:
        """C-FIND at image level."""
        keys = {"StudyInstanceUID": study_instance_uid, "SeriesInstanceUID": series_instance_uid}
        answers = self._find(identifier("IMAGE", keys, IMAGE_KEYS))
        return [uid for uid in map(image_match, answers) if uid is not None]

    def retrieve(self, target: RetrieveTarget) -> Retrieved:
        """C-MOVE to the listener, or C-GET."""
        association = self._open()
        is_move = self._source.retrieval is Retrieval.C_MOVE
        request = retrieve_identifier(target)
        try:
            if is_move:
                title = self._config.ae_title
                answers = association.send_c_move(request, title, MOVE, msg_id=MESSAGE_ID)
            else:
                answers = association.send_c_get(request, GET, msg_id=MESSAGE_ID)
        except ValueError as error:
            raise SourceRefuses(self._not_accepted(self._model)) from error
        with self._cancelled_when_stopped(association, self._model):
            statuses = [status for status, _ in answers]
        return self._counted(statuses)

    def rest(self) -> None:
        """Release the association (PS3.8 7.2), if there is one."""
        association, self._association = self._association, None
        if association is None:
            return
        if association.is_established:
            association.release()
        if isinstance(association.dimse, ReceivingProvider):
            association.dimse.discard_rest()

    @property
    def _model(self) -> UID:
        return MOVE if self._source.retrieval is Retrieval.C_MOVE else GET

    def _find(self, request: Dataset) -> list[Dataset]:
        association = self._open()
        try:
            answers = association.send_c_find(request, FIND, msg_id=MESSAGE_ID)
        except ValueError as error:
            raise SourceRefuses(self._not_accepted(FIND)) from error
        with self._cancelled_when_stopped(association, FIND):
            statuses = list(answers)
        final = statuses[-1][0] if statuses else None
        status = _status(final)
        if status is None or final is None:
            self._give_up()
            raise SourceUnavailable(NO_ANSWER)
        if status not in (SUCCESS, CANCELLED):
            raise SourceUnavailable(status_sentence(status, comment=_comment(final)))
        return [
            answer for each, answer in statuses if _status(each) in PENDING and answer is not None
        ]

    def _counted(self, answers: list[Dataset]) -> Retrieved:
        """The result by the last answer, which counts them all (PS3.4 C.4.2.1.6)."""
        final = answers[-1] if answers else None
        status = _status(final)
        if final is None or status is None:
            self._give_up()
            if self._stop.is_set():
                return Retrieved(cancelled=True)
            raise SourceUnavailable(NO_ANSWER)
        # A PACS may count in the answers before, and not in the last.
        counts = [_counts(answer) for answer in answers]
        images, warnings, failed = (max(numbers) for numbers in zip(*counts, strict=True))
        self._raise_for_full_disk()
        if status in NOTHING_WILL_DO:
            raise SourceRefuses(status_sentence(status, self._config.ae_title, _comment(final)))
        reason = None
        if status not in (SUCCESS, SOME_FAILED, CANCELLED):
            reason = status_sentence(status, self._config.ae_title, _comment(final))
        elif failed:
            reason = missing_sentence(failed, images + warnings)
        return Retrieved(
            images=images + warnings,
            warnings=warnings,
            failed=failed,
            reason=reason,
            cancelled=status == CANCELLED,
        )

    def _raise_for_full_disk(self) -> None:
        provider = None if self._association is None else self._association.dimse
        if isinstance(provider, ReceivingProvider) and provider.take_fullness():
            raise Unavailable("The disk has too little room; nothing is taken in.")

    def _open(self) -> Association:
        """The association, opened anew if there is none. Raises Unavailable."""
        if self._association is not None and self._association.is_established:
            return self._association
        self.rest()
        source = self._source
        ae = ClientAE(source.calling_ae_title or self._config.ae_title)
        ae.connection_timeout, ae.acse_timeout = CONNECT_SECONDS, REQUEST_SECONDS
        ae.dimse_timeout = ae.network_timeout = ANSWER_SECONDS
        host, port = cast(str, source.host), cast(int, source.port)
        contexts, roles = requested_contexts(source.retrieval)
        association = ae.associate(
            host,
            port,
            contexts,
            source.ae_title or "ANY-SCP",
            ext_neg=cast(list[Any], roles),
            evt_handlers=[
                (evt.EVT_C_STORE, store),
            ],
            tls_args=(self._tls, host) if self._tls is not None else None,
        )
        if not association.is_established:
            reason = ae.connection_fault() or _refusal(association)
            kind = SourceRefuses if _cause(association)[0] == BY_USER else SourceUnavailable
            raise kind(f"{source.address}: {reason}")
        if source.retrieval is Retrieval.C_GET:
            # Nothing has come yet: what does is written to disk, and not kept in memory.
            association.dimse = ReceivingProvider(
                association, self._config.inbox_writer, self._config.most_bytes
            )
        self._association = association
        return association

    def _give_up(self) -> None:
        """End an association that has gone wrong; the next question opens another."""
        association, self._association = self._association, None
        if association is not None:
            association.abort()
            if isinstance(association.dimse, ReceivingProvider):
                association.dimse.discard_rest()

    def _not_accepted(self, model: UID) -> str:
        names = {FIND: "C-FIND", GET: "C-GET", MOVE: "C-MOVE"}
        return f"{self._source.address} does not accept {names[model]} of the Study Root model."

    @contextmanager
    def _cancelled_when_stopped(self, association: Association, model: UID) -> Iterator[None]:
        """Send C-CANCEL (PS3.7 9.3.2.3) once somebody wants it to end; then abort what goes on."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.1):
                if self._stop.is_set() and association.is_established:
                    association.send_c_cancel(MESSAGE_ID, query_model=model)
                    if not done.wait(CANCEL_SECONDS):
                        association.abort()
                    return

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _status(answer: Dataset | None) -> int | None:
    status = None if answer is None else answer.get("Status")
    return None if status is None else int(status)


def _comment(answer: Dataset) -> str:
    return printable(str(answer.get("ErrorComment") or "")).strip()


def _counts(answer: Dataset) -> tuple[int, int, int]:
    """Images that came, came with a warning, and failed (PS3.7 9.1.4.1)."""
    kinds = ("Completed", "Warning", "Failed")
    completed, warnings, failed = (
        int(answer.get(f"NumberOf{kind}Suboperations") or 0) for kind in kinds
    )
    return completed, warnings, failed


def _cause(association: Association) -> tuple[int | None, int | None]:
    """Source and diagnostic of a rejection (PS3.8 9.3.4); None without one."""
    answer = association.acceptor.primitive if association.is_rejected else None
    return (answer.result_source, answer.diagnostic) if answer else (None, None)


def _refusal(association: Association) -> str:
    """Say why there is no association (PS3.8 9.3.4)."""
    if association.is_rejected:
        reason = REJECTIONS.get(_cause(association), "no reason that is known")
        return f"the association was rejected: {reason}."
    return "it ends the connection without an answer; is TLS set as the PACS has it?"

"""The DICOM conformance statement and the IHE integration statement, made from the code's tables.

`python -m tests.reference_pages` writes them, with the other pages that are made from the code.
Their words stand in `tests/conformance/`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from pydicom.uid import UID
from pynetdicom import AE
from pynetdicom.presentation import PresentationContext

from ingest.dicom.syntaxes import ENCAPSULATED, NATIVE
from ingest.hl7.contents import ORDERS, REPORT
from ingest.pacs.datasets import IMAGE_KEYS, SERIES_KEYS, STUDY_KEYS, study_keys
from ingest.pacs.dimse_contexts import FIND, GET, MOVE, requested_contexts
from ingest.receivers.contexts import STORAGE_CLASSES, VERIFICATION, supported_contexts
from ingest.receivers.listener import ANNOUNCED_PDU
from readfirst import DISCLAIMER, __version__
from readfirst.destinations.commitment import STORAGE_COMMITMENT
from readfirst.pacs.matches import StudyQuery
from readfirst.pacs.source import Retrieval
from readfirst.results.common import CHARACTER_SET, SERIES
from readfirst.results.values import DICOM_KINDS
from readfirst.settings import Settings
from results.destinations.dicom import CLASSES, SYNTAXES
from worklist.app import make_app
from worklist.fhir.capability import SEARCHES
from worklist.http import DICOMWEB_ROOT
from worklist.security.routes import policies

#: Of a query of one day, which stands for a range.
DAY = date(2026, 1, 1)
MADE = "<!-- Made by `python -m tests.reference_pages` from the code. Change it there. -->\n"
TEMPLATES = Path(__file__).parent / "conformance"


def dicom_conformance_page() -> str:
    """The conformance statement."""
    by_move, by_get = (requested_contexts(each)[0] for each in (Retrieval.C_MOVE, Retrieval.C_GET))
    return _page(
        "dicom-conformance",
        services=_services(),
        implementation=_implementation(),
        accepted=_contexts(supported_contexts()),
        asked_by_move=_contexts(by_move),
        # Behind those of the models stand the storage classes, each once for each syntax.
        asked_by_get=_contexts(by_get[: len(by_move)]),
        sent=_sent(),
        keys=_keys(),
        syntaxes=_syntaxes(),
        routes=_routes(),
        objects=_objects(),
        character_set=[CHARACTER_SET],
    )


def ihe_integration_page() -> str:
    """The integration statement."""
    return _page(
        "ihe-integration",
        objects=[", ".join(dict.fromkeys(UID(uid).name for uid in CLASSES.values()))],
        orders=[", ".join(sorted("^".join(each) for each in ORDERS))],
        report=["^".join(REPORT)],
        types=[", ".join(f"`{kind}`" for kind in SEARCHES)],
    )


def _page(name: str, **values: Iterable[str]) -> str:
    """Fill in a template. values: lines, by the names that it has for them."""
    text = Template((TEMPLATES / f"{name}.template").read_text())
    filled = {key: "\n".join(lines) for key, lines in values.items()}
    return MADE + text.substitute(filled, version=__version__, disclaimer=DISCLAIMER)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _services() -> Iterator[str]:
    sent = dict.fromkeys(CLASSES.values())
    scu = {VERIFICATION, FIND, MOVE, GET, STORAGE_COMMITMENT, *sent}
    scp = {VERIFICATION, *STORAGE_CLASSES}
    names = dict.fromkeys(
        [VERIFICATION, *STORAGE_CLASSES, *sent, STORAGE_COMMITMENT, FIND, MOVE, GET]
    )
    yes = {True: "yes", False: ""}
    rows = [(UID(uid).name, f"`{uid}`", yes[uid in scu], yes[uid in scp]) for uid in names]
    return _table(("SOP class", "UID", "SCU", "SCP"), rows)


def _implementation() -> Iterator[str]:
    entity, settings = AE(), Settings.model_fields
    rows = [
        ("Implementation Class UID", f"`{entity.implementation_class_uid}` (pynetdicom)"),
        ("AE title", f"`{settings['receive_ae_title'].default}`, by `READFIRST_RECEIVE_AE_TITLE`"),
        ("Port", f"{settings['receive_port'].default}, by `READFIRST_RECEIVE_PORT`"),
        (
            "Associations at a time",
            f"{settings['receive_associations'].default}, by `READFIRST_RECEIVE_ASSOCIATIONS`",
        ),
        ("Largest PDU received", f"{ANNOUNCED_PDU} bytes by the listener"),
        ("Application Context", "`1.2.840.10008.3.1.1.1`"),
    ]
    return _table(("what", "value"), rows)


def _contexts(contexts: Iterable[PresentationContext]) -> Iterator[str]:
    every = [str(syntax) for syntax in NATIVE + ENCAPSULATED]
    rows = []
    for context in contexts:
        syntaxes = [str(syntax) for syntax in context.transfer_syntax]
        listed = "all that are read" if syntaxes == every else _names(syntaxes)
        rows.append((UID(str(context.abstract_syntax)).name, listed))
    return _table(("abstract syntax", "transfer syntaxes"), rows)


def _sent() -> Iterator[str]:
    uids = dict.fromkeys([str(VERIFICATION), *CLASSES.values(), STORAGE_COMMITMENT])
    rows = [(UID(uid).name, _names(SYNTAXES)) for uid in uids]
    return _table(("abstract syntax", "transfer syntaxes"), rows)


def _keys() -> Iterator[str]:
    query = StudyQuery(
        from_date=DAY, accession_number="1", study_instance_uid="1", patient_id="1", modality="CR"
    )
    levels: list[tuple[str, Iterable[str], Iterable[str]]] = [
        ("STUDY", study_keys(query), STUDY_KEYS),
        ("SERIES", ["StudyInstanceUID"], SERIES_KEYS),
        ("IMAGE", ["StudyInstanceUID", "SeriesInstanceUID"], IMAGE_KEYS),
    ]
    rows = [(level, ", ".join(matched), ", ".join(returned)) for level, matched, returned in levels]
    return _table(("level", "matched", "returned"), rows)


def _syntaxes() -> Iterator[str]:
    rows = [(UID(uid).name, f"`{uid}`") for uid in NATIVE + ENCAPSULATED]
    return _table(("transfer syntax", "UID"), rows)


def _routes() -> Iterator[str]:
    with TemporaryDirectory() as home:
        names = policies(make_app(Settings(home=Path(home))))
    paths = sorted(name.split(" ") for name in names if f" {DICOMWEB_ROOT}" in name)
    return _table(("method", "resource"), [(method, f"`{path}`") for method, path in paths])


def _objects() -> Iterator[str]:
    classes = {form.value: uid for form, uid in CLASSES.items()}
    rows = [
        (f"`{kind}`", UID(classes[kind.value]).name, str(SERIES[kind][0]), SERIES[kind][1])
        for kind in DICOM_KINDS
    ]
    return _table(("form", "SOP class", "Series Number", "Series Description"), rows)


def _names(uids: Iterable[str]) -> str:
    return ", ".join(UID(uid).name for uid in uids)

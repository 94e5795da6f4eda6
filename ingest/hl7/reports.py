"""Reports that were written in another system (ORU^R01, and order messages) as values. Pure."""

from collections.abc import Iterable

from hl7 import Message, Segment

from ingest.hl7.orders import Group, OrderRules, accession_number, is_report, segment
from ingest.hl7.patients import patient_of
from ingest.hl7.segments import first, moment, order_groups, value
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode
from readfirst.ris.values import ImagingReport, ReportStatus

#: OBR-25 (HL7 table 0123). Others, as P for preliminary, say nothing that matters here.
STATUSES = {
    "F": ReportStatus.FINAL,
    "C": ReportStatus.CORRECTED,
    "X": ReportStatus.WITHDRAWN,
}
#: OBX-11 (table 0085) of results that are taken back: deleted, or posted to the wrong patient.
TAKEN_BACK = frozenset({"D", "W"})
#: OBX-3 of the Study Instance UID, of DICOM and of those who write it without a system.
STUDY_UID = "113014"
MOST_UID, MOST_NAME = 64, 200


def reports(message: Message, rules: OrderRules) -> list[ImagingReport]:
    """The reports of an ORU^R01 that are final, corrected or withdrawn.

    Raises MessageRefused for one that names no study.
    """
    return [
        _report(group, message, rules, status)
        for group in order_groups(message)
        if (status := _status(group)) is not None
    ]


def completed_orders(message: Message, rules: OrderRules) -> list[ImagingReport]:
    """The reports of which an order message tells (ORC-1 SC, ORC-5 CM)."""
    groups = filter(is_report, order_groups(message))
    return [_report(group, message, rules, ReportStatus.FINAL) for group in groups]


def _report(
    group: Group, message: Message, rules: OrderRules, status: ReportStatus
) -> ImagingReport:
    number, uid = accession_number(group, rules), _study_uid(group, message)
    if number is None and uid is None:
        raise MessageRefused(MessageCode.NO_ACCESSION_NUMBER)
    obr, orc, msh = segment(group, "OBR"), segment(group, "ORC"), first(message, "MSH")
    times = (value(obr, 22), value(orc, 9), value(msh, 7))
    return ImagingReport(
        accession_number=number,
        study_instance_uid=uid,
        patient=patient_of(first(message, "PID")),
        status=status,
        at=next(filter(None, (moment(text, rules.zone) for text in times)), None),
        by=_reader(group),
    )


def _status(group: Group) -> ReportStatus | None:
    stated = STATUSES.get(value(segment(group, "OBR"), 25) or "")
    results = {value(obx, 11) for obx in group.get("OBX", ())} - {"O", None}
    return ReportStatus.WITHDRAWN if results and results <= TAKEN_BACK else stated


def _study_uid(group: Group, message: Message) -> str | None:
    """The Study Instance UID (OBX 113014, or ZDS-1), if it may be one."""
    uids = [value(obx, 5) for obx in group.get("OBX", ()) if value(obx, 3) == STUDY_UID]
    uid = next(iter((*uids, value(first(message, "ZDS"), 1))), None)
    return uid if uid and len(uid) <= MOST_UID else None


def _reader(group: Group) -> str | None:
    """Who read the study: the principal interpreter (OBR-32), or who answers for it (OBX-16)."""
    obr = segment(group, "OBR")
    in_parts = [value(obr, 32, part=number) for number in (3, 2, 1)]
    alone = in_parts[1] is None
    names = [value(obr, 32, number) for number in (3, 2, 1)] if alone else in_parts
    return _name(names) or _name(_responsible(group.get("OBX", ())))


def _responsible(results: Iterable[Segment]) -> list[str | None]:
    for obx in results:
        if value(obx, 16) is not None:
            return [value(obx, 16, number) for number in (3, 2, 1)]
    return []


def _name(parts: list[str | None]) -> str | None:
    """Given and family name, or the number of whoever has none. parts: both, and the number."""
    *names, number = parts or [None]
    return (" ".join(filter(None, names)) or number or "")[:MOST_NAME] or None

"""Orders (ORM^O01, OMI^O23, OMG^O19) as values. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hl7 import Message, Segment

from ingest.hl7.patients import patient_of
from ingest.hl7.segments import first, order_groups, repetitions, value
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode
from readfirst.ris.values import ImagingOrder
from readfirst.settings import Settings
from readfirst.studies.identity import Patient

Group = Mapping[str, Sequence[Segment]]
#: Most characters of an accession number; DICOM has 16 (PS3.5 6.2, SH). And of other texts.
MOST_NUMBER, MOST_TEXT = 64, 2000
#: ORC-1 (HL7 table 0119) and ORC-5 (table 0038) of orders that are to be done no more.
CANCELLED = frozenset({"CA", "OC", "CR", "DC", "OD", "DR"})
CANCELLED_STATUS = frozenset({"CA", "DC"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRules:
    """The site's reading of its messages.

    accession: `accession`, `placer` or `filler`: what stands for the accession number where there
    is none. urgent: priorities that raise a study. zone: of times without an offset.
    """

    accession: str
    urgent: frozenset[str]
    zone: ZoneInfo


def order_rules(settings: Settings) -> OrderRules:
    """The rules that a site's settings state."""
    return OrderRules(
        accession=settings.hl7_accession, urgent=settings.urgent_priorities, zone=settings.zone
    )


def orders(message: Message, rules: OrderRules) -> list[ImagingOrder]:
    """The orders of a message. Raises MessageRefused for one without an accession number."""
    patient, ward = patient_of(first(message, "PID")), ward_of(first(message, "PV1"))
    groups = order_groups(message)
    if not groups:
        raise MessageRefused(MessageCode.NO_ACCESSION_NUMBER)
    return [_order(group, patient, ward, rules) for group in groups if not is_report(group)]


def _order(group: Group, patient: Patient, ward: str | None, rules: OrderRules) -> ImagingOrder:
    orc, obr = segment(group, "ORC"), segment(group, "OBR")
    number = accession_number(group, rules)
    if number is None:
        raise MessageRefused(MessageCode.NO_ACCESSION_NUMBER)
    priorities = list(_priorities(group))
    urgent = [each for each in priorities if each.upper() in rules.urgent]
    return ImagingOrder(
        accession_number=number,
        patient=patient,
        placer_order_number=value(orc, 2) or value(obr, 2),
        filler_order_number=value(orc, 3) or value(obr, 3),
        priority=next(iter((*urgent, *priorities)), None),
        is_urgent=bool(urgent),
        is_cancelled=value(orc, 1) in CANCELLED or value(orc, 5) in CANCELLED_STATUS,
        indication=_indication(obr),
        ward=ward,
        requested_procedure=coded_text(obr, 44) or coded_text(obr, 4),
    )


def accession_number(group: Group, rules: OrderRules) -> str | None:
    """The accession number of an order (OBR-18, IPC-1), or what the site takes for it.

    Raises MessageRefused for one that is too long to be any.
    """
    orc, obr = segment(group, "ORC"), segment(group, "OBR")
    stated = value(obr, 18) or value(segment(group, "IPC"), 1)
    fallback = {"placer": 2, "filler": 3}.get(rules.accession)
    if stated is None and fallback is not None:
        stated = value(obr, fallback) or value(orc, fallback)
    if stated is not None and len(stated) > MOST_NUMBER:
        raise MessageRefused(MessageCode.NO_ACCESSION_NUMBER, f"more than {MOST_NUMBER} characters")
    return stated


def is_report(group: Group) -> bool:
    """Tell whether an order message says that a report is written: status changed, completed."""
    orc = segment(group, "ORC")
    return value(orc, 1) == "SC" and value(orc, 5) == "CM"


def segment(group: Group, name: str) -> Segment | None:
    """The first segment of a name in a group."""
    return next(iter(group.get(name, ())), None)


def ward_of(pv1: Segment | None) -> str | None:
    """Where the patient lies (PV1-3): the point of care, or the location's description."""
    return value(pv1, 3) or value(pv1, 3, 9)


def coded_text(of: Segment | None, field: int, repetition: int = 1) -> str | None:
    """The text of a coded value (CE, CWE), or its code where it has none."""
    return value(of, field, 2, repetition=repetition) or value(of, field, repetition=repetition)


def _priorities(group: Group) -> Iterator[str]:
    """Whatever the message says of the priority: TQ1-9, ORC-7.6, OBR-27.6 and OBR-5."""
    for timing in group.get("TQ1", ()):
        yield from filter(None, [value(timing, 9)])
    orc, obr = segment(group, "ORC"), segment(group, "OBR")
    for of, field, component in ((orc, 7, 6), (obr, 27, 6), (obr, 5, 1)):
        for number in range(1, repetitions(of, field) + 1):
            yield from filter(None, [value(of, field, component, repetition=number)])


def _indication(obr: Segment | None) -> str | None:
    """The reason for the study (OBR-31) and what else is known (OBR-13), each once."""
    reasons = [coded_text(obr, 31, number + 1) for number in range(repetitions(obr, 31))]
    texts = filter(None, (*reasons, value(obr, 13)))
    return "; ".join(dict.fromkeys(texts))[:MOST_TEXT] or None

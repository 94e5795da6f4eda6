"""A message as what it says. Pure."""

from hl7 import Message

from ingest.hl7.orders import OrderRules, orders
from ingest.hl7.patient_changes import patient_merges, patient_update
from ingest.hl7.reports import completed_orders, reports
from ingest.hl7.segments import first, message_text, parsed, value
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode
from readfirst.ris.values import Content

#: Messages of orders, by the message code and the trigger event of MSH-9.
ORDERS = frozenset({("ORM", "O01"), ("OMI", "O23"), ("OMG", "O19")})
REPORT = ("ORU", "R01")
#: Trigger events of ADT: the patient's data are corrected, or two IDs are one patient's. Of the
#: others, which tell who comes and goes, nothing is used.
UPDATES, MERGES = frozenset({"A08", "A31"}), frozenset({"A40"})


def read_contents(raw: bytes, rules: OrderRules) -> list[Content]:
    """Read what a message says; nothing where it says nothing that matters here.

    Raises MessageRefused for what is no message, is of another type, or names no order or patient.
    """
    message = parsed(message_text(raw))
    msh = first(message, "MSH")
    kind, event = value(msh, 9) or "", value(msh, 9, 2) or ""
    if (kind, event) in ORDERS:
        return [*orders(message, rules), *completed_orders(message, rules)]
    if (kind, event) == REPORT:
        return [*reports(message, rules)]
    if kind == "ADT":
        return _of_patients(event, message)
    raise MessageRefused(MessageCode.MESSAGE_TYPE_NOT_USED, f"{kind}^{event}".strip("^"))


def _of_patients(event: str, message: Message) -> list[Content]:
    if event in UPDATES:
        return [patient_update(message)]
    return [*patient_merges(message)] if event in MERGES else []

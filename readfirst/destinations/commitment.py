"""Storage commitment: what a PACS says of the objects that it was asked to keep (PS3.4 J)."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset

#: The SOP class, and its well-known instance (PS3.4 J.3.5).
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
#: The status of a report that could not be noted (PS3.7 C.5.21).
PROCESSING_FAILURE = 0x0110
#: PS3.3 C.14.1.1.
FAILURES = {
    0x0110: "a fault of its own",
    0x0112: "it does not have the object",
    0x0119: "another SOP class than the object has",
    0x0122: "it does not keep this kind of object",
    0x0131: "the same transaction twice",
    0x0213: "it has no room",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A request for storage commitment that a destination has taken, or has fulfilled already."""

    transaction_uid: str
    committed: bool = False


@dataclass(frozen=True, slots=True)
class CommitmentReport:
    """An answer. failures: reasons by the SOP Instance UIDs of what it does not keep."""

    transaction_uid: str
    failures: Mapping[str, int]

    @property
    def reason(self) -> str:
        """A sentence on what is not kept; empty where all is."""
        words = {FAILURES.get(code, f"reason {code:#06x}") for code in self.failures.values()}
        if not words:
            return ""
        return f"It was taken, but the destination does not keep it: {', '.join(sorted(words))}."


def report_of(dataset: Dataset) -> CommitmentReport | None:
    """Return the answer that an N-EVENT-REPORT brings (PS3.4 J.3.3); None for one that is none."""
    transaction_uid = str(dataset.get("TransactionUID", ""))
    if not transaction_uid:
        return None
    failed = dataset.get("FailedSOPSequence") or []
    try:
        failures = {
            str(item.ReferencedSOPInstanceUID): int(item.get("FailureReason") or 0x0110)
            for item in failed
        }
    except (AttributeError, TypeError, ValueError):
        return None
    return CommitmentReport(transaction_uid, failures)

"""The tables. Times are UTC; DICOM attributes bear their keywords in snake case."""

from db.tables.access import Account, AuditEntry, LoginAttempts, LoginSession
from db.tables.alerts import AlertRow
from db.tables.base import Base, Leased
from db.tables.ensembles import (
    EVERYBODY,
    Acceptance,
    EnsembleVersion,
    Night,
    RescoredStudy,
    ShadowImage,
    Threshold,
)
from db.tables.escalations import Escalation
from db.tables.events import Event
from db.tables.exchange.pacs import FetchRow, PriorQuery, SourceRow
from db.tables.heat_maps import HeatMap
from db.tables.inbox import IgnoredFile, InboxIssueRow
from db.tables.monitoring import KeptDay
from db.tables.open_studies import OpenStudy
from db.tables.outbox import Destination, OutboxMessage, OutgoingResult
from db.tables.ris.merges import PatientMergeRow
from db.tables.ris.messages import Hl7Message
from db.tables.ris.orders import OrderRow
from db.tables.ris.worklist import OrderQuery
from db.tables.studies import Arrival, Image, Score, Study
from db.tables.verdicts import Verdict
from db.tables.work import HeartbeatRow, WantedRetry, WorkFaultRow

__all__ = [
    "EVERYBODY",
    "Acceptance",
    "Account",
    "AlertRow",
    "Arrival",
    "AuditEntry",
    "Base",
    "Destination",
    "EnsembleVersion",
    "Escalation",
    "Event",
    "FetchRow",
    "HeartbeatRow",
    "HeatMap",
    "Hl7Message",
    "IgnoredFile",
    "Image",
    "InboxIssueRow",
    "KeptDay",
    "Leased",
    "LoginAttempts",
    "LoginSession",
    "Night",
    "OpenStudy",
    "OrderQuery",
    "OrderRow",
    "OutboxMessage",
    "OutgoingResult",
    "PatientMergeRow",
    "PriorQuery",
    "RescoredStudy",
    "Score",
    "ShadowImage",
    "SourceRow",
    "Study",
    "Threshold",
    "Verdict",
    "WantedRetry",
    "WorkFaultRow",
]

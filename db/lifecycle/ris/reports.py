"""A report of another system comes in: its studies were read elsewhere, or are unread again.

That is no verdict: it says nothing of pneumonia, and no figure of readers counts it.
"""

from sqlalchemy import ColumnElement, func, or_, select

from db.lifecycle import study as study_steps
from db.lifecycle.events import Cause
from db.lifecycle.ranking import settle_priors
from db.lifecycle.ris.orders import fitting_studies
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Image, Study
from readfirst.ris.values import ImagingReport, ReportStatus


def take_report(unit: UnitOfWork, report: ImagingReport) -> None:
    """Let the studies of a report be read elsewhere, or no more.

    A study with a film that came in after the report was written stays unread: whoever wrote it
    cannot be known to have seen that film. Raises MessageRefused where the studies are another
    patient's.
    """
    studies = fitting_studies(unit, _is_of(report), report.patient)
    for study in studies:
        if report.status is ReportStatus.WITHDRAWN:
            unit.add(*study_steps.withdraw_report(study))
            continue
        at = min(report.at or unit.at, unit.at)
        latest = unit.session.scalar(
            select(func.max(Image.received_at)).where(Image.study_id == study.id)
        )
        if latest is None or latest <= at:
            unit.add(*study_steps.mark_reported(study, at, report.by, report.status))
    settle_priors(unit, studies, Cause.REPORT)


def _is_of(report: ImagingReport) -> ColumnElement[bool]:
    """The studies of its UID, which is the surer name; else those of its accession number."""
    uid = report.study_instance_uid
    if uid is not None:
        return or_(Study.study_instance_uid == uid, Study.shared_study_instance_uid == uid)
    return Study.accession_number == report.accession_number

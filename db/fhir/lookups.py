"""From what FHIR names a resource by to the study that it is of."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.disclosures import searched
from db.ensembles.active_versions import ActiveVersion, versions_once_active
from db.tables import EnsembleVersion, Image, Study
from readfirst.domain import ImageState


def study_of_image(session: Session, sop_instance_uid: str) -> str | None:
    """Return the Study Instance UID of a scored film; None if there is none."""
    return session.scalar(
        select(Study.study_instance_uid)
        .join(Image, Image.study_id == Study.id)
        .where(Image.sop_instance_uid == sop_instance_uid, Image.state == ImageState.SCORED)
    )


def studies_with_accession_number(session: Session, number: str, limit: int) -> list[str]:
    """Return the Study Instance UIDs of an accession number, the latest study first."""
    searched(number)
    query = select(Study.study_instance_uid).where(
        Study.accession_number == number, Study.images.any()
    )
    return list(session.scalars(query.order_by(Study.id.desc()).limit(limit)))


def every_version_once_active(session: Session) -> list[ActiveVersion]:
    """Return the ensemble versions that are or were active: others are nobody's business yet."""
    names = session.scalars(select(EnsembleVersion.version)).all()
    return list(versions_once_active(session, names).values())

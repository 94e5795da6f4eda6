"""Films that two ensembles have scored, for those who compare them."""

from sqlalchemy.orm import Session

from db.ensembles.thresholds import active_thresholds
from db.lifecycle.scoring import BatchTime, new_score
from db.lifecycle.verdicts import VerdictInput
from db.tables import Image
from readfirst.domain import ImageScore
from readfirst.studies.findings import Finding
from tests.support.studies import NOW, a_scored_image, an_ensemble, give_verdict


def a_compared_film(
    session: Session,
    first: float,
    second: float | None,
    finding: Finding | None = None,
    **values: object,
) -> Image:
    """A film with a score of ensemble 1, one of ensemble 2 if it has any, and a verdict."""
    image = a_scored_image(session, NOW, probability=first, **values)
    if second is not None:
        ensemble = an_ensemble(session, "2")
        threshold = active_thresholds(session).by_ensemble["2"]
        result = ImageScore(second, {"cnn": second})
        took = BatchTime(2.0, 4)
        session.add(new_score(image.id, result, ensemble.version, threshold, NOW, took))
        session.flush()
    if finding is not None:
        give_verdict(session, image.study.study_instance_uid, VerdictInput(finding=finding))
    return image

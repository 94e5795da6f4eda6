"""An archive is asked for the earlier chest films of a patient, when a new one came in."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ingest.pacs.client import PacsClient
from readfirst.pacs.matches import PacsStudy, StudyQuery
from readfirst.pacs.priors import (
    NewStudy,
    can_be_asked_for,
    candidates,
    is_of_chest,
    latest_day,
)
from readfirst.settings import Settings
from worker.pacs.find_studies import find_films

#: Of so many studies for each that is wanted, it is looked whether they show a chest.
MOST_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorPolicy:
    """The site's rules for priors that are fetched.

    most: of a patient, the newest. most_per_day: of one source, in 24 hours. prior_after: the age
    from which a study is a prior when it comes in.
    """

    most: int
    most_per_day: int
    prior_after: timedelta
    zone: tzinfo


def prior_policy(settings: Settings) -> PriorPolicy | None:
    """Make the rules; None where no study is a prior: what was fetched would be unread work."""
    if settings.prior_after is None:
        return None
    return PriorPolicy(
        most=settings.fetch_priors,
        most_per_day=settings.fetch_priors_per_day,
        prior_after=settings.prior_after,
        zone=settings.zone,
    )


def find_priors(
    client: PacsClient, study: NewStudy, policy: PriorPolicy, now: datetime
) -> list[PacsStudy]:
    """Find the newest earlier studies with a chest film. Raises Unavailable."""
    if not can_be_asked_for(study.patient):
        return []
    last = latest_day(study, now, policy.prior_after, policy.zone)
    query = StudyQuery(patient_id=study.patient.patient_id, to_date=last)
    earlier = candidates(study, find_films(client, query), last)
    priors: list[PacsStudy] = []
    for each in earlier[: policy.most * MOST_LOOKS]:
        if is_of_chest(client.find_series(each.study_instance_uid)):
            priors.append(each)
        if len(priors) == policy.most:
            break
    return priors

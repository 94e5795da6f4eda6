"""A PACS is asked for the studies with films that match a query."""

from dataclasses import replace

from ingest.pacs.client import PacsClient
from readfirst.pacs.matches import FILM_MODALITIES, PacsStudy, StudyQuery


def find_films(client: PacsClient, query: StudyQuery) -> list[PacsStudy]:
    """Find the studies with films, each once. Raises Unavailable.

    Modalities in Study matches one value, so it is asked for CR and for DX; of a PACS that leaves
    the key out of account (PS3.4 C.2.2.1.3), the first answer has all.
    """
    matches: dict[str, PacsStudy] = {}
    for modality in FILM_MODALITIES:
        answers = client.find_studies(replace(query, modality=modality))
        matches |= {match.study_instance_uid: match for match in answers if _fits(match, query)}
        if any(not match.modalities for match in answers):
            break
    return list(matches.values())


def _fits(match: PacsStudy, query: StudyQuery) -> bool:
    """Tell whether a match is what was asked for: keys may be taken for wildcards, or left out."""
    if not match.may_have_films:
        return False
    keys = (
        (query.accession_number, match.accession_number),
        (query.patient_id, match.patient_id),
        (query.study_instance_uid, match.study_instance_uid),
    )
    if any(key is not None and key != value for key, value in keys):
        return False
    day = match.study_date
    if day is None:
        return True
    is_early = query.from_date is not None and day < query.from_date
    is_late = query.to_date is not None and day > query.to_date
    return not (is_early or is_late)

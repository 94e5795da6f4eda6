"""Weeks of a department, invented: films, scores, refusals and verdicts, as if they had been."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from benchmarks.deciding_scores import name_deciding_scores
from db.ensembles.versions import EnsembleFacts, register
from db.session import Database
from db.tables import Arrival, IgnoredFile, Image, Score, Study, Verdict
from models.combining import sigmoid
from readfirst.domain import Exposure, FileKind, ImageState, Urgency, uid_from_digest
from readfirst.monitoring.period import midnight
from readfirst.monitoring.reference import PixelCheckRefusals, Reference, as_data, binned
from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.studies.findings import Finding
from readfirst.studies.priority import reading_key

MAX_WAIT = timedelta(hours=8)
#: Films at a time.
SLICE = 2000
#: How busy each hour of a day is; nights are quiet.
HOURS = np.array([1, 1, 1, 1, 1, 1, 2, 4, 9, 11, 11, 10, 8, 8, 9, 9, 8, 6, 4, 3, 2, 2, 1, 1], float)
#: What is refused, and how often.
REFUSED = {
    RefusalCode.VIEW_NOT_FRONTAL: 0.05,
    RefusalCode.ADULT: 0.015,
    RefusalCode.NOT_A_CHEST_RADIOGRAPH: 0.004,
    RefusalCode.TRUNCATED: 0.002,
}
SCANNERS = {
    ("Northlight", "DR 300", "ROOM-1"): 0.5,
    ("Northlight", "DR 300", "ROOM-2"): 0.3,
    ("Kestrel", "Mobile X", "WARD"): 0.2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """The properties of the weeks. per_day: films of a weekday; half of it on other days."""

    first: date
    days: int
    per_day: int = 90
    prevalence: float = 0.2
    ensemble: EnsembleFacts = field(default_factory=lambda: EnsembleFacts("1", 0.9, "1", 0.754))
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    refused: dict[RefusalCode, float] = field(default_factory=lambda: dict(REFUSED))
    #: Maker, model and station of each scanner, and how busy it is.
    scanners: dict[tuple[str, str, str], float] = field(default_factory=lambda: dict(SCANNERS))
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedFilm:
    """An invented film. probability: None for one that is refused.

    read_after: None where nobody has read it; finding: None where nobody said anything.
    """

    number: int
    at: datetime
    scanner: tuple[str, str, str]
    sick: bool
    probability: float | None
    code: RefusalCode | None
    exposure: Exposure
    scored_after: timedelta
    read_after: timedelta | None
    finding: Finding | None

    @property
    def sha256(self) -> str:
        """Of its original."""
        return f"{self.number:064x}"


#: Changes a film, as something that happens to a department would.
Change = Callable[[InventedFilm], InventedFilm]


def fill_weeks(database: Database, weeks: Weeks, change: Change = lambda film: film) -> int:
    """Write the weeks behind what is there already. Returns how many films they have."""
    with database.write() as session:
        last = (session.scalar(select(func.max(table.id))) or 0 for table in (Image, Study))
        known = max(last)
        row = register(session, weeks.ensemble, midnight(weeks.first, weeks.zone))
        row.reference = as_data(invented_reference(weeks))
    films = [change(film) for film in invented(weeks, known + 1)]
    for start in range(0, len(films), SLICE):
        with database.write() as session:
            _write(session, films[start : start + SLICE], weeks.ensemble)
    return len(films)


def invented(weeks: Weeks, number: int) -> Iterator[InventedFilm]:
    """Films from a number on, in the order of their arrival."""
    chance = np.random.default_rng(weeks.seed)
    for days in range(weeks.days):
        day = weeks.first + timedelta(days=days)
        busy = 1.0 if day.weekday() < 5 else 0.5
        films = chance.poisson(weeks.per_day * busy)
        hours = chance.choice(24, films, p=HOURS / HOURS.sum()) + chance.random(films)
        for hour in np.sort(hours):
            yield _film(number, midnight(day, weeks.zone) + timedelta(hours=hour), weeks, chance)
            number += 1


def invented_reference(weeks: Weeks, films: int = 750) -> Reference:
    """The reference that held-out patients of this department would give: three of four sick."""
    chance = np.random.default_rng(weeks.seed + 1000)
    labels = (np.arange(films) % 4 != 0).astype(np.int64)
    looks = [_exposure(bool(sick), chance) for sick in labels]
    return Reference(
        ensemble_version=weeks.ensemble.version,
        films=f"{films} invented films",
        scores=binned(np.array([_score_of(bool(sick), chance) for sick in labels]), labels),
        median_grey=binned(np.array([look.median_grey for look in looks]), labels),
        clipped_share=binned(np.array([look.clipped_share for look in looks]), labels),
        refused=PixelCheckRefusals((0, int(labels.sum())), (1, int((labels == 0).sum()))),
    )


def _film(number: int, at: datetime, weeks: Weeks, chance: np.random.Generator) -> InventedFilm:
    sick = bool(chance.random() < weeks.prevalence)
    probability = _score_of(sick, chance)
    codes, shares = list(weeks.refused), np.cumsum(list(weeks.refused.values()))
    number_of_code = int(np.searchsorted(shares, chance.random()))
    code = codes[number_of_code] if number_of_code < len(codes) else None
    scanner = chance.choice(len(weeks.scanners), p=list(weeks.scanners.values()))
    flagged = probability >= weeks.ensemble.threshold and code is None
    return InventedFilm(
        number=number,
        at=at,
        scanner=list(weeks.scanners)[scanner],
        sick=sick,
        probability=None if code else probability,
        code=code,
        exposure=_exposure(sick, chance),
        scored_after=timedelta(seconds=float(chance.lognormal(1.3, 0.6))),
        read_after=timedelta(minutes=float(chance.lognormal(3.2 if flagged else 4.9, 0.7))),
        finding=None if code else _finding(sick, chance),
    )


def _score_of(sick: bool, chance: np.random.Generator) -> float:
    """As the shipped ensemble parts the held-out films: well, and not without fail."""
    logit = chance.normal(6.0, 2.6) if sick else chance.normal(-3.5, 2.4)
    return float(sigmoid(np.array(logit)))


def _exposure(sick: bool, chance: np.random.Generator) -> Exposure:
    grey = np.clip(chance.normal(135 if sick else 131, 16), 0, 255)
    return Exposure(float(grey), float(chance.beta(1.2, 22)))


def _finding(sick: bool, chance: np.random.Generator) -> Finding | None:
    """Of most films somebody says something, of few that they cannot tell, and people err."""
    drawn = chance.random()
    if drawn < 0.3:
        return None
    if drawn < 0.33:
        return Finding.CANNOT_TELL
    right = sick if drawn < 0.97 else not sick
    return Finding.PNEUMONIA if right else Finding.NO_PNEUMONIA


def _write(session: Session, films: list[InventedFilm], ensemble: EnsembleFacts) -> None:
    threshold, version = ensemble.threshold, ensemble.version
    session.execute(insert(Study), [_study(film, ensemble) for film in films])
    session.execute(insert(Image), [_image(film) for film in films])
    session.execute(insert(Arrival), [_arrival(film) for film in films])
    scored = [film for film in films if film.probability is not None]
    if scored:
        session.execute(insert(Score), [_score(film, version, threshold) for film in scored])
        name_deciding_scores(session, version)
    ignored = [film for film in films if film.number % 400 == 0]
    if ignored:
        session.execute(insert(IgnoredFile), [_ignored_file(film) for film in ignored])
    read = [film for film in films if film.finding is not None and film.read_after is not None]
    if read:
        session.execute(insert(Verdict), [_verdict(film, ensemble) for film in read])


def _flagged(film: InventedFilm, threshold: float) -> bool:
    return film.probability is not None and film.probability >= threshold


def _study(film: InventedFilm, ensemble: EnsembleFacts) -> dict[str, Any]:
    flagged = _flagged(film, ensemble.threshold)
    return {
        "id": film.number,
        "study_instance_uid": uid_from_digest(film.sha256, "study"),
        "received_at": film.at,
        "last_received_at": film.at,
        "urgency": Urgency.LIVE,
        "probability": film.probability,
        "flagged": flagged,
        "ensemble_version": None if film.probability is None else ensemble.version,
        "reading_key": reading_key(film.at, flagged=flagged, max_wait=MAX_WAIT),
        "read_at": None if film.read_after is None else film.at + film.read_after,
    }


def _image(film: InventedFilm) -> dict[str, Any]:
    done = film.at + film.scored_after
    return {
        "id": film.number,
        "study_id": film.number,
        "sha256": film.sha256,
        "kind": FileKind.DICOM,
        "sop_instance_uid": uid_from_digest(film.sha256, "instance"),
        "state": ImageState.REFUSED if film.code else ImageState.SCORED,
        "code": film.code,
        "reason": SENTENCES[film.code] if film.code else None,
        "manufacturer": film.scanner[0],
        "manufacturer_model_name": film.scanner[1],
        "station_name": film.scanner[2],
        "median_grey": None if film.code else film.exposure.median_grey,
        "clipped_share": None if film.code else film.exposure.clipped_share,
        "urgency": Urgency.LIVE,
        "preprocessing_version": None if film.code else "1",
        "received_at": film.at,
        "scored_at": None if film.code else done,
        "refused_at": film.at if film.code else None,
        "marks": (),
        "attempts": 0,
    }


def _arrival(film: InventedFilm) -> dict[str, Any]:
    return {
        "claim_id": f"{film.number:032x}",
        "image_id": film.number,
        "relative_path": f"film-{film.number:07}.dcm",
        "sha256": film.sha256,
        "size": 1,
        "arrived_at": film.at,
        "outcome": "refused" if film.code else "received",
    }


def _score(film: InventedFilm, version: str, threshold: float) -> dict[str, Any]:
    return {
        "image_id": film.number,
        "ensemble_version": version,
        "probability": film.probability,
        "members": {"one": film.probability},
        "threshold": threshold,
        "flagged": _flagged(film, threshold),
        "scored_at": film.at + film.scored_after,
    }


def _verdict(film: InventedFilm, ensemble: EnsembleFacts) -> dict[str, Any]:
    return {
        "study_id": film.number,
        "at": film.at + (film.read_after or timedelta()),
        "finding": film.finding,
        "withdrawn": False,
        "ensemble_version": ensemble.version,
        "probability": film.probability,
        "threshold": ensemble.threshold,
        "flagged": _flagged(film, ensemble.threshold),
    }


def _ignored_file(film: InventedFilm) -> dict[str, Any]:
    code = RefusalCode.DICOM_INDEX
    return {
        "claim_id": f"a{film.number:031x}",
        "relative_path": f"DICOMDIR-{film.number}",
        "sha256": film.sha256,
        "size": 1,
        "arrived_at": film.at,
        "code": code,
        "reason": SENTENCES[code],
    }

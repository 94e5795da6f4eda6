"""By what films were acquired: by scanner, each by maker, model and station."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from db.tables import Image
from db.watching.stretches import within
from readfirst.domain import ImageState
from readfirst.watching.period import Period
from readfirst.watching.shares import share

SCANNER = (Image.manufacturer, Image.manufacturer_model_name, Image.station_name)
EVERY_SCANNER = "all scanners"
UNKNOWN_SCANNER = "unknown scanner"
OTHER_SCANNERS = "other scanners"
#: The busiest are told apart: headers may name as many as they like.
MOST_SCANNERS = 20

#: How many films of a scanner in a stretch lie in each bin: (bins,).
Counts = npt.NDArray[np.int64]
Counted = Mapping[tuple[str, int], Counts]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerView:
    """What one scanner sent in the period, and means of how it was exposed; None where unknown.

    median_grey (0 to 255) and clipped_share are measured on the image that the networks take.
    exposure (mAs), exposure_index and deviation_index (IEC 62494-1) are what the headers say: they
    are shown and nothing is concluded from them, since no reference has them.
    """

    scanner: str
    images: int
    refused: int
    refused_share: float | None
    refused_low: float | None
    refused_high: float | None
    median_grey: float | None
    clipped_share: float | None
    exposure: float | None
    exposure_index: float | None
    deviation_index: float | None


MEANS = (
    Image.median_grey,
    Image.clipped_share,
    Image.exposure,
    Image.exposure_index,
    Image.deviation_index,
)


def scanners(session: Session, period: Period) -> list[ScannerView]:
    """The busiest scanners of a period, each with all that it sent."""
    images = func.count()
    refused = func.sum(case((Image.state == ImageState.REFUSED, 1), else_=0))
    query = (
        select(*SCANNER, images, refused, *(func.avg(column) for column in MEANS))
        .where(within(Image.received_at, period))
        .group_by(*SCANNER)
        .order_by(images.desc(), *SCANNER)
        .limit(MOST_SCANNERS)
    )
    return [_view(scanner_name(*row[:3]), *row[3:]) for row in session.execute(query)]


def _view(scanner: str, images: int, refused: int, *means: float | None) -> ScannerView:
    not_scored = share(int(refused), images)
    named = {
        column.key: None if mean is None else float(mean)
        for column, mean in zip(MEANS, means, strict=True)
    }
    return ScannerView(
        scanner=scanner,
        images=images,
        refused=not_scored.hits,
        refused_share=not_scored.value,
        refused_low=not_scored.low,
        refused_high=not_scored.high,
        **named,
    )


def scanner_name(*said: str | None) -> str:
    """Maker, model and station as they are shown."""
    return " · ".join(part for part in said if part) or UNKNOWN_SCANNER


def busiest(counted: Counted) -> dict[tuple[str, int], Counts]:
    """The same, with the scanners of few films as one, and all of them as another."""
    films: Counter[str] = Counter()
    for (scanner, _), counts in counted.items():
        films[scanner] += int(counts.sum())
    named = {scanner for scanner, _ in films.most_common(MOST_SCANNERS)}
    found: defaultdict[tuple[str, int], Counts] = defaultdict(lambda: np.zeros(1, dtype=np.int64))
    for (scanner, stretch), counts in counted.items():
        shown = scanner if scanner in named else OTHER_SCANNERS
        for name in (EVERY_SCANNER, shown):
            found[name, stretch] = found[name, stretch] + counts
    return dict(found)

"""By what films were acquired: counted by scanner, each by maker, model and station."""

from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from db.tables import Image

SCANNER = (Image.manufacturer, Image.manufacturer_model_name, Image.station_name)
EVERY_SCANNER = "all scanners"
UNKNOWN_SCANNER = "unknown scanner"
OTHER_SCANNERS = "other scanners"
#: The busiest are told apart: headers may name as many as they like.
MOST_SCANNERS = 20

#: How many films of a scanner in a stretch lie in each bin: (bins,).
Counts = npt.NDArray[np.int64]
Counted = Mapping[tuple[str, int], Counts]


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

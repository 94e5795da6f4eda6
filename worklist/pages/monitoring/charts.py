"""A plot as data: what the page's script draws, and the same figures as a table. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from math import floor, log10
from typing import Any

from readfirst.formatting import readable_share, short_duration
from readfirst.language.formats import number_text
from readfirst.language.languages import ENGLISH
from readfirst.language.texts import current_language, gettext
from worklist.pages.monitoring.links import StudyLink

#: One value for each place on the x axis; None where there is none.
Values = tuple[float | None, ...]


#: Durations that an axis may name, by their seconds.
DURATIONS = {
    0.1: "0.1 s", 0.2: "0.2 s", 0.5: "0.5 s", 1: "1 s", 2: "2 s", 5: "5 s", 10: "10 s", 30: "30 s",
    60: "1 min", 120: "2 min", 300: "5 min", 900: "15 min", 1800: "30 min",
    3600: "1 h", 7200: "2 h", 21600: "6 h", 43200: "12 h",
    86400: "1 d", 259200: "3 d", 604800: "7 d", 2592000: "30 d",
}  # fmt: skip


class Unit(StrEnum):
    """The unit of the values."""

    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"
    INDEX = "index"


class Kind(StrEnum):
    """The kind of a plot."""

    STACKED = "stacked"
    LINES = "lines"
    #: Against the diagonal: x and y are shares.
    DIAGONAL = "diagonal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line, or a layer of the bars. colour: a variable of the style sheet, without `--`.

    low, high: bounds of its 95 % interval.
    """

    label: str
    colour: str
    values: Values
    low: Values | None = None
    high: Values | None = None
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A line across the plot that values should stay below, or above."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A plot. title: with the number that matters. places: names of the places on the x axis.

    x: where they lie, if not one behind the other. csv: the figure, and what of it, in the API.
    links: to the studies that it counts. addresses: of the studies at each place on the x axis.
    """

    id: str
    title: str
    kind: Kind
    unit: Unit
    x_label: str
    y_label: str
    places: tuple[str, ...]
    series: tuple[Series, ...]
    csv: str
    note: str = ""
    x: tuple[float, ...] | None = None
    levels: tuple[Level, ...] = ()
    logarithmic: bool = False
    links: tuple[StudyLink, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to draw."""
        return not any(value is not None for line in self.series for value in line.values)

    @property
    def by(self) -> str:
        """The x axis, within a sentence."""
        # In German a noun has a capital letter everywhere.
        return self.x_label.lower() if current_language() == ENGLISH else self.x_label

    @property
    def columns(self) -> tuple[str, ...]:
        """Heads of the table."""
        return (self.x_label, *(line.label for line in self.series))

    @property
    def table(self) -> list[tuple[str, ...]]:
        """A row for each place at which there is anything."""
        return [
            (label, *(_cell(line, number, self.unit) for line in self.series))
            for number, label in enumerate(self.places)
            if self._has_value(number)
        ]

    @property
    def row_addresses(self) -> list[str]:
        """The studies of each row of the table; empty where none are linked."""
        addresses = self.addresses or ("",) * len(self.places)
        return [address for at, address in enumerate(addresses) if self._has_value(at)]

    def _has_value(self, number: int) -> bool:
        return any(line.values[number] is not None for line in self.series)

    @property
    def drawing(self) -> dict[str, Any]:
        """All that the page's script needs. It writes no number itself.

        texts: of each series, as the table says its values. ticks: what the axis of the values may
        be marked with, of which the script takes as many as there is room for.
        """
        drawn = asdict(self)
        del drawn["links"], drawn["addresses"]
        for line, as_drawn in zip(self.series, drawn["series"], strict=True):
            as_drawn["texts"] = [_cell(line, at, self.unit) for at in range(len(self.places))]
        return drawn | {"ticks": ticks(self.unit, self._greatest)}

    @property
    def _greatest(self) -> float:
        """The greatest value that is drawn; layers of bars stand on each other."""
        if self.kind is Kind.STACKED:
            columns = zip(*(line.values for line in self.series), strict=True)
            return max((sum(value or 0 for value in column) for column in columns), default=0)
        lines = [line.high or line.values for line in self.series]
        values = [value for line in lines for value in line if value is not None]
        return max([*values, *(level.value for level in self.levels)], default=0)


def written(value: float | None, unit: Unit) -> str:
    """A value as people write it."""
    if value is None:
        return "–"
    if unit is Unit.COUNT:
        return number_text(value)
    if unit is Unit.SHARE:
        return readable_share(value)
    return seconds(value) if unit is Unit.SECONDS else number_text(value, ".3f")


def seconds(value: float) -> str:
    """A duration, with tenths of seconds while it is short."""
    return (
        f"{number_text(value, '.1f')} s" if value < 10 else short_duration(timedelta(seconds=value))
    )


def interval(low: float | None, high: float | None) -> str:
    """The 95 % interval of a share; nothing where there is none."""
    if low is None or high is None:
        return ""
    return f"{number_text(100 * low, '.1f')} – {number_text(100 * high, '.1f')} %"


def ticks(unit: Unit, greatest: float) -> list[tuple[float, str]]:
    """Values that an axis may be marked with, and their texts.

    They go from 0 beyond the greatest value, and are close enough for steps of 1, 2 and 5 times any
    power of ten: 1 to 20 of each power, and every fifth up to 50.
    """
    if unit is Unit.SECONDS:
        return [(at, gettext(text)) for at, text in DURATIONS.items()]
    finest = {Unit.COUNT: 0, Unit.SHARE: -2, Unit.INDEX: -3}[unit]
    most = 1 if unit is Unit.SHARE else max(1, 2 * greatest)
    steps = [*range(21), *range(25, 51, 5)]
    powers = range(finest, floor(log10(most)) + 1)
    values = {round(step * 10.0**power, max(0, -power)) for power in powers for step in steps}
    return [(value, _tick(value, unit)) for value in sorted(values) if value <= most]


def _tick(value: float, unit: Unit) -> str:
    """A round value, as short as can be."""
    if unit is Unit.SHARE:
        return f"{100 * value:.0f} %"
    return number_text(value, ",.0f" if unit is Unit.COUNT else "g")


def _cell(line: Series, number: int, unit: Unit) -> str:
    value = written(line.values[number], unit)
    low, high = (bound[number] if bound else None for bound in (line.low, line.high))
    reach = interval(low, high)
    return f"{value} ({reach})" if reach else value


def column(rows: Sequence[object], name: str) -> Values:
    """A field of each row."""
    return tuple(getattr(row, name) for row in rows)

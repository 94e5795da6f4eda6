"""A plot as data: what the page's script draws, and the same figures as a table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from readfirst.words import short_duration

#: One value for each place on the x axis; None where there is none.
Values = tuple[float | None, ...]


class Unit(StrEnum):
    """What the values are."""

    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"
    INDEX = "index"


class Kind(StrEnum):
    """How they are drawn."""

    STACKED = "stacked"
    LINES = "lines"
    #: Against the diagonal: x and y are shares.
    DIAGONAL = "diagonal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line, or one layer of the bars. colour: a variable of the style sheet, without `--`.

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

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value is not None for one in self.series for value in one.values)

    @property
    def columns(self) -> tuple[str, ...]:
        """Heads of the table."""
        return (self.x_label, *(one.label for one in self.series))

    @property
    def table(self) -> list[tuple[str, ...]]:
        """A row for each place at which there is anything."""
        return [
            (place, *(_cell(one, number, self.unit) for one in self.series))
            for number, place in enumerate(self.places)
            if any(one.values[number] is not None for one in self.series)
        ]


def written(value: float | None, unit: Unit) -> str:
    """A value as people write it."""
    if value is None:
        return "–"
    if unit is Unit.COUNT:
        return f"{value:,.0f}"
    if unit is Unit.SHARE:
        return percent(value)
    return seconds(value) if unit is Unit.SECONDS else f"{value:.3f}"


def percent(value: float) -> str:
    """A share in per cent, with a digit behind the point below ten."""
    return f"{100 * value:.1f} %" if 0 < value < 0.1 or 0.9 < value < 1 else f"{100 * value:.0f} %"


def seconds(value: float) -> str:
    """A duration, with tenths of seconds while it is short."""
    return f"{value:.1f} s" if value < 10 else short_duration(timedelta(seconds=value))


def interval(low: float | None, high: float | None) -> str:
    """The 95 % interval of a share; nothing where there is none."""
    if low is None or high is None:
        return ""
    return f"{100 * low:.1f} – {100 * high:.1f} %"


def _cell(one: Series, number: int, unit: Unit) -> str:
    value = written(one.values[number], unit)
    low, high = (bound[number] if bound else None for bound in (one.low, one.high))
    reach = interval(low, high)
    return f"{value} ({reach})" if reach else value


def column(rows: Sequence[object], name: str) -> Values:
    """One field of each row."""
    return tuple(getattr(row, name) for row in rows)

"""The query of the list: its whole state, but for a text, as its address says it. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, model_validator

from db.worklist.filters import WorklistFilter
from db.worklist.sorting import COLUMNS, Order, Position, Sort
from readfirst.calendar import EARLIEST_DAY, LATEST_WHOLE_DAY
from readfirst.language.texts import gettext
from readfirst.studies.findings import GROUP_WORDS
from worklist.api.cursors import GREATEST_ID, of_study, study_position
from worklist.api.figure_parameters import FigureFields
from worklist.api.parameters import STUDY_UID, AsDay

Day = Annotated[date, Field(ge=EARLIEST_DAY, le=LATEST_WHOLE_DAY), AsDay]
#: No Institution Name in the database has more characters.
MOST_SITE = 1024
#: Studies of a page, and the most of one into which studies slide; the rest is a page away.
PAGE_ROWS, MOST_ROWS = 50, 200
#: The fields of a page; a change of any other field leads back to the first page.
PAGE_FIELDS = ("cursor", "before")
#: Each order, and the other way round.
ORDER_TEXTS = {
    Sort.READING: ("in reading order", "the least urgent first"),
    Sort.ARRIVAL: ("by arrival, the latest first", "by arrival, the earliest first"),
    Sort.STUDY_TIME: ("by study time, the latest first", "by study time, the earliest first"),
    Sort.PROBABILITY: ("by probability, the highest first", "by probability, the lowest first"),
    Sort.WAITING: ("by waiting, the longest first", "by waiting, the shortest first"),
    Sort.PATIENT: ("by patient, from A to Z", "by patient, from Z to A"),
}


class Show(StrEnum):
    """A choice of studies, read or not, or those that came in for comparison."""

    UNREAD = "unread"
    ALL = "all"
    READ = "read"
    PRIORS = "priors"


class Arrived(StrEnum):
    """The latest studies, by days of the site."""

    TODAY = "today"
    THREE_DAYS = "3days"


class WorklistQuery(FigureFields):
    """The list's state. Names of patients are no part of it: a text travels in a body."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    show: Show = Show.UNREAD
    flagged: bool = False
    stat: bool = False
    refused: bool = False
    arrived: Arrived | None = None
    #: Days of the site on which studies arrived, both included.
    first_day: Day | None = Field(None, alias="from")
    last_day: Day | None = Field(None, alias="to")
    site: str | None = Field(None, max_length=MOST_SITE, pattern=r"^[^\x00]*$")
    sort: Sort = Sort.READING
    reverse: bool = False
    cursor: str | None = Field(None, max_length=100)
    before: str | None = Field(None, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, fields: Any) -> Any:
        """Leave out empty fields, which a form sends too."""
        return {name: value for name, value in fields.items() if value != ""}

    @property
    def order(self) -> Order:
        """The order of the list."""
        return Order(self.sort, self.reverse)

    @property
    def is_filtered(self) -> bool:
        """True if something but reading order and pages was chosen."""
        chosen = (self.flagged, self.stat, self.refused, self.site, self.has_days, self.figure())
        return any(chosen)

    @property
    def has_days(self) -> bool:
        """True if only some days are asked for."""
        return any((self.arrived, self.first_day, self.last_day))

    @property
    def days_in_words(self) -> str:
        """The days on which studies arrived."""
        if self.arrived is not None:
            is_today = self.arrived is Arrived.TODAY
            return gettext("today") if is_today else gettext("last 3 days")
        days = {gettext("from {day}"): self.first_day, gettext("to {day}"): self.last_day}
        written = (text.format(day=day) for text, day in days.items() if day)
        return " ".join(written) or gettext("any time")

    @property
    def sort_in_words(self) -> str:
        """The order in words, and its direction."""
        return gettext(ORDER_TEXTS[self.sort][self.reverse])

    @property
    def figure_in_words(self) -> str:
        """The figure whose studies are listed, in words; empty where none is."""
        low, high = self.probability_from, self.probability_below
        by = gettext("by ensemble {version}").format(version=self.ensemble) if self.ensemble else ""
        between = ""
        if low is not None or high is not None:
            highest = 1 if high is None else high
            text = gettext("AI {low} to {high} %")
            between = text.format(low=f"{100 * (low or 0):.0f}", high=f"{100 * highest:.0f}")
        parts = (
            gettext(GROUP_WORDS[self.agreement]) if self.agreement else "",
            between,
            by,
            gettext("not scored: {reason}").format(reason=self.code) if self.code else "",
            self.scanner or "",
        )
        return ", ".join(part for part in parts if part)

    @staticmethod
    def of_figure() -> dict[str, Any]:
        """The changes for no figure."""
        return dict.fromkeys(FigureFields.model_fields)

    @staticmethod
    def of_days(arrived: str | None = None) -> dict[str, Any]:
        """The changes for other days."""
        return {"arrived": arrived, "first_day": None, "last_day": None}

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """The fields that a form must send along, but for some of its own."""
        return [(name, value) for name, value in self._fields().items() if name not in without]

    def positions(self) -> tuple[Position | None, Position | None]:
        """The positions after and before which studies are wanted. Raises HTTPException 422."""
        after, before = (
            study_position(cursor, self.order) if cursor else None
            for cursor in (self.cursor, self.before)
        )
        return (None if before else after), before

    def which(self, now: datetime, zone: ZoneInfo, text: str | None) -> WorklistFilter:
        """The filter of the query. zone: of the site, whose days are meant."""
        first, last = self._days(now.astimezone(zone).date())
        return WorklistFilter(
            flagged=self.flagged,
            stat=self.stat,
            unread={Show.UNREAD: True, Show.READ: False}.get(self.show),
            prior=True if self.show is Show.PRIORS else None,
            refused=self.refused,
            institution=self.site,
            since=_midnight(first, zone) if first else None,
            until=_midnight(last + timedelta(days=1), zone) if last else None,
            text=text,
            figure=self.figure(),
        )

    def address(self, **changes: Any) -> str:
        """The address of the list with some things changed, from its first page on."""
        blank: dict[str, Any] = dict.fromkeys(PAGE_FIELDS)
        fields = WorklistQuery.model_validate(self.model_dump() | blank | changes)._fields()
        return f"/?{urlencode(fields)}" if fields else "/"

    def unfiltered(self) -> str:
        """The address of the list without any filter, in the same order."""
        unset = {"flagged": False, "stat": False, "refused": False, "site": None}
        return self.address(**unset, **self.of_days(), **self.of_figure())

    def _fields(self) -> dict[str, str]:
        """The fields that are not as they are by default."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {name: "true" if value is True else value for name, value in fields.items()}

    def page(self, **positions: Position | None) -> str | None:
        """The address of another page, by its `cursor` or `before`. None without a position."""
        cursors = {name: of_study(position) for name, position in positions.items() if position}
        return self.address(**cursors) if cursors else None

    def sorted_by(self, sort: Sort) -> str:
        """The address of the list sorted so; the other way round if it is sorted so already."""
        return self.address(sort=sort, reverse=self.sort == sort and not self.reverse)

    def scored(self) -> str | None:
        """Sorted by probability: the address from the first study on that has one."""
        return self.page(cursor=Position(self.order, (None,), GREATEST_ID))

    def direction(self, *sorts: Sort) -> str | None:
        """The direction of a column of these sorts, as aria-sort says it; None if it has none."""
        if self.sort not in sorts:
            return None
        # The longest wait came in first.
        falling = COLUMNS[self.sort].falling or self.sort is Sort.WAITING
        return "descending" if falling != self.reverse else "ascending"

    def _days(self, today: date) -> tuple[date | None, date | None]:
        if self.arrived is None:
            return self.first_day, self.last_day
        back = 0 if self.arrived is Arrived.TODAY else 2
        return today - timedelta(days=back), None


class WorklistRefresh(WorklistQuery):
    """The list as it was shown, and what may have slid into it since.

    Neither is part of its address.
    """

    #: The most rows.
    rows: int = Field(PAGE_ROWS, ge=1, le=MOST_ROWS, exclude=True)
    #: The study with which it ended, or with `before` began: it does so now too, if that is there.
    through: str | None = Field(None, pattern=STUDY_UID, exclude=True)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of a day of the site."""
    return datetime.combine(day, time(), zone).astimezone(UTC)

"""What the list is asked to show: its whole state, but for a text, as its address says it. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from db.filters import WorklistFilter
from db.sorting import COLUMNS, Order, Position, Sort
from worklist.api.cursors import GREATEST_ID, of_study, study_position
from worklist.api.parameters import STUDY_UID

#: Days of which every zone can be told.
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
#: No Institution Name in the database has more characters.
MOST_SITE = 1024
#: Studies of a page, and the most of one into which studies slide; the rest is a page away.
PAGE_ROWS, MOST_ROWS = 50, 200
#: What a change of leads back to the first page: everything but the pages themselves.
PLACES = ("cursor", "before")


#: Each order, and the other way round.
WORDS = {
    Sort.READING: ("in reading order", "the least urgent first"),
    Sort.ARRIVAL: ("by arrival, the latest first", "by arrival, the earliest first"),
    Sort.STUDY_TIME: ("by study time, the latest first", "by study time, the earliest first"),
    Sort.PROBABILITY: ("by probability, the highest first", "by probability, the lowest first"),
    Sort.WAITING: ("by waiting, the longest first", "by waiting, the shortest first"),
    Sort.PATIENT: ("by patient, from A to Z", "by patient, from Z to A"),
}


class Show(StrEnum):
    """Which studies, by whether they are read."""

    UNREAD = "unread"
    ALL = "all"
    READ = "read"


class Arrived(StrEnum):
    """The latest studies, by days of the site."""

    TODAY = "today"
    THREE_DAYS = "3days"


class Asked(BaseModel):
    """The list's state. Names of patients are no part of it: a text travels in a body."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    show: Show = Show.UNREAD
    flagged: bool = False
    refused: bool = False
    arrived: Arrived | None = None
    #: Days of the site on which studies arrived, both included.
    first_day: date | None = Field(None, alias="from", ge=EARLIEST, le=LATEST)
    last_day: date | None = Field(None, alias="to", ge=EARLIEST, le=LATEST)
    site: str | None = Field(None, max_length=MOST_SITE, pattern=r"^[^\x00]*$")
    sort: Sort = Sort.READING
    reverse: bool = False
    cursor: str | None = Field(None, max_length=100)
    before: str | None = Field(None, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, said: Any) -> Any:
        """A form sends its empty fields too."""
        return {name: value for name, value in said.items() if value != ""}

    @property
    def order(self) -> Order:
        """What it is sorted by."""
        return Order(self.sort, self.reverse)

    @property
    def is_filtered(self) -> bool:
        """Whether something but reading order and pages was chosen."""
        return any((self.flagged, self.refused, self.site, self.has_days))

    @property
    def has_days(self) -> bool:
        """Whether only some days are asked for."""
        return any((self.arrived, self.first_day, self.last_day))

    @property
    def days_in_words(self) -> str:
        """The days on which studies arrived."""
        if self.arrived is not None:
            return "today" if self.arrived is Arrived.TODAY else "last 3 days"
        said = {"from": self.first_day, "to": self.last_day}
        return " ".join(f"{word} {day}" for word, day in said.items() if day) or "any time"

    @property
    def sort_in_words(self) -> str:
        """What it is sorted by, and which way."""
        return WORDS[self.sort][self.reverse]

    @staticmethod
    def of_days(arrived: str | None = None) -> dict[str, Any]:
        """What changes for other days."""
        return {"arrived": arrived, "first_day": None, "last_day": None}

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """What a form must send along, but for some fields of its own."""
        return [(name, value) for name, value in self._said().items() if name not in without]

    def places(self) -> tuple[Position | None, Position | None]:
        """Behind and before which place. Raises HTTPException 422."""
        after, before = (
            study_position(one, self.order) if one else None for one in (self.cursor, self.before)
        )
        return (None if before else after), before

    def which(self, now: datetime, zone: ZoneInfo, text: str | None) -> WorklistFilter:
        """The filter of the query. zone: of the site, whose days are meant."""
        first, last = self._days(now.astimezone(zone).date())
        return WorklistFilter(
            flagged=self.flagged,
            unread=None if self.show is Show.ALL else self.show is Show.UNREAD,
            refused=self.refused,
            institution=self.site,
            since=_midnight(first, zone) if first else None,
            until=_midnight(last + timedelta(days=1), zone) if last else None,
            text=text,
        )

    def address(self, **changes: Any) -> str:
        """The address of the list with some things changed, from its first page on."""
        blank: dict[str, Any] = dict.fromkeys(PLACES)
        said = Asked.model_validate(self.model_dump() | blank | changes)._said()
        return f"/?{urlencode(said)}" if said else "/"

    def _said(self) -> dict[str, str]:
        """What is not as it is by itself."""
        said = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {name: "true" if value is True else value for name, value in said.items()}

    def page(self, **places: Position | None) -> str | None:
        """The address of another page: `cursor` or `before` is its place. None without one."""
        said = {name: of_study(place) for name, place in places.items() if place}
        return self.address(**said) if said else None

    def sorted_by(self, sort: Sort) -> str:
        """The address of the list sorted so; the other way round if it is sorted so already."""
        return self.address(sort=sort, reverse=self.sort == sort and not self.reverse)

    def scored(self) -> str | None:
        """Sorted by probability: the address from the first study on that has one."""
        return self.page(cursor=Position(self.order, (None,), GREATEST_ID))

    def direction(self, *sorts: Sort) -> str | None:
        """How a column of these sorts is ordered, in the words of aria-sort; None if it is not."""
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


class AskedAgain(Asked):
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

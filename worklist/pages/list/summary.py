"""The summary of a list: which of its studies are on the page, and what its filters hide."""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from db.worklist.counts import WorklistCounts, count_before, count_studies
from db.worklist.filters import WorklistFilter
from db.worklist.queries import ReadingPage
from readfirst.language.texts import gettext
from worklist.pages.list.query import Show, WorklistQuery


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in words. address: of the list without it; a text is in no address."""

    label: str
    address: str
    is_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSummary:
    """Numbers are `MOST` + 1 where there are more than `MOST`.

    first, last: the numbers in the list of the first and the last study of the page; 0 without one.
    total: studies of the list. of: studies that would be in it without the filters.
    hidden_stat: unread STAT studies that the filters leave out.
    """

    first: int
    last: int
    total: int
    of: int
    hidden_stat: int
    chips: tuple[Chip, ...]


def list_summary(
    session: Session,
    query: WorklistQuery,
    which: WorklistFilter,
    page: ReadingPage,
    counts: WorklistCounts,
) -> ListSummary:
    """Count what is on the page, in the list, and left out; no more than the page needs."""
    chips, rows = query_chips(query, which.text), len(page.studies)
    unfiltered = WorklistFilter(unread=which.unread, prior=which.prior)
    before = 0
    if page.start is not None:
        before = count_before(session, page.start, which=which, order=query.order)
    total = before + rows

    def count(meant: WorklistFilter) -> int:
        is_counted = meant == unfiltered and query.show is Show.UNREAD
        return counts.unread if is_counted else count_studies(session, meant)

    if page.end is not None:
        # Studies may come in between two queries.
        total = max(total, count(which if chips else unfiltered))
    return ListSummary(
        first=before + 1 if rows else 0,
        last=before + rows,
        total=total,
        of=max(total, count(unfiltered)) if chips else total,
        hidden_stat=_hidden_stat(session, query, which, counts, is_filtered=bool(chips)),
        chips=chips,
    )


def query_chips(query: WorklistQuery, text: str | None) -> tuple[Chip, ...]:
    """The filters of a list, each with the list without it."""
    chips = []
    if text:
        chips.append(
            Chip(gettext("text ‘{text}’").format(text=text), query.address(), is_text=True)
        )
    if query.stat:
        chips.append(Chip(gettext("STAT"), query.address(stat=False)))
    if query.flagged:
        chips.append(Chip(gettext("flagged"), query.address(flagged=False)))
    if query.refused:
        chips.append(Chip(gettext("not scored"), query.address(refused=False)))
    if query.has_days:
        label = gettext("arrived {days}").format(days=query.days_in_words)
        chips.append(Chip(label, query.address(**query.of_days())))
    if query.site:
        label = gettext("site {site}").format(site=query.site)
        chips.append(Chip(label, query.address(site=None)))
    if query.figure_in_words:
        chips.append(Chip(query.figure_in_words, query.address(**query.of_figure())))
    return tuple(chips)


def _hidden_stat(
    session: Session,
    query: WorklistQuery,
    which: WorklistFilter,
    counts: WorklistCounts,
    *,
    is_filtered: bool,
) -> int:
    """Count the unread STAT studies that are not in the list."""
    if query.show in (Show.READ, Show.PRIORS):
        return counts.stat
    if not counts.stat or not is_filtered:
        return 0
    listed = count_studies(session, replace(which, stat=True, unread=True))
    return max(0, counts.stat - listed)

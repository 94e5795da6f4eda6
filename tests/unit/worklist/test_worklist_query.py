"""The list's state and its address say the same."""

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from db.worklist.sorting import Sort
from readfirst.calendar import EARLIEST_DAY, LATEST_WHOLE_DAY
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import VerdictGroup
from worklist.pages.list.query import Arrived, Show, WorklistQuery, WorklistRefresh

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
days = st.none() | st.dates(EARLIEST_DAY, LATEST_WHOLE_DAY)
texts = st.none() | st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20)
states = st.builds(
    WorklistQuery,
    show=st.sampled_from(Show),
    flagged=st.booleans(),
    refused=st.booleans(),
    arrived=st.none() | st.sampled_from(Arrived),
    first_day=days,
    last_day=days,
    site=texts,
    agreement=st.none() | st.sampled_from(VerdictGroup),
    ensemble=st.text(min_size=1, max_size=9, alphabet="12.a"),
    probability_from=st.none() | st.floats(0, 1),
    code=st.none() | st.sampled_from(RefusalCode),
    scanner=texts,
    sort=st.sampled_from(Sort),
    reverse=st.booleans(),
)


@given(states)
def test_an_address_leads_to_the_state_it_was_made_of(state: WorklistQuery) -> None:
    query = urlsplit(state.address()).query
    again = WorklistQuery.model_validate(dict(parse_qsl(query, errors="surrogatepass")))
    assert again == state
    assert WorklistQuery.model_validate(dict(state.hidden())) == state


def test_what_is_as_usual_stands_in_no_address() -> None:
    assert WorklistQuery().address() == "/"
    assert WorklistQuery().address(show="read", flagged=True) == "/?show=read&flagged=true"
    assert WorklistQuery(cursor="x").address(flagged=True) == "/?flagged=true", (
        "from its first page"
    )
    assert WorklistRefresh(flagged=True, rows=70, through="1.2").address() == "/?flagged=true"


def test_a_form_s_empty_fields_mean_nothing() -> None:
    assert WorklistQuery.model_validate({"from": "", "to": "", "site": ""}) == WorklistQuery()


def test_days_are_those_of_the_site() -> None:
    zone = ZoneInfo("America/Lima")
    today = WorklistQuery(arrived=Arrived.TODAY).which(NOW, zone, None)
    # It is still the last of February there.
    assert today.since == datetime(2026, 2, 28, 5, 0, tzinfo=UTC)
    assert today.until is None
    three = WorklistQuery(arrived=Arrived.THREE_DAYS).which(NOW, zone, None)
    assert three.since == datetime(2026, 2, 26, 5, 0, tzinfo=UTC)
    chosen = WorklistQuery(first_day=date(2026, 1, 1), last_day=date(2026, 1, 1)).which(
        NOW, zone, "x"
    )
    assert chosen.since == datetime(2026, 1, 1, 5, 0, tzinfo=UTC)
    assert chosen.until == datetime(2026, 1, 2, 5, 0, tzinfo=UTC)
    assert (chosen.text, chosen.unread) == ("x", True)


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "1066-10-14"},
        {"sort": "urgency"},
        {"show": "some"},
        {"site": "a\0"},
        {"agreement": "wrong"},
        {"probability_from": "0.5"},
    ],
)
def test_what_means_nothing_is_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        WorklistQuery.model_validate(parameters)


def test_the_direction_of_a_column_is_that_of_what_it_shows() -> None:
    assert WorklistQuery().direction(Sort.READING) == "ascending"
    assert WorklistQuery(sort=Sort.WAITING).direction(Sort.WAITING, Sort.ARRIVAL) == "descending"
    assert (
        WorklistQuery(sort=Sort.PROBABILITY, reverse=True).direction(Sort.PROBABILITY)
        == "ascending"
    )
    assert WorklistQuery().direction(Sort.PATIENT) is None
    assert WorklistQuery().sorted_by(Sort.PATIENT) == "/?sort=patient"
    assert WorklistQuery(sort=Sort.PATIENT).sorted_by(Sort.PATIENT) == "/?sort=patient&reverse=true"
    assert (
        WorklistQuery(sort=Sort.PATIENT, reverse=True).sorted_by(Sort.PATIENT) == "/?sort=patient"
    )


def test_a_figure_is_said_in_words_and_can_be_left() -> None:
    query = WorklistQuery.model_validate(
        {"show": "all", "agreement": "missed", "ensemble": "2.0", "probability_from": "0.1",
         "probability_below": "0.2"}
    )  # fmt: skip
    assert query.figure_in_words == "not flagged, but pneumonia, AI 10 to 20 %, by ensemble 2.0"
    assert query.is_filtered
    assert query.address(**query.of_figure()) == "/?show=all"
    assert WorklistQuery(code=RefusalCode.TRUNCATED, scanner="A · B").figure_in_words == (
        "not scored: truncated, A · B"
    )

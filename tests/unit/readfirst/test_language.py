"""Texts, dates and numbers in a language."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from readfirst.formatting import readable_age, short_duration
from readfirst.language.formats import PATTERNS, moment_text, number_text
from readfirst.language.languages import ENGLISH, language_of, script_texts
from readfirst.language.texts import gettext, ngettext, pgettext, speaking, with_detail
from readfirst.refusals import RefusalCode, refusal_text
from readfirst.studies.priority import PriorityReason, explain_priority

GERMAN = language_of("de")
AT = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_text_is_english_unless_somebody_speaks_otherwise() -> None:
    assert gettext("Worklist") == "Worklist"
    with speaking(GERMAN):
        assert gettext("Worklist") == "Arbeitsliste"
        with speaking(ENGLISH):
            assert gettext("Worklist") == "Worklist"
        assert gettext("Worklist") == "Arbeitsliste"
    assert gettext("Worklist") == "Worklist"


def test_a_text_that_no_catalogue_has_stays() -> None:
    with speaking(GERMAN):
        assert gettext("Nothing of the kind") == "Nothing of the kind"
        assert gettext("") == ""


def test_numbers_and_contexts_choose_the_form() -> None:
    with speaking(GERMAN):
        forms = [ngettext("{number} image", "{number} images", n) for n in (0, 1, 2)]
        assert forms == ["{number} Bilder", "{number} Bild", "{number} Bilder"]
        assert pgettext("state", "Read") == "Befundet"


def test_a_sentence_is_translated_and_what_was_met_stays() -> None:
    with speaking(GERMAN):
        text = refusal_text(RefusalCode.EMPTY_FILE, "The file holds no bytes; send it again. (a)")
        assert text == "Die Datei ist leer. Bitte erneut senden. (a)"
        assert with_detail("", "Of no code") == "Of no code"
        assert refusal_text("a_code_of_later", "Some reason") == "Some reason"


@pytest.mark.parametrize(
    ("pattern", "english", "german"),
    [
        ("day", "29 Nov 2026", "29.11.2026"),
        ("minute", "29 Nov 2026 00:30", "29.11.2026 00:30"),
        ("second", "29 Nov 2026 00:30:00", "29.11.2026 00:30:00"),
        ("minute_of_year", "29 Nov 00:30", "29.11. 00:30"),
        ("short_day", "29 Nov", "29.11."),
    ],
)
def test_a_moment_is_written_as_the_language_does(pattern: str, english: str, german: str) -> None:
    assert moment_text(AT, pattern, BERLIN) == english
    with speaking(GERMAN):
        assert moment_text(AT, pattern, BERLIN) == german


def test_english_dates_are_those_of_python() -> None:
    for month in range(1, 13):
        day = date(2026, month, 3)
        assert [moment_text(day, name) for name in PATTERNS] == [
            day.strftime(pattern) for pattern in PATTERNS.values()
        ]


def test_a_number_is_written_as_the_language_does() -> None:
    assert (number_text(12345), number_text(97.31, ".1f")) == ("12,345", "97.3")
    with speaking(GERMAN):
        assert (number_text(12345), number_text(97.31, ".1f")) == ("12.345", "97,3")
        assert short_duration(timedelta(days=2, hours=4)) == "2 Tg. 4 h"
        assert readable_age("004Y") == "4 J."


def test_the_sentence_of_the_order_is_made_in_the_language() -> None:
    with speaking(GERMAN):
        sentence = explain_priority(
            PriorityReason.WAITING, probability=0.08, threshold=0.5, reasons=[]
        )
    assert sentence == "In der Reihenfolge des Eingangs. KI 8 % (Schwelle 50 %)."


def test_scripts_get_their_texts_alone_with_how_to_count() -> None:
    assert script_texts("en") is None
    german = script_texts("de")
    assert german is not None
    assert german["plurals"] == {"one": 0, "other": 1}
    assert german["texts"]["Set two points."] == "Zwei Punkte setzen."
    assert german["texts"]["{number} study came in"] == (
        "{number} Untersuchung eingegangen",
        "{number} Untersuchungen eingegangen",
    )
    assert german["texts"]["window\4Other"] == "Anderes"
    assert "Worklist" not in german["texts"]

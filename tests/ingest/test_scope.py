"""What the rules make of headers, and of a site's own rules."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.scope import TAGS, ages_of, check_scope, findings
from ingest.scope_rules import (
    DEFAULTS,
    TAG_RULES,
    Result,
    ScopeRules,
    default_rules,
    load_rules,
    parse_rules,
)
from readfirst.domain import Ages, FileKind, Header
from readfirst.errors import Misconfigured, Refused
from readfirst.marks import MARK_SENTENCES, MarkCode

AGES = Ages(1, 5)


def a_film(**values: Any) -> Header:
    """Of a child of four, with nothing that speaks against it."""
    said: dict[str, Any] = {
        "kind": FileKind.DICOM,
        "rows": 9,
        "columns": 9,
        "patient_age": "004Y",
    } | values
    return Header(**said)


def verdict(site: str = "", ages: Ages | None = AGES, **values: Any) -> str:
    """`score`, the codes of the marks, or the code of the refusal."""
    rules = parse_rules(DEFAULTS.read_text(), site)
    try:
        marks = check_scope(a_film(**values), rules, ages)
    except Refused as refusal:
        return f"refuse {refusal.code}"
    return f"mark {' '.join(mark.code for mark in marks)}" if marks else "score"


@pytest.mark.parametrize("modality", ["CR", "DX", "rg", "SC", "OT", None])
@pytest.mark.parametrize("view", ["AP", "PA", "pa ", "", None, "ERECT AP"])
def test_frontal_radiographs_of_small_children_are_scored(
    modality: str | None, view: str | None
) -> None:
    assert verdict(modality=modality, view_position=view) == "score"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"modality": "CT"}, "refuse modality_not_radiography"),
        ({"view_position": "LL"}, "refuse view_not_frontal"),
        ({"view_position": "LAT_R"}, "refuse view_not_frontal"),
        ({"view_position": "left lateral"}, "refuse view_not_frontal"),
        ({"view_position": "Decubitus"}, "refuse view_not_frontal"),
        ({"view_position": "AP LORDOTIC"}, "mark view_not_validated"),
        ({"body_part_examined": "Chest"}, "score"),
        ({"body_part_examined": "TÓRAX"}, "score"),
        ({"body_part_examined": "Brustkorb"}, "score"),
        ({"body_part_examined": "HAND"}, "refuse body_part_not_chest"),
        ({"body_part_examined": "L-SPINE"}, "refuse body_part_not_chest"),
        ({"body_part_examined": "ABDOMEN"}, "refuse body_part_not_chest"),
        ({"body_part_examined": "CHEST_ABDOMEN"}, "mark body_part_not_validated"),
        ({"laterality": "L"}, "mark laterality_one_side"),
        ({"laterality": "U"}, "score"),
        ({"presentation_intent_type": "FOR PROCESSING"}, "refuse for_processing"),
        ({"presentation_intent_type": "FOR PRESENTATION"}, "score"),
        ({"image_type": ("ORIGINAL", "PRIMARY")}, "score"),
        ({"image_type": ("DERIVED", "PRIMARY")}, "score"),
        ({"image_type": ("DERIVED", "PRIMARY", "", "100000")}, "score"),
        ({"image_type": ("DERIVED", "SECONDARY")}, "mark image_type_not_validated"),
        (
            {"image_type": ("DERIVED", "PRIMARY", "BONE_SUPPRESSED")},
            "mark image_type_not_validated",
        ),
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "refuse image_type_not_a_film"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "SCOUT")}, "refuse image_type_not_a_film"),
        ({"burned_in_annotation": "YES"}, "mark annotation_burned_in"),
        ({"burned_in_annotation": "NO"}, "score"),
        ({"number_of_frames": 3}, "refuse multi_frame"),
    ],
)
def test_each_tag_has_its_rule(values: dict[str, Any], expected: str) -> None:
    assert verdict(**values) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ("001Y", "score"),
        ("012M", "score"),
        ("005Y", "score"),
        ("071M", "score"),
        ("366D", "score"),
        ("053W", "score"),
        ("011M", "mark child_outside_population"),
        ("009D", "mark child_outside_population"),
        ("072M", "mark child_outside_population"),
        ("006Y", "mark child_outside_population"),
        ("017Y", "mark child_outside_population"),
        ("018Y", "refuse adult"),
        ("093Y", "refuse adult"),
        ("999Y", "mark age_unknown"),
        (None, "mark age_unknown"),
    ],
)
def test_ages_are_held_against_the_population(age: str | None, expected: str) -> None:
    assert verdict(patient_age=age) == expected


@pytest.mark.parametrize(
    ("age", "born", "expected"),
    [
        (None, date(2022, 1, 12), "score"),
        (None, date(2025, 1, 13), "mark child_outside_population"),
        (None, date(1980, 1, 1), "refuse adult"),
        # What devices write where nobody knows: the other of the two counts.
        ("004Y", date(1900, 1, 1), "score"),
        ("999Y", date(2022, 1, 12), "score"),
        ("000Y", date(1980, 1, 1), "refuse adult"),
        ("004Y", date(2030, 1, 1), "score"),
    ],
)
def test_a_birth_date_counts_beside_the_age(age: str | None, born: date, expected: str) -> None:
    taken = datetime(2026, 1, 12, 7, 15)
    said: dict[str, Any] = {"patient_age": age, "patient_birth_date": born}
    assert verdict(**said, study_datetime=taken) == expected
    assert verdict(**said, acquisition_datetime=taken) == expected


def test_the_birthday_itself_counts() -> None:
    film = {"patient_age": None, "study_datetime": datetime(2026, 3, 1)}
    assert ages_of(a_film(patient_birth_date=date(2020, 3, 1), **film)) == [6]
    assert ages_of(a_film(patient_birth_date=date(2020, 3, 2), **film)) == [5]
    assert ages_of(a_film(patient_birth_date=date(2020, 2, 29), **film)) == [6]


def test_a_picture_has_no_age_and_is_marked() -> None:
    (mark,) = check_scope(Header(kind=FileKind.JPEG, rows=9, columns=9), default_rules(), AGES)
    assert mark.code is MarkCode.AGE_UNKNOWN
    assert mark.reason == MARK_SENTENCES[MarkCode.AGE_UNKNOWN]


def test_a_mark_says_what_was_found() -> None:
    (mark,) = check_scope(a_film(patient_age="017Y"), default_rules(), AGES)
    assert mark.reason.endswith("(17 y)")


def test_an_ensemble_that_names_no_ages_marks_every_score() -> None:
    assert verdict(ages=None) == "mark population_unknown"
    assert verdict(ages=None, patient_age="040Y") == "refuse adult"
    assert verdict(ages=None, patient_age=None) == "mark age_unknown"


def test_adults_within_the_population_of_another_ensemble_are_scored() -> None:
    assert verdict(ages=Ages(18, 90), patient_age="040Y") == "score"
    assert verdict(ages=Ages(18, 90), patient_age="004Y") == "mark child_outside_population"


def test_adults_are_scored_only_if_the_site_says_so_and_are_always_marked() -> None:
    assert verdict(patient_age="040Y") == "refuse adult"
    assert verdict('[age]\nadults = "mark"', patient_age="040Y") == "mark adult"
    with pytest.raises(Misconfigured, match="must be 'mark' or 'refuse'"):
        verdict('[age]\nadults = "score"')


def test_a_site_changes_only_what_it_names() -> None:
    site = '[modality]\nmark = ["SC"]\n[view]\nrefuse = ["*LAT*"]\nmissing = "refuse"\n'
    assert verdict(site, modality="SC", view_position="AP") == "mark modality_not_validated"
    assert verdict(site, modality="CR", view_position="LLO") == "score"
    assert verdict(site, modality="CR", view_position="LAT") == "refuse view_not_frontal"
    assert verdict(site, modality="CR") == "refuse view_not_frontal"
    assert verdict(site, modality="CT", view_position="AP") == "refuse modality_not_radiography"


def test_all_values_together_can_be_named() -> None:
    site = "[image_type]\nrefuse = ['DERIVED\\SECONDARY']"
    refused = "refuse image_type_not_a_film"
    assert verdict(site, image_type=("DERIVED", "SECONDARY")) == refused
    assert verdict(site, image_type=("ORIGINAL", "SECONDARY")) == "mark image_type_not_validated"


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ("[modality\n", "line 1"),
        ("\n[modalities]\nmark = []", "line 2: modalities is none of the rules"),
        ("modality = 3", "line 1: modality is none of the rules"),
        ("[view]\n\nforbid = []", "line 3: \\[view\\] forbid"),
        ("[view]\nmark = 'AP'", "line 2: .*list of patterns"),
        ("[view]\nmark = ['AP', 3]", "line 2: .*list of patterns"),
        ("[view]\nmark = ['--']", "line 2: .*list of patterns"),
        ("[view]\nother = 'drop'", "line 2: .*'score' or 'mark' or 'refuse'"),
        ("[age]\n# children\nadult_years = 'x'", "line 3: .*whole number of years"),
        ("[age]\nadult_years = true", "line 2: .*whole number of years"),
        ("[age]\nmissing = 'score'", "line 2: .*'mark' or 'refuse'"),
        ("[age]\nchildren_outside = 'score'", "line 2: .*'mark' or 'refuse'"),
    ],
)
def test_a_wrong_rule_is_named_with_its_line(tmp_path: Path, site: str, message: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(site)
    with pytest.raises(Misconfigured, match=f"READFIRST_SCOPE: {path}: .*{message}"):
        load_rules(path)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        load_rules(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Misconfigured, match="UTF-8"):
        load_rules(tmp_path / "binary.toml")


def test_every_rule_has_its_table_and_its_codes() -> None:
    assert set(TAGS) == set(TAG_RULES) == set(default_rules().tags)
    tables = re.findall(r"^\[(\w+)\]", DEFAULTS.read_text(), re.M)
    assert tables == [*TAG_RULES, "age"]


def test_findings_tell_every_rule() -> None:
    found = findings(a_film(laterality="R", modality="CR"), default_rules(), AGES)
    assert [finding.rule for finding in found] == [*TAG_RULES, "age"]
    by_rule = {finding.rule: finding for finding in found}
    assert by_rule["laterality"].result is Result.MARK
    assert by_rule["modality"].found == "CR"
    assert by_rule["age"].result is Result.SCORE


@given(
    values=st.lists(st.text(max_size=20), max_size=4),
    age=st.one_of(st.none(), st.from_regex(r"[0-9]{3}[DWMY]", fullmatch=True)),
    born=st.one_of(st.none(), st.dates()),
    at=st.one_of(st.none(), st.datetimes()),
    ages=st.sampled_from([None, AGES]),
)
def test_whatever_a_header_says_the_rules_decide(
    values: list[str],
    age: str | None,
    born: date | None,
    at: datetime | None,
    ages: Ages | None,
) -> None:
    """Nothing in a header breaks a rule, and an age that is no small child's is never validated."""
    first = next(iter(values), None)
    film = a_film(
        image_type=tuple(values),
        modality=first,
        view_position=first,
        body_part_examined=first,
        patient_age=age,
        patient_birth_date=born,
        study_datetime=at,
    )
    rules: ScopeRules = default_rules()
    found = findings(film, rules, ages)
    known = ages_of(film)
    inside = bool(known) and all(1 <= years <= 5 for years in known)
    assert (found[-1].result is Result.SCORE) == (inside and ages is not None)
    try:
        marks = check_scope(film, rules, ages)
    except Refused:
        return
    assert marks or (inside and ages is not None)

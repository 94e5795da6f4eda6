"""The rules of the scope, on headers and by a site's own file."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.scope.patterns import pattern_of, spans
from ingest.scope.scope import TAGS, check_scope, findings, marks_of_scored
from ingest.scope.scope_rules import (
    DEFAULTS,
    TAG_RULES,
    Result,
    ScopeRules,
    default_rules,
    load_rules,
    parse_rules,
)
from ingest.scope.unused_patterns import unused_patterns
from readfirst.domain import Ages, FileKind, Header
from readfirst.errors import Misconfigured, Refused
from readfirst.studies.ages import ages_of
from readfirst.studies.marks import MARK_SENTENCES, MarkCode

AGES = Ages(1, 5)
LISTS = ("score", "mark", "refuse")


def a_film(**values: Any) -> Header:
    """Of a child of four, with nothing that speaks against it."""
    fields: dict[str, Any] = {
        "kind": FileKind.DICOM,
        "rows": 9,
        "columns": 9,
        "patient_age": "004Y",
    } | values
    return Header(**fields)


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
        # What devices write for CR and DX, and several at once.
        ({"modality": "DR"}, "score"),
        ({"modality": " xr "}, "score"),
        ({"modality": "D R"}, "score"),
        ({"modality": "CR\\DX"}, "score"),
        ({"modality": "CR/DX"}, "score"),
        ({"modality": "DX CR"}, "score"),
        ({"modality": "CR\\CT"}, "refuse modality_not_radiography"),
        ({"modality": "CT\\CR"}, "refuse modality_not_radiography"),
        ({"modality": "RF"}, "refuse modality_not_radiography"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "AUTOMODE")}, "score"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "TOMO")}, "mark image_type_not_validated"),
        ({"image_type": ("ORIGINAL", "TOMOSYNTHESIS")}, "mark image_type_not_validated"),
    ],
)
def test_each_tag_has_its_rule(values: dict[str, Any], expected: str) -> None:
    assert verdict(**values) == expected


@pytest.mark.parametrize(
    "view",
    ["AP FLAT", "flat", "APFLAT", "AP PLATE", "Flat-Plate", "PLATE", "BILATERAL", "AP BILAT",
     "bi-lateral", "AP INHALATION", "PA ISOLATION", "AP SCAPULA TRUE", "PROBLEM", "AP\\PA",
     "ANTERIOR-POSTERIOR", "POSTERO-ANTERIOR", "SUPINE", "LIEGEND"],
)  # fmt: skip
def test_letters_within_other_words_are_no_lateral(view: str) -> None:
    assert verdict(view_position=view) == "score"


@pytest.mark.parametrize(
    "view",
    ["LAT", "lateral", "LLAT", "R LAT", "LAT_R", "LATL", "LeftLateral", "PA/LAT", "AP\\LAT",
     "PA AND LATERAL", "AP FLAT LAT", "LAT FLAT", "PA LATERAL BILATERAL", "PLATELATERAL",
     "CROSSTABLELATERAL", "XTLAT", "LATERALIS", "LATÉRALE", "latero-laterale", "SEITLICH", "seitl.",
     "PROFIL", "de profil", "PERFIL", "PROFILO", "BOCZNE", "OBLIQUE", "L OBL", "LPOBL", "OBLICUA",
     "SCHRÄG", "schraeg", "Decubitus", "DECUBITO LATERAL", "LL"],
)  # fmt: skip
def test_laterals_and_obliques_are_known_in_many_words(view: str) -> None:
    assert verdict(view_position=view) == "refuse view_not_frontal"


@pytest.mark.parametrize(
    "part",
    ["ABDOMEN CHEST", "CHEST ABDOMEN", "ABDOMEN\\CHEST", "CHEST\\ABDOMEN", "abdomen/thorax",
     "THORAX ABDOMEN", "THORAX UND ABDOMEN", "ABDOMEN Y TÓRAX", "TORACE E ADDOME", "ABD+CHEST",
     "Babygram", "baby gram", "BABYGRAM (AP CHEST AND ABDOMEN)", "WHOLE BODY", "CHEST NECK"],
)  # fmt: skip
def test_more_than_the_chest_is_marked_in_every_order(part: str) -> None:
    assert verdict(body_part_examined=part) == "mark body_part_not_validated"


@pytest.mark.parametrize("part", ["ABDOMEN", "ABDOMEN PELVIS", "CHEST\\HAND", "T-SPINE"])
def test_other_parts_of_the_body_are_refused(part: str) -> None:
    assert verdict(body_part_examined=part) == "refuse body_part_not_chest"


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
        # Nobody can be that, and one year off is how ages are rounded.
        ("004Y", date(2030, 1, 1), "mark age_contradicted"),
        (None, date(2030, 1, 1), "mark age_unknown"),
        ("150Y", date(2022, 1, 1), "mark age_contradicted"),
        ("004Y", date(1890, 5, 3), "mark age_contradicted"),
        ("004Y", date(1800, 1, 1), "score"),
        ("005Y", date(2021, 10, 5), "score"),
        ("003Y", date(2021, 10, 5), "score"),
        ("002Y", date(2021, 10, 5), "mark age_contradicted"),
        ("011M", date(2021, 10, 5), "mark age_contradicted child_outside_population"),
        ("062Y", date(2021, 10, 5), "refuse adult"),
    ],
)
def test_a_birth_date_counts_beside_the_age(age: str | None, born: date, expected: str) -> None:
    taken = datetime(2026, 1, 12, 7, 15)
    ages: dict[str, Any] = {"patient_age": age, "patient_birth_date": born}
    assert verdict(**ages, study_datetime=taken) == expected
    assert verdict(**ages, acquisition_datetime=taken) == expected


def test_the_birthday_itself_counts() -> None:
    film = {"patient_age": None, "study_datetime": datetime(2026, 3, 1)}
    assert ages_of(a_film(patient_birth_date=date(2020, 3, 1), **film)) == [6]
    assert ages_of(a_film(patient_birth_date=date(2020, 3, 2), **film)) == [5]
    assert ages_of(a_film(patient_birth_date=date(2020, 2, 29), **film)) == [6]


def test_an_age_without_a_unit_is_years_and_marked() -> None:
    stated: dict[str, Any] = {"patient_age_without_unit": True}
    assert verdict(patient_age="062Y", **stated) == "refuse adult"
    assert verdict(patient_age="004Y", **stated) == "mark age_without_unit"
    adults = '[age]\nadults = "mark"'
    assert verdict(adults, patient_age="062Y", **stated) == "mark age_without_unit adult"
    (mark,) = check_scope(a_film(patient_age="004Y", **stated), default_rules(), AGES)
    assert mark.reason == "The age has no unit in the file, and was taken as years. (4)"


def test_an_age_that_was_set_aside_is_named_behind_the_mark() -> None:
    def reason(**ages: Any) -> str:
        film = a_film(study_datetime=datetime(2026, 1, 12), **ages)
        return check_scope(film, default_rules(), AGES)[0].reason

    assert reason(patient_age="150Y").endswith("(Patient Age 150 y)")
    after = date(2027, 1, 1)
    assert reason(patient_age=None, patient_birth_date=after).endswith("(born after the study)")
    both = reason(patient_age="009Y", patient_birth_date=date(2022, 1, 12))
    assert both.endswith("(Patient Age 9 y; by birth date 4 y)")


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


@pytest.mark.parametrize(
    ("site", "values", "expected"),
    [
        # A site's list is not set aside by a default that names more.
        ('[modality]\nrefuse = ["S*"]', {"modality": "SC"}, "refuse modality_not_radiography"),
        ('[view]\nrefuse = ["*LAT*"]', {"view_position": "FLAT"}, "refuse view_not_frontal"),
        # One of the site's own is.
        (
            '[view]\nrefuse = ["*LAT*"]\nscore = ["AP", "*FLAT*"]',
            {"view_position": "AP FLAT"},
            "score",
        ),
        ('[view]\nrefuse = ["*"]\nscore = ["AP"]', {"view_position": "AP"}, "score"),
        ('[view]\nrefuse = ["*"]\nscore = ["AP"]', {"view_position": "X"},
         "refuse view_not_frontal"),
        # As before: stars within words, across words, and over all values.
        ('[view]\nmark = ["SW*NG"]', {"view_position": "SWIMMING"}, "mark view_not_validated"),
        ('[view]\nmark = ["SWI MMING"]', {"view_position": "SWIM-MING"}, "mark view_not_validated"),
        ('[view]\nmark = ["*E T*"]', {"view_position": "SET UP"}, "mark view_not_validated"),
        ('[modality]\nmark = ["CR/DX"]', {"modality": "CR/DX"}, "mark modality_not_validated"),
        # New: whole words.
        ('[view]\nmark = ["* UP *"]', {"view_position": "SET UP"}, "mark view_not_validated"),
        ('[view]\nmark = ["* UP *"]', {"view_position": "UPRIGHT"}, "score"),
        ('[view]\nmark = ["* UP* *"]', {"view_position": "AP UPRIGHT"}, "mark view_not_validated"),
        ('[view]\nmark = ["AP *"]', {"view_position": "PA AP"}, "score"),
        ('[view]\nmark = ["AP *"]', {"view_position": "AP DOWN"}, "mark view_not_validated"),
        ('[view]\nmark = ["* DOWN"]', {"view_position": "DOWN AP"}, "score"),
        ('[view]\nmark = ["AP * DOWN"]', {"view_position": "AP DOWN"}, "mark view_not_validated"),
        ('[view]\nmark = ["AP * DOWN"]', {"view_position": "AP X DOWN"}, "mark view_not_validated"),
    ],
)  # fmt: skip
def test_the_patterns_of_a_site(site: str, values: dict[str, Any], expected: str) -> None:
    assert verdict(site, **values) == expected


@pytest.mark.parametrize(
    ("site", "unused"),
    [
        ("", []),
        ("[modality]\nrefuse = ['S*']", []),
        ("[body_part]\nmark = ['*ABD*CHEST*']\nrefuse = ['ABDOMEN*', '*']", []),
        ("[view]\nscore = ['* FLAT *']\nrefuse = ['*LAT*']", []),
        (
            "[view]\nscore = ['LAT', 'AP']",
            ["[view] score = 'LAT' has no effect: refuse = '* LAT* *' means all of the same"],
        ),
        (
            "[modality]\nmark = ['SC']\nrefuse = ['S C']",
            ["[modality] mark = 'SC' has no effect: refuse = 'SC' means all of the same values"],
        ),
        (
            "[view]\nmark = ['*']\nrefuse = ['*']",
            ["[view] mark = '*' has no effect: refuse = '*' means all of the same values, and is"],
        ),
        (
            "[view]\nscore = ['* LAT *']\nrefuse = ['*LAT*']",
            ["[view] score = '* LAT *' has no effect: refuse = '*LAT*' means all"],
        ),
        (
            "[view]\nmark = ['\\AP']",
            ["[view] mark = '\\\\AP' has no effect: no value can look like it."],
        ),
    ],
)
def test_a_pattern_without_effect_is_named_with_its_reason(site: str, unused: list[str]) -> None:
    sentences = [each.sentence for each in unused_patterns(parse_rules(DEFAULTS.read_text(), site))]
    assert len(sentences) == len(unused), sentences
    for sentence, begin in zip(sentences, unused, strict=True):
        assert sentence.startswith(begin)


@given(st.lists(st.text(max_size=8).filter(pattern_of), max_size=4), st.text(max_size=12))
def test_whatever_a_site_writes_is_a_pattern(patterns: list[str], value: str) -> None:
    rules = default_rules()
    lists = {key: tuple(map(pattern_of, patterns)) for key in LISTS}
    rule = rules.tags["view"].model_copy(update=lists)
    assert rule.result((value,)) in Result
    unused = unused_patterns(ScopeRules({"view": rule}, rules.age))
    assert {each.rule for each in unused} <= {"view"}


@given(
    words=st.lists(st.sampled_from(["LAT", "FLAT", "A", "CHEST", "ABD"]), min_size=1, max_size=4),
    stars=st.lists(st.sampled_from(["", "*"]), min_size=5, max_size=5),
    value=st.lists(st.sampled_from(["LAT", "FLAT", "A", "CHEST", "ABD", "X"]), max_size=5),
)
def test_a_star_that_touches_letters_means_what_it_always_did(
    words: list[str], stars: list[str], value: list[str]
) -> None:
    """Letters without spaces, against the expression that found them before."""
    pattern = stars[0] + "".join(word + star for word, star in zip(words, stars[1:], strict=False))
    before = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), "".join(value))
    assert bool(spans(pattern_of(pattern), [" ".join(value)])) == (before is not None)


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
        ("modality = 3", "line 1: modality must be a table, as \\[modality\\] begins one"),
        ("\n[[view]]\nmark = []", "line 2: view must be a table"),
        ("refuse = ['SC']", "line 1: refuse is none of the rules"),
        ("[view]\nmark = []\n[view]", "line 3"),
        ("[view]\n# no end\nmark = ['AP',\n'PA'\n", "line 3: Unclosed array"),
        ("[view]\nmark = '''AP\n\n", "line 2: "),
        (
            "[view]\n\nforbid = []",
            "line 3: \\[view\\] forbid = \\[\\]: no such key; there are score",
        ),
        ("[age]\nother = 'mark'", "line 2: .*no such key; there are adult_years"),
        ("[view.mark]\nAP = 1", "line 1: \\[view\\] mark = .*list of patterns"),
        ("[view]\nmark = 'AP'", "line 2: .*list of patterns"),
        ("[view]\nmark = ['AP', 3]", "line 2: .*list of patterns"),
        ("[view]\nmark = ['--']", "line 2: .*list of patterns"),
        ("[view]\nother = 'drop'", "line 2: .*'score' or 'mark' or 'refuse'"),
        ("[age]\n# children\nadult_years = 'x'", "line 3: .*whole number of years"),
        ("[age]\nadult_years = true", "line 2: .*whole number of years"),
        ("[view]\nmissing = 1", "line 2: .*'score' or 'mark' or 'refuse'"),
        ("[view]\nmissing = ['mark']", "line 2: .*'score' or 'mark' or 'refuse'"),
        ("[view]\nother = 'MARK'", "line 2: .*'score' or 'mark' or 'refuse'"),
        ("[age]\nadult_years = 0", "line 2: .*1 to 120"),
        ("[age]\nadult_years = 121", "line 2: .*1 to 120"),
        ("[age]\nadult_years = 18.0", "line 2: .*whole number of years"),
        ("[age]\nadult_years = '18'", "line 2: .*whole number of years"),
        # The line is that of the key, wherever its name stands before, and however it is written.
        ("[view]\nmark = [ # other\n'other = 3',\n]\n\nother = 'drop'", "line 6: .*other"),
        ('[modality]\nother = "mark"\n[view]\n"other" = 3', "line 4: \\[view\\] other"),
        ("# view.other\nview.mark = ['AP']\nview.other = 'drop'", "line 3: \\[view\\] other"),
        ("view = {mark = [], other = 'drop'}", "line 1: \\[view\\] other"),
        ("[view]\r\nmark = []\r\nother = 'drop'\r\n", "line 3: \\[view\\] other"),
        ("[view]\nrefuse = [\n'LL',\n'RL',\n3,\n]", "line 2: \\[view\\] refuse"),
        ("[age]\nmissing = 'score'", "line 2: .*'mark' or 'refuse'"),
        ("[age]\nchildren_outside = 'score'", "line 2: .*'mark' or 'refuse'"),
    ],
)
def test_a_wrong_rule_is_named_with_its_line(tmp_path: Path, site: str, message: str) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(site.encode())
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
    results = findings(a_film(laterality="R", modality="CR"), default_rules(), AGES)
    assert [finding.rule for finding in results] == [*TAG_RULES, "age"]
    by_rule = {finding.rule: finding for finding in results}
    assert by_rule["laterality"].result is Result.MARK
    assert by_rule["modality"].value == "CR"
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
    results = findings(film, rules, ages)
    known = ages_of(film)
    inside = bool(known) and all(1 <= years <= 5 for years in known)
    assert (results[-1].result is Result.SCORE) == (inside and ages is not None)
    try:
        marks = check_scope(film, rules, ages)
    except Refused:
        return
    assert marks or (inside and ages is not None)


@given(
    places=st.permutations([(table, key) for table in ("view", "laterality") for key in LISTS]),
    faulty=st.integers(0, 5),
    lines=st.lists(st.sampled_from(["", "# other = 3", "\t"]), max_size=4),
)
def test_the_line_of_a_fault_is_counted_among_any_others(
    places: list[tuple[str, str]], faulty: int, lines: list[str]
) -> None:
    """Keys of several lines each, in any order, in TOML's dotted form; one is wrong."""
    written, expected = [], 0
    for number, (table, key) in enumerate(places):
        written += lines
        if number == faulty:
            expected = len(written) + 1
        value = "3" if number == faulty else "'AP'"
        written += [f"{table}.{key} = [", f"  {value},", "]"]
    table, key = places[faulty]
    with pytest.raises(Misconfigured) as mistake:
        parse_rules(DEFAULTS.read_text(), "\n".join(written))
    assert str(mistake.value).startswith(f"line {expected}: [{table}] {key} = [3]: ")


def test_a_film_that_may_be_cut_is_marked_by_whatever_reads_it() -> None:
    film = a_film(may_be_cut=True)
    assert [each.code for each in check_scope(film, default_rules(), AGES)] == [MarkCode.MAY_BE_CUT]
    scored = marks_of_scored(film, default_rules(), AGES)
    assert [each.code for each in scored] == [MarkCode.MAY_BE_CUT]

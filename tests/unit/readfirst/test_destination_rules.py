"""Rules of destinations: patterns of what the files of a study say."""

import pytest

from readfirst.destinations.rules import Rule, is_of_rule

FACTS = {"institution_name": " Clinic [North] ", "study_description": "Chest AP"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, True),
        ({"institution_name": ["clinic [north]"]}, True),
        ({"institution_name": ["clinic*"]}, True),
        ({"institution_name": ["clinic"]}, False),
        ({"institution_name": ["x*", "*north*"]}, True),
        ({"institution_name": ["clinic*"], "study_description": ["*PA"]}, False),
        ({"institution_name": ["clinic*"], "study_description": ["chest*"]}, True),
        ({"requested_procedure_description": ["*"]}, False),
        ({"institution_name": []}, False),
    ],
)
def test_a_rule_chooses_what_is_like_it(rule: Rule, expected: bool) -> None:
    assert is_of_rule(rule, FACTS) is expected

"""Names are those that a newcomer can guess, and code has the form that is easy to read."""

import ast

import pytest

from tests.vocabulary import Name, Project, name_offences, python_names, replacement, script_names

PYTHON = """
import numpy as np
class Bell:
    told: str
    def ring(self, held, *, found=1):
        self.place, (one, _) = found, held
        return [said for said in one if (here := said)]
"""
SCRIPT = """
// a bell in a comment
const told = "a bell in a text";
const {held, found: kept} = one;
function ring(place) { return given.map((asked) => asked.bell); }
"""


@pytest.fixture(scope="module")
def project() -> Project:
    return Project()


def test_the_project_has_no_name_that_was_replaced(project: Project) -> None:
    offences = project.offences()
    assert not offences, "\n".join(map(str, offences))


def test_records_that_queries_return_are_not_called_views() -> None:
    names = [Name(1, "StudyView"), Name(2, "View"), Name(3, "FilmView"), Name(4, "StudyRecord")]
    assert [offence.line for offence in name_offences("db/read_models.py", names)] == [1, 3]
    assert not list(name_offences("models/preprocessing.py", names))


def test_every_exception_is_needed(project: Project) -> None:
    assert not project.unused_exceptions()


def test_all_that_python_defines_is_seen() -> None:
    names = {name.text for name in python_names(ast.walk(ast.parse(PYTHON)))}
    defined = {"Bell", "told", "ring", "self", "held", "found", "place", "one", "_", "said", "here"}
    assert names == defined | {"np"}


def test_all_that_a_script_declares_is_seen() -> None:
    names = script_names(SCRIPT)
    declared = {"told", "held", "found", "kept", "ring", "place", "asked"}
    assert {name.text for name in names} == declared
    assert Name(3, "told") in names


@pytest.mark.parametrize(
    ("name", "is_replaced"),
    [
        ("Bell", True),
        ("_ring_bell", True),
        ("doorBell", True),
        ("BELLS", True),
        ("rebellion", False),
        ("found", True),
        ("found_paths", False),
        ("Seen", True),
        ("seen", False),
        ("test_a_reader_is_told_why", False),
        ("test_a_bell_rings", True),
    ],
)
def test_a_name_is_judged_by_its_words(name: str, is_replaced: bool) -> None:
    assert (replacement(name) is not None) is is_replaced

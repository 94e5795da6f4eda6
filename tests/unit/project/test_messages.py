"""Every text of the page is in each catalogue, and nothing is shown that is in none."""

import ast
from pathlib import Path

import pytest

from readfirst.language.languages import ENGLISH, NAMES, catalogue_path
from readfirst.settings import Settings
from readfirst.settings.web import WebSettings
from tests.messages import ROOT, Text, faults, source_texts, updated, written
from tests.support.bare_texts import (
    SCRIPTS,
    TEMPLATES,
    bare_texts_of_script,
    bare_texts_of_template,
)

OTHERS = sorted(NAMES.keys() - {ENGLISH.code})
NAMES_OF_TEMPLATES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
#: Modules whose `Misconfigured` a page shows.
REFUSING = (
    "db/access/*.py",
    "db/ensembles/*.py",
    "readfirst/access/credentials.py",
    "worklist/**/*.py",
)
OWN_SCRIPTS = sorted(path for path in SCRIPTS.rglob("*.js") if "vendor" not in path.parts)


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return list(source_texts())


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_has_each_text_of_the_page_and_no_other(code: str, texts: list[Text]) -> None:
    """`make messages` writes it."""
    now = catalogue_path(code).read_text(encoding="utf-8")
    assert now == written(updated(code, texts))


@pytest.mark.parametrize("code", OTHERS)
def test_each_text_is_translated_with_the_values_of_the_english_one(
    code: str, texts: list[Text]
) -> None:
    assert faults(updated(code, texts)) == []


@pytest.mark.parametrize("name", NAMES_OF_TEMPLATES)
def test_a_template_has_no_text_that_stays_english(name: str) -> None:
    assert bare_texts_of_template(name) == []


@pytest.mark.parametrize("path", OWN_SCRIPTS, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_a_script_has_no_text_that_stays_english(path: Path) -> None:
    assert bare_texts_of_script(path) == []


@pytest.mark.parametrize("pattern", REFUSING)
def test_what_a_page_refuses_is_said_by_gettext(pattern: str) -> None:
    """A name that is passed on was translated where it was made, or comes from elsewhere."""
    bare = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in ROOT.glob(pattern)
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Misconfigured"
        and isinstance(call.args[0], ast.Constant | ast.JoinedStr)
    ]
    assert bare == []


def test_each_setting_has_a_description_that_catalogues_hold(texts: list[Text]) -> None:
    english = {text.id for text in texts}
    fields = Settings.model_fields.items()
    assert [name for name, field in fields if field.description not in english] == []


def test_the_setting_offers_each_language() -> None:
    choices = WebSettings.model_fields["language"].annotation
    assert set(NAMES) | {"auto"} == set(choices.__args__)  # type: ignore[union-attr]


def test_catalogues_lie_where_the_package_takes_them_from() -> None:
    catalogues = ROOT.glob("readfirst/language/locale/*/LC_MESSAGES/messages.po")
    assert {path.parts[-3] for path in catalogues} == set(OTHERS)

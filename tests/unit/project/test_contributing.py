"""The documents for contributors are true: places, names, records and configurations."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from setuptools import find_packages

ROOT = Path(__file__).parents[3]
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
DOCUMENTS = [
    *(ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md",
    ROOT / "docs" / "adr" / "README.md",
    *RECORDS,
]
PACKAGES = (
    "cli",
    "readfirst",
    "ingest",
    "models",
    "laboratory",
    "db",
    "results",
    "worker",
    "worklist",
)
#: What begins with a file or folder at the top, or ends as a file.
TOP = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.name != "var")
PATH = re.compile(
    rf"`((?:{TOP})(?:/[\w.*/-]*)?|[\w.-][\w.*/-]*\.(?:md|py|toml|yml|json|js|html|sh))`"
)
#: As "`RULES` in `worklist/security/rules.py`".
NAME_IN_PATH = re.compile(r"`(\w+)` in `([\w./-]+\.(?:py|toml))`")


def text_of(document: Path) -> str:
    """The text in one line, without what stands in blocks of code."""
    return " ".join(re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S).split())


def paths(text: str) -> set[str]:
    return set(PATH.findall(text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_is_named_exists(document: Path) -> None:
    for path in paths(text_of(document)):
        assert any(ROOT.glob(path.rstrip("/"))), f"{document.name} names {path}"


def test_paths_are_found_in_a_text() -> None:
    text = "`db/tables.py`, `db/none/`, `none/a.py`, `docs/*.md`, `README.md`, `var/x`, `GET /x`"
    assert paths(text) == {"db/tables.py", "db/none/", "none/a.py", "docs/*.md", "README.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_name_that_is_said_to_be_in_a_file_is_in_it(document: Path) -> None:
    for name, path in NAME_IN_PATH.findall(text_of(document)):
        defined = rf"^\s*(?:async )?(?:def|class) {name}\b|^\s*{name}(?::[^=\n]+)? = "
        assert re.search(defined, (ROOT / path).read_text(), re.M), f"no {name} in {path}"


def test_the_recipes_name_what_to_change_and_what_to_copy() -> None:
    recipes = text_of(ROOT / "CONTRIBUTING.md").partition("## Recipes")[2].split("### ")[1:]
    assert len(recipes) >= 8
    for recipe in recipes:
        named = NAME_IN_PATH.findall(recipe)
        assert named, recipe
        assert any(path.startswith("tests/") for _, path in named), recipe


def test_every_command_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for document in [*DOCUMENTS, ROOT / "README.md", *(ROOT / ".github" / "workflows").iterdir()]:
        named = set(re.findall(r"(?:`|run: |^)make ([a-z-]+)", document.read_text(), re.M))
        assert named <= targets, document.name


def test_records_are_numbered_without_a_gap() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name[:4])
def test_a_record_has_its_parts_and_stands_in_the_index(record: Path) -> None:
    title, *lines = record.read_text().splitlines()
    number, _, name = title.removeprefix("# ").partition(". ")
    assert number == record.name[:4]
    headings = [line for line in lines if line.startswith("#")]
    assert headings == ["## Status", "## Context", "## Decision", "## Consequences"]
    status = re.search(
        r"^(Accepted|Superseded by \d{4}), (\d{4}-\d\d-\d\d)\.", "\n".join(lines), re.M
    )
    assert status is not None
    row = f"| [{number}]({record.name}) | {name} | {status[2]} |"
    assert row in (record.parent / "README.md").read_text()


GITHUB = ROOT / ".github"
FORMS = GITHUB / "ISSUE_TEMPLATE"
SCHEMAS = {
    "github-workflows": [*(GITHUB / "workflows").glob("*.yml")],
    "github-issue-forms": [path for path in FORMS.glob("*.yml") if path.stem != "config"],
    "github-issue-config": [FORMS / "config.yml"],
    "renovate": [ROOT / "renovate.json"],
}


def faults(schema: str, *files: Path) -> str:
    """Return the faults of files by a schema that comes with the checker; nothing is downloaded."""
    arguments = ["--builtin-schema", f"vendor.{schema}", *map(str, files)]
    result = CliRunner().invoke(check_jsonschema, arguments)
    return "" if result.exit_code == 0 else result.output or "it does not run"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_configurations_are_as_their_schemas_say(schema: str) -> None:
    assert SCHEMAS[schema]
    assert faults(schema, *SCHEMAS[schema]) == ""


def test_a_wrong_workflow_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((ROOT / ".github" / "workflows" / "lint.yml").read_text() + "    step: []\n")
    assert "step" in faults("github-workflows", wrong)


def test_actions_are_pinned_and_workflows_may_only_read() -> None:
    for path in SCHEMAS["github-workflows"]:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {"contents": "read"}
        used = re.findall(r"uses: (\S+)", path.read_text())
        assert used
        assert all(re.fullmatch(r"[\w/-]+@v\d+", action) for action in used)


def test_hooks_call_what_the_virtual_environment_holds() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    checked = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    for hook in hooks[0]["hooks"]:
        tool = re.match(r"\.venv/bin/([\w-]+)", hook["entry"])
        assert tool is not None
        assert f"$(BIN)/{tool[1]}" in checked


def test_the_container_of_developers_sets_up_by_make() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postCreateCommand"] == "make setup"


def test_the_packages_are_all_folders_that_are_packages_and_say_that_they_are_typed() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")}
    include = setuptools["packages"]["find"]["include"]
    assert set(find_packages(str(ROOT), include=include)) == {
        ".".join(folder.relative_to(ROOT).parts) for folder in folders
    }
    assert setuptools["package-data"]["*"] == ["py.typed"]
    assert all((ROOT / name / "py.typed").is_file() for name in PACKAGES)

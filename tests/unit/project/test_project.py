"""The documents, the packages and the compose file say what is true."""

import importlib
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
import yaml
from setuptools import Distribution

from cli import app
from readfirst.monitoring.alerts import MEANINGS, AlertKind
from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.settings import Settings
from readfirst.studies.identity import WARNING_SENTENCES, WarningCode
from readfirst.studies.marks import MARK_SENTENCES, MarkCode
from tests.reference_pages import PAGES

ROOT = Path(__file__).parents[3]
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


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_those_of_this_repository(name: str) -> None:
    """Names such as `models` can be shadowed by whatever else is installed."""
    package = importlib.import_module(name)
    assert package.__file__ is not None
    assert Path(package.__file__).is_relative_to(ROOT)


@pytest.mark.parametrize(("page", "made"), PAGES.items())
def test_the_reference_pages_are_those_of_the_code(page: str, made: Callable[[], str]) -> None:
    """`python -m tests.reference_pages` writes them anew."""
    assert (ROOT / "docs" / "reference" / page).read_text() == made()


def test_no_setting_and_no_command_is_missing_or_invented() -> None:
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text()
    named = set(re.findall(r"^\| `READFIRST_(\w+)` \|", settings, re.M))
    assert named == {name.upper() for name in Settings.model_fields}
    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    assert re.findall(r"^### `readfirst (.*)`$", page, re.M) == commands()


def commands() -> list[str]:
    """Every command, with the group that it is in."""
    click_group = typer.main.get_command(app)
    names = []
    for name, command in click_group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names += [f"{name} {sub}" for sub in inner] if inner else [name]
    return names


def test_every_command_in_the_readme_is_one() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"readfirst ((?:accounts |models )?[a-z]+)", text))
    assert {"up", "demo", "worklist"} <= named
    assert named <= set(commands())


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_code_stands_in_the_documents_with_its_sentence(code: RefusalCode) -> None:
    assert (
        f"| `{code}` | {SENTENCES[code]} |"
        in (ROOT / "docs" / "reference" / "refusals.md").read_text()
    )


@pytest.mark.parametrize("code", [*MarkCode, *WarningCode])
def test_every_mark_and_warning_stands_in_the_documents_with_its_sentence(
    code: MarkCode | WarningCode,
) -> None:
    sentence = MARK_SENTENCES[code] if isinstance(code, MarkCode) else WARNING_SENTENCES[code]
    assert f"| `{code}` | {sentence} |" in (ROOT / "docs" / "reference" / "scope.md").read_text()


@pytest.mark.parametrize("kind", AlertKind)
def test_every_alert_stands_in_the_documents_with_its_meaning(kind: AlertKind) -> None:
    assert (
        f"| `{kind}` | {MEANINGS[kind]} |"
        in (ROOT / "docs" / "how-to" / "monitor-the-ai.md").read_text()
    )


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_everything_with_hashes_and_names_no_registry(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert "://" not in lock
    assert "--index-url" not in lock
    requirements = re.findall(r"^[a-z0-9].*", lock, flags=re.MULTILINE)
    assert all("==" in requirement for requirement in requirements)
    assert lock.count("--hash=sha256:") >= len(requirements)


def test_the_lock_of_npm_has_hashes_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert lock.pop("")["devDependencies"] == wanted
    assert {f"node_modules/{name}" for name in wanted} <= set(lock)
    for package in lock.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_the_lock_pins_all_that_the_project_names() -> None:
    pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-dev.lock").read_text(), re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["cpu"] + extras["dev"] + extras["build"]
    assert {re.split(r"[\[><=]", requirement)[0] for requirement in wanted} <= set(pinned)


@pytest.mark.parametrize("folder", ["static", "templates"])
def test_the_wheel_has_every_file_of_the_pages(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By setuptools itself, which copies into the wheel what it lists as data of a package."""
    monkeypatch.chdir(ROOT)
    distribution = Distribution()
    distribution.parse_config_files()
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()
    in_wheel = {
        ROOT / package / name
        for _, package, _, names in build.get_data_files_without_manifest()
        for name in names
    }
    files = {path for path in (ROOT / "worklist" / folder).rglob("*") if path.is_file()}
    assert len(files) > 20
    assert files <= in_wheel


def test_the_htmx_that_is_vendored_is_the_one_in_the_notice() -> None:
    source = (ROOT / "worklist" / "static" / "vendor" / "htmx.min.js").read_text()
    version = re.search(r'version:"([\d.]+)"', source)
    assert version is not None
    assert f"htmx {version[1]}" in (ROOT / "NOTICE").read_text()


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_secrets_of_the_compose_file_come_from_the_environment() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    text = (ROOT / "docker-compose.yml").read_text()
    for secret in ("POSTGRES_PASSWORD", "POSTGRES_APP_PASSWORD", "REDIS_PASSWORD"):
        values = re.findall(rf"\$\{{{secret}([^}}]*)\}}", text)
        assert values
        assert all(value.startswith(":?") for value in values), "a default password"
    for name, service in compose["services"].items():
        assert "healthcheck" in service, name

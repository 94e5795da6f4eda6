"""What the documents, the packages and the compose file say is true."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from readfirst.cli import app
from readfirst.identity import WARNING_SENTENCES, WarningCode
from readfirst.marks import MARK_SENTENCES, MarkCode
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from readfirst.watching.alerts import MEANINGS, AlertKind

ROOT = Path(__file__).parents[1]
PACKAGES = ("readfirst", "ingest", "models", "db", "worker", "worklist")


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_those_of_this_repository(name: str) -> None:
    """Names such as `models` can be shadowed by whatever else is installed."""
    package = importlib.import_module(name)
    assert package.__file__ is not None
    assert Path(package.__file__).is_relative_to(ROOT)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_readme_with_its_default(name: str) -> None:
    readme = (ROOT / "README.md").read_text()
    assert f"`READFIRST_{name.upper()}`" in readme


def commands(group: typer.models.CommandFunctionType | object = app) -> list[str]:
    click_group = typer.main.get_command(app)
    names = []
    for name, command in click_group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names += [f"{name} {sub}" for sub in inner] if inner else [name]
    return names


@pytest.mark.parametrize("name", commands())
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert f"readfirst {name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_code_stands_in_the_documents(code: RefusalCode) -> None:
    assert f"`{code}`" in (ROOT / "docs" / "refusals.md").read_text()


@pytest.mark.parametrize("code", [*MarkCode, *WarningCode])
def test_every_mark_and_warning_stands_in_the_documents_with_its_sentence(
    code: MarkCode | WarningCode,
) -> None:
    sentence = MARK_SENTENCES[code] if isinstance(code, MarkCode) else WARNING_SENTENCES[code]
    assert f"| `{code}` | {sentence} |" in (ROOT / "docs" / "scope.md").read_text()


@pytest.mark.parametrize("kind", AlertKind)
def test_every_alert_stands_in_the_documents_with_its_meaning(kind: AlertKind) -> None:
    assert f"| `{kind}` | {MEANINGS[kind]} |" in (ROOT / "docs" / "watching.md").read_text()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_everything_with_hashes_and_names_no_registry(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert "://" not in lock
    assert "--index-url" not in lock
    requirements = re.findall(r"^[a-z0-9].*", lock, flags=re.MULTILINE)
    assert all("==" in requirement for requirement in requirements)
    assert lock.count("--hash=sha256:") >= len(requirements)


def test_the_lock_pins_all_that_the_project_names() -> None:
    pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-dev.lock").read_text(), re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["cpu"] + extras["dev"] + extras["build"]
    assert {re.split(r"[\[><=]", requirement)[0] for requirement in wanted} <= set(pinned)


def test_the_htmx_that_is_vendored_is_the_one_in_the_notice() -> None:
    source = (ROOT / "worklist" / "static" / "htmx.min.js").read_text()
    version = re.search(r'version:"([\d.]+)"', source)
    assert version is not None
    assert f"htmx {version[1]}" in (ROOT / "NOTICE").read_text()


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_secrets_of_the_compose_file_come_from_the_environment() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    text = (ROOT / "docker-compose.yml").read_text()
    for secret in ("POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        values = re.findall(rf"\$\{{{secret}([^}}]*)\}}", text)
        assert values
        assert all(value.startswith(":?") for value in values), "a default password"
    for name, service in compose["services"].items():
        assert "healthcheck" in service, name

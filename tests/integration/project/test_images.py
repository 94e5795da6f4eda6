"""The images of others: pinned by digest with one command, and shut in as far as they can be."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [
        Path(shutil.copy(ROOT / name, tmp_path)) for name in ("Dockerfile", "docker-compose.yml")
    ]


def pin(files: list[Path], answer: str) -> int:
    """Run the script with a Docker that knows one digest, or none. Returns the exit status."""
    docker = files[0].parent / "docker"
    docker.write_text(f"#!/bin/sh\n{answer}\n")
    docker.chmod(0o755)
    script = [sys.executable, str(ROOT / "scripts" / "pin_images.py"), *map(str, files)]
    path = f"{docker.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(script, env=os.environ | {"PATH": path}, capture_output=True).returncode


def test_every_image_of_others_gets_its_digest_and_keeps_its_tag(files: list[Path]) -> None:
    assert pin(files, f"echo {DIGEST}") == 0
    dockerfile, compose = (file.read_text() for file in files)
    assert f"FROM python:3.13-slim@{DIGEST}\n" in dockerfile
    services = yaml.safe_load(compose)["services"]
    images = {service["image"] for service in services.values()}
    assert images == {
        "readfirst:cpu",
        "readfirst:gpu",
        f"valkey/valkey:9-alpine@{DIGEST}",
        f"postgres:18-alpine@{DIGEST}",
    }
    # Again, with the digest of a newer image.
    assert pin(files, f"echo {DIGEST.replace('0', '1')}") == 0
    assert files[1].read_text() == compose.replace(DIGEST, DIGEST.replace("0", "1"))


@pytest.mark.parametrize("answer", ["echo nothing", "exit 1"])
def test_without_a_true_digest_nothing_is_written(files: list[Path], answer: str) -> None:
    before = [file.read_text() for file in files]
    assert pin(files, answer) != 0
    assert [file.read_text() for file in files] == before


def test_none_is_named_by_its_tag_alone() -> None:
    named = [
        *re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE),
        *(service["image"] for service in services().values()),
    ]
    others = [image for image in named if not image.startswith("readfirst:")]
    assert len(others) >= 4
    pinned = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")
    assert [image for image in others if not pinned.fullmatch(image)] == []


def services() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return dict(compose["services"])


@pytest.mark.parametrize("name", list(services()))
def test_every_service_is_shut_in(name: str) -> None:
    service = services()[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["logging"]["options"]["max-size"]


def test_the_database_and_the_broker_reach_nobody_and_only_some_reach_outside() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert compose["networks"]["data"] == {"internal": True}
    networks = {name: service.get("networks", []) for name, service in services().items()}
    only_data = {name for name, each in networks.items() if each == ["data"]}
    assert only_data == {"redis", "postgres", "migrate", "ingest"}
    # It asks the archives that a site names.
    assert networks["beat"] == ["data", "outside"]
    assert networks["worklist"] == ["data", "page"]

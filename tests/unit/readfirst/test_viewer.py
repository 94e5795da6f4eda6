"""The link into the site's own viewer."""

import re
from pathlib import Path

import pytest

from readfirst.errors import Misconfigured
from readfirst.settings import load_settings
from readfirst.studies.viewer import check_template, viewer_link

DOCUMENT = Path(__file__).parents[3] / "docs" / "how-to" / "read-a-study.md"
UID = {"study_instance_uid": "1.2.3", "accession_number": None}


@pytest.mark.parametrize(
    "template",
    re.findall(r"`([a-z]+://\S*\{\w+\}\S*)`", DOCUMENT.read_text()),
)
def test_the_templates_of_the_documents_can_be_used(template: str) -> None:
    values = {"study_instance_uid": "1.2.3", "accession_number": "A/1"}
    link = viewer_link(check_template(template), values)
    assert link is not None
    assert "{" not in link
    assert "1.2.3" in link or link.endswith("A%2F1")


def test_values_are_percent_encoded() -> None:
    template = "https://pacs.example/open?a={accession_number}&s={study_instance_uid}"
    values = {"study_instance_uid": "1.2.3", "accession_number": "Ä 1&x=\"'><#"}
    assert viewer_link(template, values) == (
        "https://pacs.example/open?a=%C3%84%201%26x%3D%22%27%3E%3C%23&s=1.2.3"
    )


def test_there_is_no_link_without_the_value_that_it_needs() -> None:
    assert viewer_link("https://pacs.example/{accession_number}", UID) is None
    assert viewer_link("https://pacs.example/{study_instance_uid}", UID) is not None


@pytest.mark.parametrize(
    "template",
    [
        "https://pacs.example/viewer",
        "https://pacs.example/?n={patient_name}",
        "https://pacs.example/?n={study_instance_uid.__class__}",
        "https://pacs.example/?n={study_instance_uid[0]}",
        "https://pacs.example/?n={study_instance_uid!r}",
        "https://pacs.example/?n={study_instance_uid:>99999999}",
        "https://pacs.example/?n={}",
        "https://pacs.example/?n={study_instance_uid",
        "javascript://%0aalert({study_instance_uid})",
        "JavaScript://%0aalert({study_instance_uid})",
        "data://text/html,{study_instance_uid}",
        "file:///etc/{study_instance_uid}",
        "//pacs.example/{study_instance_uid}",
        "/viewer/{study_instance_uid}",
        "https://pacs.example/a b/{study_instance_uid}",
        "https://pacs.example/\x00{study_instance_uid}",
    ],
)
def test_a_template_that_cannot_be_used_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"viewer|filled in|expected"):
        check_template(template)


def test_it_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_VIEWER_URL", "https://pacs.example/{patient_id}")
    with pytest.raises(Misconfigured, match=r"READFIRST_VIEWER_URL is .*only \{study_instance_uid"):
        load_settings()

"""The words of an OperationOutcome, by which a FHIR server says why it refuses. Pure."""

import json
from typing import Any

#: Characters of a server's words that are kept.
MOST_CHARACTERS = 300


def outcome_text(content: bytes) -> str:
    """Return the words of an answer's issues; empty where it is no OperationOutcome."""
    try:
        answer: Any = json.loads(content)
        issues = answer["issue"] if answer["resourceType"] == "OperationOutcome" else []
        texts = [_issue_text(issue) for issue in issues]
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return " ".join(" ".join(texts).split())[:MOST_CHARACTERS]


def _issue_text(issue: dict[str, Any]) -> str:
    details = issue.get("details") or {}
    return str(details.get("text") or issue.get("diagnostics") or issue.get("code") or "")

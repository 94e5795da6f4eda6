"""Examples of the OpenAPI document: what a program sends, and short answers.

Long answers have none: what shows the document makes them of the schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STUDY_INSTANCE_UID = "1.2.826.0.1.3680043.8.498.1"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#: Of parameters, by their names.
PARAMETERS: dict[str, Any] = {
    "study_instance_uid": STUDY_INSTANCE_UID,
    "sha256": SHA256,
    "since": "2026-01-31T08:30:00Z",
    "from": "2026-01-01",
    "to": "2026-01-31",
}


@dataclass(frozen=True, slots=True)
class Example:
    """Of one operation. body: what is sent. status, answer: what comes back."""

    body: Any = None
    status: str = "200"
    answer: Any = None


#: By operation id.
EXAMPLES: dict[str, Example] = {
    "searchWorklist": Example(body={"text": "muller", "flagged": True, "limit": 20}),
    "giveVerdict": Example(
        body={
            "finding": "pneumonia",
            "comment": "right lower lobe",
            "verdicts_seen": 0,
            "images_seen": 1,
        },
    ),
    "requestHeatMap": Example(body={"method": "grad_cam"}),
    "streamEvents": Example(
        answer=': here\n\nid: 42\nevent: flagged\ndata: {"study_instance_uid": '
        f'"{STUDY_INSTANCE_UID}", "cause": "live"}}\n\n',
    ),
    "uploadFiles": Example(
        status="202",
        answer=[
            {
                "file_name": "film.dcm",
                "bytes": 524288,
                "sha256": SHA256,
                "href": f"/api/v1/uploads/{SHA256}",
                "already_here": False,
            }
        ],
    ),
    "getUploadOutcome": Example(
        answer={
            "sha256": SHA256,
            "state": "scored",
            "done": True,
            "code": None,
            "reason": None,
            "study_instance_uid": STUDY_INSTANCE_UID,
            "probability": 0.97,
            "flagged": True,
            "ai_hidden": False,
        },
    ),
    "getLiveness": Example(answer={"status": "ok"}),
}


def add_examples(operations: Mapping[str, dict[str, Any]]) -> None:
    """Put the examples into operations, by their ids."""
    for operation in operations.values():
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in PARAMETERS:
                parameter["example"] = PARAMETERS[parameter["name"]]
    for operation_id, example in EXAMPLES.items():
        operation = operations[operation_id]
        if example.body is not None:
            _put(operation["requestBody"]["content"], example.body)
        if example.answer is not None:
            _put(operation["responses"][example.status]["content"], example.answer)


def _put(content: dict[str, Any], example: Any) -> None:
    next(iter(content.values()))["example"] = example

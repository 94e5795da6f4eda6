"""The names of schemas in the OpenAPI document, by which programs know them.

They stay when a class gets another name: classes of programs are made of them.
"""

from typing import Any

REFERENCE = "#/components/schemas/"
#: By the name of the class.
DOCUMENT_NAMES = {
    "AlertRecord": "AlertView",
    "EventRecord": "EventView",
    "HeatMapRecord": "HeatMapView",
    "ImageRecord": "ImageView",
    "InboxIssueRecord": "NoticeView",
    "PriorityReason": "Standing",
    "RefusalCount": "db__watching__volumes__Refusals",
    "RefusalPage": "worklist__api__refusals__Refusals",
    "RefusedRecord": "RefusedView",
    "ScannerRecord": "ScannerView",
    "ScoreRecord": "ScoreView",
    "StudyRecord": "StudyView",
    "VerdictRecord": "VerdictView",
}


def with_document_names(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with its schemas, their titles and the references to them renamed."""
    components = document["components"]
    schemas = {
        DOCUMENT_NAMES.get(name, name): schema | _title(name)
        for name, schema in components["schemas"].items()
    }
    renamed: dict[str, Any] = _with_references(
        document | {"components": components | {"schemas": schemas}}
    )
    return renamed


def _title(name: str) -> dict[str, str]:
    """The title of a schema that is renamed: its name without the module before it."""
    return {"title": DOCUMENT_NAMES[name].split("__")[-1]} if name in DOCUMENT_NAMES else {}


def _with_references(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_references(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_references(each) for each in value]
    if isinstance(value, str) and value.startswith(REFERENCE):
        name = value.removeprefix(REFERENCE)
        return REFERENCE + DOCUMENT_NAMES.get(name, name)
    return value

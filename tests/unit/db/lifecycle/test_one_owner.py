"""Nothing but `db/lifecycle` changes what an image or a study is."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[4]
#: Attributes of the rows of studies, images and heat maps that the life cycle decides.
DECIDED = {
    "flagged",
    "lease_token",
    "lease_until",
    "never_prior",
    "prior_since",
    "ranked_by",
    "read_at",
    "reading_key",
    "refused_at",
    "score_id",
    "scored_at",
    "state",
    "threshold_change",
    "threshold_version",
    "urgency",
}
#: What a module assigns of other rows by the same name: of studies that are fetched from a PACS.
OF_OTHERS = {"db/pacs/fetches.py": {"state"}}
PACKAGES = ("db", "ingest", "laboratory", "models", "readfirst", "worker", "worklist")


def modules() -> list[Path]:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [path for path in paths if not path.is_relative_to(ROOT / "db" / "lifecycle")]


def assigned(tree: ast.AST) -> set[str]:
    """Attributes of other objects than `self` that a module assigns."""
    names = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and not (isinstance(node.value, ast.Name) and node.value.id == "self")
        ):
            names.add(node.attr)
    return names


def test_no_other_module_changes_an_image_or_a_study() -> None:
    decided = {
        str(path.relative_to(ROOT)): assigned(ast.parse(path.read_text())) & DECIDED
        for path in modules()
    }
    assert len(decided) > 200
    assert {path: names for path, names in decided.items() if names} == OF_OTHERS


def test_the_life_cycle_itself_does() -> None:
    folder = ROOT / "db" / "lifecycle"
    decided = set().union(*(assigned(ast.parse(path.read_text())) for path in folder.glob("*.py")))
    assert decided >= DECIDED

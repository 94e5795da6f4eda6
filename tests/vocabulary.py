"""The vocabulary of the project: home-made names that were replaced, and rules of form.

Run it on folders or files, to see each offence with its place: `python -m tests.vocabulary db cli`.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
#: The files whose names are judged, and folders that hold nothing of ours.
SUFFIXES: Final = (".py", ".js", ".css", ".html")
NO_CODE: Final = frozenset({"build", "dist", "node_modules"})
MOST_MODULES: Final = 16
MOST_LINES: Final = 60
#: Folders that may hold more modules, and whose functions may be longer.
FREE_FOLDERS: Final = ("tests/*", "db/migrations/*")
FREE_FUNCTIONS: Final = ("db/migrations/*",)

#: Words that stand in no name, not even as a part of one, and their replacement.
WORDS: Final = {
    "bell": "task name",
    "bells": "task names",
    "ringer": "notifier",
    "ring": "notify",
    "inlet": "inbox writer",
    "inlets": "inbox writers",
    "parcel": "incoming file",
    "parcels": "incoming files",
    "aside": "ignored file",
    "asides": "ignored files",
    "judgement": "ensemble registry",
    "noticeboard": "inbox issue reporter",
    "notices": "inbox issues",
    "watching": "monitoring",
    "sighting": "file snapshot",
    "sightings": "file snapshots",
    "glance": "worklist counts",
    "standing": "priority reason",
    "standings": "priority reasons",
    "guard": "auth middleware",
    "gate": "authenticator",
    "visitor": "principal",
    "visitors": "principals",
    "noting": "audit middleware",
    "lasting": "session expiry",
    "terms": "policy, context, config",
    "announcement": "outbox message",
    "announcements": "outbox",
    "assess": "score",
    "assessed": "scored",
    "assessing": "scoring",
    "neighbours": "adjacent studies",
}
#: Of these, plain English in the sentence that is the name of a test.
PLAIN: Final = frozenset({"aside", "guard", "lasting", "neighbours", "ring", "standing"})
#: Names that stand for nothing as a whole; as a part of another name they may.
NAMES: Final = {
    "SilentRinger": "RecordingNotifier",
    "ways_in": "upload_endpoints",
    "way_in": "upload_endpoint",
    "give": "submit_verdict",
    "Patience": "WatcherTimeouts",
    "Stretch": "TimeBucket",
    "stretches": "time_buckets",
    "Opinion": "VerdictInput",
    "opinion": "verdict",
    "why": "explain_priority, reason",
    "neighbour": "adjacent_study",
    "survey": "scan",
    "Notice": "InboxIssue",
    "NoticeCode": "InboxIssueCode",
    "InboxNotice": "InboxIssueRow",
    "Given": "VerdictSummary",
    "Seen": "ExpectedVersion",
    "Asked": "WorklistQuery",
    "AskedAgain": "WorklistRefresh",
    "Who": "CurrentUser",
    "who": "current_user",
    "announce": "enqueue_webhook",
    "ANNOUNCE": "DELIVER",
    "model_ready": "model_input",
    "let_originals_go": "purge_originals",
    "mend": "restart_dead",
    "hold_back": "defer_all",
    "said": "the thing itself: text, rows, logits",
    "told": "lines",
    "held": "lease",
    "found": "the thing itself",
    "one": "the thing itself",
    "place": "cursor, position, the thing itself",
    "here": "path, the thing itself",
    "asked": "query, request, the thing itself",
    "given": "the thing itself",
    "shown": "visible, the thing itself",
}
#: Ends of class names, in the folders that return and show rows.
ENDS: Final = {"View": "Record"}
END_FOLDERS: Final = ("db/", "worklist/")
#: Ends of paths of modules, scripts and folders; from the root on if they begin with a slash.
PATHS: Final = {
    "measures": "queue_metrics",
    "prepared": "derived_images",
    "views": "read_models",
    "foreign": "csrf",
    "logging_in": "login_service",
    "browser/seeing": "page_monitor",
    "/ingest/delivery": "inbox_writer",
    "/ingest/watch": "inbox_watcher",
    "/worker/score": "offline_scoring",
    "/ingest/settle": "stability",
    "/worker/watch": "monitoring",
    "/readfirst/words": "formatting",
    "/models/operating": "threshold_selection",
    "/models/acquisitions": "acquisition_shift",
    "/models/members": "member_store",
    "/models/measuring": "evaluate_ensemble",
    "/models/transfer": "cross_group_validation",
    "networks/studies": "networks/published",
    "film-hands": "viewer/pointer",
    "film-stage": "viewer/canvas",
    "film-paint": "viewer/renderer",
    "list-news": "worklist/announcer",
    "list-place": "worklist/scroll-anchor",
    "list-ask": "worklist/fetch",
    "list-early": "worklist/preload",
    "worklist/asking": "query_bench",
    "worklist/looking": "browser_bench",
    "throughput/ways": "variants",
    "worklist/filling": "seed_data",
    "benchmarks/weeks": "synthetic_history",
}
#: Folders of any depth.
FOLDERS: Final = {"other_images": "negative_images"}

#: Names that stay, by the files that they stay in: each with its reason.
EXCEPTIONS: Final[dict[tuple[str, str], str]] = {
    ("db/migrations/versions/*", "*"): "a migration is history",
    ("*/static/vendor/*", "*"): "other people's code",
    ("tests/vocabulary.py", "*"): "the table itself",
    ("readfirst/settings/*", "settle_seconds"): "the name of a setting",
    ("worklist/static/*", "announce"): "what screen readers are told (aria-live)",
    ("db/monitoring/volumes.py", "set_aside"): "the name of a field of the API",
    ("db/read_models.py", "standing"): "the name of a field of the API",
    ("db/read_models.py", "why"): "the name of a field of the API",
    ("worklist/observability/health.py", "found"): "the name of a field of the API",
    ("cli/checks/*", "found"): "the name of a field of `doctor --json`",
    ("readfirst/site/checks.py", "found"): "the name of a field of `doctor --json`",
}
#: Classes whose docstrings the OpenAPI document shows, as those of routes: they stay as they are.
DESCRIBED: Final = frozenset(
    {
        "Agreement",
        "Check",
        "Drift",
        "Element",
        "Fault",
        "Finding",
        "Format",
        "HeatMapRecord",
        "HeatMethod",
        "ImageDetail",
        "ImageRecord",
        "InboxIssueRecord",
        "Judged",
        "Mark",
        "Measure",
        "NewVerdict",
        "Readiness",
        "RefusalCount",
        "ScannerRecord",
        "ScoreRecord",
        "Search",
        "Sort",
        "StudyRecord",
        "Times",
        "VerdictRecord",
        "Volume",
        "WarningCode",
    }
)


class Offence(NamedTuple):
    """A name or a form that is not wanted, and where it stands."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class Name(NamedTuple):
    """A name that a file gives to something."""

    line: int
    text: str


class Project:
    """The code and the templates of the repository, with the names that they define."""

    def __init__(self) -> None:
        self.paths = sorted(
            path.relative_to(ROOT).as_posix()
            for folder in ROOT.iterdir()
            if folder.is_dir() and folder.name not in NO_CODE and folder.name[0] != "."
            for path in folder.rglob("*")
            if path.suffix in SUFFIXES and path.is_file() and NO_CODE.isdisjoint(path.parts)
        )
        self.nodes = {
            path: list(ast.walk(ast.parse(_text(path))))
            for path in self.paths
            if path.endswith(".py")
        }
        self.names = {path: python_names(nodes) for path, nodes in self.nodes.items()} | {
            path: script_names(_text(path)) for path in self.paths if path.endswith(".js")
        }

    def offences(self) -> list[Offence]:
        """Return everything that is not wanted."""
        return sorted(
            {
                *(
                    each
                    for path, names in self.names.items()
                    for each in name_offences(path, names)
                ),
                *(each for path in self.paths for each in path_offences(path)),
                *crowded_folders(self.names),
                *shared_class_names(self.nodes),
                *(each for path, nodes in self.nodes.items() for each in docstrings(path, nodes)),
                *(
                    each
                    for path, nodes in self.nodes.items()
                    for each in long_functions(path, nodes)
                ),
            }
        )

    def unused_exceptions(self) -> set[tuple[str, str]]:
        """Return the exceptions for names that no file has."""
        return {
            (glob, name)
            for glob, name in EXCEPTIONS
            if not any(
                fnmatchcase(path, glob) and any(fnmatchcase(each.text, name) for each in names)
                for path, names in self.names.items()
            )
        }


def python_names(nodes: Iterable[ast.AST]) -> list[Name]:
    """Return what a module defines: classes, functions, parameters, variables and attributes."""
    defining = (node for node in nodes if isinstance(node, DEFINING))
    return [Name(line, text) for node in defining for line, text in _defined(node)]


def script_names(source: str) -> list[Name]:
    """Return what a script declares: functions, classes, variables and parameters."""
    code = SCRIPT_NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)
    return [
        Name(code.count("\n", 0, match.start()) + 1, text)
        for match in SCRIPT_DECLARATION.finditer(code)
        for group in match.groups()
        if group
        for text in re.findall(r"[A-Za-z_$][\w$]*", group)
    ]


def replacement(name: str) -> str | None:
    """Return the words to use in place of a name; None if it is fine."""
    bare = name.strip("_")
    if bare in NAMES:
        return NAMES[bare]
    words = [part.lower() for part in PART.findall(bare)]
    allowed = PLAIN if words[:1] == ["test"] else frozenset()
    return next((WORDS[word] for word in words if word in WORDS and word not in allowed), None)


def replaced_end(name: str) -> str | None:
    """Return the end to use in place of that of a class name; None if it is fine."""
    ends = (end for end in ENDS if name.endswith(end) and name != end and name[0].isupper())
    return next((ENDS[end] for end in ends), None)


def name_offences(path: str, names: Iterable[Name]) -> Iterator[Offence]:
    """Find names that were replaced."""
    has_records = path.startswith(END_FOLDERS)
    for name in names:
        instead = replacement(name.text) or (replaced_end(name.text) if has_records else None)
        if instead is not None and not _excepted(path, name.text):
            yield Offence(path, name.line, f"{name.text} → {instead}")


def path_offences(path: str) -> Iterator[Offence]:
    """Find names of files and folders that were replaced."""
    if _excepted(path, path):
        return
    stem = path.rpartition(".")[0]
    for end, instead in PATHS.items():
        within = f"/{stem}/".startswith(f"{end}/") if end[0] == "/" else f"/{end}/" in f"/{stem}/"
        if within:
            yield Offence(path, 1, f"path {end} → {instead}")
    for part in stem.split("/"):
        replaced = FOLDERS.get(part) or replacement(part.removeprefix("test_"))
        if replaced is not None:
            yield Offence(path, 1, f"path {part} → {replaced}")


def crowded_folders(sources: Iterable[str]) -> Iterator[Offence]:
    """Find folders with too many modules or scripts to be taken in at once."""
    counts: dict[str, int] = defaultdict(int)
    for path in sources:
        if not any(fnmatchcase(path, free) for free in FREE_FOLDERS):
            counts[path.rpartition("/")[0]] += 1
    for folder, count in counts.items():
        if count > MOST_MODULES:
            yield Offence(folder, 1, f"{count} modules in a folder, more than {MOST_MODULES}")


def shared_class_names(modules: Mapping[str, Sequence[ast.AST]]) -> Iterator[Offence]:
    """Find public class names that two modules define."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for path, nodes in modules.items():
        for node in nodes:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append((path, node.lineno))
    for name, where in places.items():
        others = ", ".join(path for path, _ in where)
        if len({path for path, _ in where}) > 1:
            yield from (Offence(path, line, f"class {name} is in {others}") for path, line in where)


def docstrings(path: str, nodes: Iterable[ast.AST]) -> Iterator[Offence]:
    """Find docstrings of public things that begin with a question word."""
    for node in nodes:
        if not isinstance(node, DOCUMENTED) or getattr(node, "name", "").startswith("_"):
            continue
        first = QUESTION.match(ast.get_docstring(node) or "")
        if first is not None and not _is_described(node) and not _excepted(path, first[0]):
            line = node.body[0].lineno
            yield Offence(path, line, f"docstring begins with {first[0]}")


def long_functions(path: str, nodes: Iterable[ast.AST]) -> Iterator[Offence]:
    """Find functions that are too long to be read at once."""
    if any(fnmatchcase(path, free) for free in FREE_FUNCTIONS):
        return
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_LINES:
                yield Offence(path, node.lineno, f"{node.name} has {lines} lines")


def _defined(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.lineno, node.name
        case ast.arg():
            yield node.lineno, node.arg
        case ast.Name(ctx=ast.Store()):
            yield node.lineno, node.id
        case ast.Attribute(ctx=ast.Store(), value=ast.Name(id="self" | "cls")):
            yield node.lineno, node.attr
        case ast.alias(asname=str(name)):
            yield node.lineno, name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield node.lineno, name


def _is_described(node: ast.AST) -> bool:
    """Tell whether the OpenAPI document shows the docstring of a class or a function."""
    if isinstance(node, ast.ClassDef):
        return node.name in DESCRIBED
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        ast.unparse(decorator).startswith("router.") for decorator in node.decorator_list
    )


def _excepted(path: str, name: str) -> bool:
    return any(fnmatchcase(path, glob) and fnmatchcase(name, of) for glob, of in EXCEPTIONS)


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


DEFINING: Final = (
    *(ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.arg, ast.Name, ast.Attribute),
    *(ast.alias, ast.ExceptHandler, ast.MatchAs),
)
DOCUMENTED: Final = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
QUESTION: Final = re.compile(r"(What|Whether|How|One)\b")
PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
SCRIPT_NO_CODE: Final = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)
SCRIPT_DECLARATION: Final = re.compile(
    r"\b(?:const|let|var)\s+(\{[^}]*\}|\[[^\]]*\]|[\w$]+)"
    r"|\bfunction\*?\s*([\w$]*)\s*\(([^)]*)\)"
    r"|\bclass\s+([\w$]+)"
    r"|\(([^()]*)\)\s*=>"
    r"|\b([\w$]+)\s*=>"
)


def main(folders: Sequence[str]) -> int:
    """Print every offence in these folders and files, or in all; return 1 if there is any."""
    listing = [
        offence
        for offence in Project().offences()
        if not folders or any(f"{offence.path}/".startswith(f"{each}/") for each in folders)
    ]
    for offence in listing:
        print(offence)
    print(f"{len(listing)} offences", file=sys.stderr)
    return 1 if listing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

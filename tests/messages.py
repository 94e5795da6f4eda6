"""The catalogues of the page's texts, made from code, templates and scripts.

    python -m tests.messages

brings each catalogue up to date: a text that is new comes in without a translation, and one that
is gone goes. Then it names what a person has still to translate.
"""

import importlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from readfirst.language.languages import ENGLISH, NAMES, catalogue_path

ROOT = Path(__file__).parents[1]
#: By what finds the texts in a kind of file, the files.
SOURCES = {
    "python": (
        "cli/checks/*.py",
        "cli/common/checks.py",
        "db/**/*.py",
        "ingest/**/*.py",
        "models/cards/*.py",
        "models/manifest.py",
        "readfirst/**/*.py",
        "results/destinations/*.py",
        "worker/delivery/*.py",
        "worklist/**/*.py",
    ),
    "jinja2.ext:babel_extract": ("worklist/templates/**/*.html",),
    "javascript": ("worklist/static/**/*.js",),
}
OPTIONS = {"trimmed": "true", "parse_template_string": "true", "encoding": "utf-8"}
#: Functions whose arguments are texts, as Babel names them: number of the argument, `c`: context.
KEYWORDS: Any = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    # Sentences of errors, which are translated where they are shown.
    "Conflict": None,
    "HTTPException": (2,),
    "problem": (2,),
    "forbidden": None,
}
#: Tables and constants of texts, which are translated where they are shown: `module:name`.
TABLES = (
    "models.cards.adaptation_section:FITTED_PARTS",
    "readfirst:DISCLAIMER",
    "readfirst.inbox_issues:SENTENCES",
    "readfirst.language.formats:PATTERNS",
    "readfirst.machine_faults:SENTENCES",
    "readfirst.machine_faults:WAITS",
    "readfirst.monitoring.alerts:MEANINGS",
    "readfirst.monitoring.alerts:REMEDIES",
    "readfirst.nights.reasons:END_WORDS",
    "readfirst.refusals:SENTENCES",
    "readfirst.ris.codes:MESSAGE_SENTENCES",
    "readfirst.site.checks:CHECK_WORDS",
    "readfirst.site.parts:WORDS",
    "readfirst.studies.findings:AGREEMENT_WORDS",
    "readfirst.studies.findings:FINDING_WORDS",
    "readfirst.studies.findings:GROUP_WORDS",
    "readfirst.studies.identity:WARNING_SENTENCES",
    "readfirst.studies.marks:MARK_SENTENCES",
    "readfirst.studies.marks:MARK_WORDS",
    "readfirst.studies.populations:FINDING_NAMES",
    "readfirst.studies.populations:GROUP_NAMES",
    "readfirst.studies.populations:POPULATION_WORDS",
    "readfirst.studies.marks:VALIDITY_LABELS",
    "readfirst.studies.marks:VALIDITY_WORDS",
    "readfirst.studies.priority:PRIOR",
    "db.ensembles.acceptance:LEFT_OUT",
    "db.ensembles.acceptance:SOURCES",
    "db.access.account_changes:LAST_ADMIN",
    "db.access.account_changes:SENTENCES",
    "db.nights.report:NEVER_SCORED",
    "db.nights.report:NOT_VALIDATED",
    "db.nights.report:VALIDATED",
    "db.worklist.study_read_models:AI_HIDDEN",
    "db.worklist.study_read_models:AI_HIDDEN_STAT",
    "db.worklist.study_read_models:SILENT",
    "db.worklist.study_read_models:SILENT_STAT",
    "worklist.pages.list.page:SILENT_BANNER",
    "worklist.admin.account_service:FIRST_IS_ADMIN",
    "worklist.admin.explanation:SENTENCES",
    "worklist.admin.live_checks:ADVICE",
    "worklist.admin.live_checks:NO_ANSWER",
    "worklist.admin.rules:NO_FILE",
    "worklist.admin.comparison:CHANGE_TEXTS",
    "worklist.admin.comparison:FIGURE_TEXTS",
    "worklist.admin.explanation:RESULT_WORDS",
    "worklist.admin.setting_sources:GROUP_WORDS",
    "worklist.admin.setting_sources:NOT_SET",
    "worklist.admin.setting_sources:SET",
    "worklist.admin.setting_sources:SettingSource",
    "worklist.admin.lead.thresholds:EVIDENCE",
    "worklist.admin.lead.thresholds:METHODS",
    "worklist.services.acceptance_report:FIGURES",
    "worklist.services.acceptance_report:GROUPS",
    "worklist.services.acceptance_report:GROUP_NAMES",
    "worklist.services.acceptance_report:OUTCOMES",
    "worklist.pages.account.account:NOT_CONFIRMED",
    "worklist.pages.account.login:IDLE",
    "worklist.pages.account.login:NOT_LET_IN",
    "worklist.pages.account.login:OVER",
    "worklist.pages.monitoring.night:GROUPS",
    "worklist.pages.monitoring.night:HEADINGS",
    "worklist.pages.list.query:ORDER_TEXTS",
    "worklist.pages.list.rows:WAIT_WORDS",
    "worklist.pages.monitoring.charts:DURATIONS",
    "worklist.pages.monitoring.drift:AGAINST",
    "worklist.pages.monitoring.drift:JUDGED",
    "worklist.pages.monitoring.drift:SUBJECTS",
    "worklist.pages.monitoring.page:SPANS",
    "worklist.pages.monitoring.page:TABS",
    "worklist.pages.monitoring.readers:MEASURES",
    "worklist.pages.monitoring.readers:FLAGS",
    "worklist.pages.monitoring.status:SUBJECT_WORDS",
    "worklist.pages.problem_page:ADVICE",
    "worklist.pages.problem_page:HEADINGS",
    "worklist.pages.studies.timeline:CAUSES",
    "worklist.pages.studies.timeline:FIELDS",
    "worklist.pages.studies.timeline:PLAIN",
    "worklist.pages.studies.timeline:PRIORS",
    "worklist.pages.studies.timeline:FOR_COMPARISON",
    "worklist.security.auth_middleware:BEHIND_A_PROXY",
    "worklist.security.auth_middleware:NOT_CALLED_SO",
    "worklist.security.auth_middleware:NO_ACCESS",
    "worklist.security.responses:LOG_IN",
    "worklist.http.problems:NO_STUDY",
    "worklist.services.forms:TOO_OLD",
    "worklist.services.reader_texts:ANOTHER_WINDOW",
    "worklist.services.study_texts:NO_NAME",
    "worklist.services.study_texts:SCANNER_WORDS",
)
#: Models whose fields have descriptions that are shown: `module:name`.
DESCRIBED = ("readfirst.settings:Settings",)
#: Tables whose texts mean something only together with their context.
CONTEXTS = {"readfirst.formatting:AGE_UNITS": "age"}
#: Parts of a text that stand for a value.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*(?::\w+)?\}")


class Text(NamedTuple):
    """A text of the page. id: the English text, or its two forms. path: where it stands."""

    id: str | tuple[str, ...]
    context: str | None
    path: str


def source_texts() -> Iterator[Text]:
    """Every text of the page, as often as it stands somewhere."""
    for method, patterns in SOURCES.items():
        for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
            if "vendor" not in path.parts:
                yield from _of_file(method, path)
    for table, context in (dict.fromkeys(TABLES) | CONTEXTS).items():
        module, value = _named(table)
        for text in _strings(value):
            yield Text(text, context, module)
    for name in DESCRIBED:
        module, model = _named(name)
        for field in model.model_fields.values():
            yield Text(field.description, None, module)


def _named(name: str) -> tuple[str, Any]:
    """The path of the module of `module:name`, and what stands there by that name."""
    module, _, own = name.partition(":")
    loaded = importlib.import_module(module)
    return str(Path(str(loaded.__file__)).relative_to(ROOT)), getattr(loaded, own)


def _of_file(method: str, path: Path) -> Iterator[Text]:
    extracted = extract_from_file(method, path, keywords=KEYWORDS, options=OPTIONS)
    for _, message, _, context in extracted:
        if message:
            yield Text(message, context, str(path.relative_to(ROOT)))


def _strings(value: Any) -> Iterator[str]:
    """The texts of a constant, a table, or a table of tuples."""
    if isinstance(value, str):
        # An empty text stands for none.
        yield from filter(None, [str(value)])
    else:
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(each)


def template(texts: Iterable[Text]) -> Catalog:
    """The catalogue without translations."""
    catalogue = Catalog(fuzzy=False)
    for text in texts:
        catalogue.add(text.id, locations=[(text.path, 0)], context=text.context)
    return catalogue


def updated(code: str, texts: Iterable[Text]) -> Catalog:
    """The catalogue of a language with what is new, and without what is gone."""
    path = catalogue_path(code)
    catalogue = Catalog(locale=code, fuzzy=False)
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=code)
    catalogue.update(template(texts), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def written(catalogue: Catalog) -> str:
    """A catalogue as a file: in the order of the texts, and without times, which only conflict."""
    out = BytesIO()
    catalogue.header_comment = "# Texts of ReadFirst's page. Brought up to date by `make messages`."
    write_po(
        out, catalogue, width=100, sort_output=True, include_lineno=False, ignore_obsolete=True
    )
    lines = out.getvalue().decode().splitlines()
    head = ("POT-", "PO-Rev", "Generated-By", "Report-", "Last-", "Language-Team", "Project-Id")
    kept = [line for line in lines if not line.startswith(tuple(f'"{name}' for name in head))]
    return "\n".join(kept).rstrip() + "\n"


def faults(catalogue: Catalog) -> list[str]:
    """Texts of a catalogue that are missing, fuzzy, or have other values than the English."""
    return [fault for message in catalogue if message.id for fault in _faults(message)]


def _faults(message: Message) -> Iterator[str]:
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    if not all(forms):
        yield f"not translated: {ids[0]!r}"
        return
    if message.fuzzy:
        yield f"fuzzy: {ids[0]!r}"
    wanted = [set(PLACEHOLDER.findall(str(each))) for each in ids]
    for form in forms:
        if set(PLACEHOLDER.findall(str(form))) not in wanted:
            yield f"other values than {ids[0]!r}: {form!r}"


def main() -> int:
    """Write the catalogues, and name what is missing."""
    texts, missing = list(source_texts()), []
    for code in NAMES.keys() - {ENGLISH.code}:
        catalogue = updated(code, texts)
        path = catalogue_path(code)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(catalogue), encoding="utf-8")
        missing += [f"{code}: {fault}" for fault in faults(catalogue)]
    print("\n".join(missing) or "All texts are translated.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

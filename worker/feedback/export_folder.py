"""The folder of an export: films, a table of labels, and a manifest; and how far an export is.

`labels.csv` and `manifest.json` are written at the end, so that nobody trains on half of it.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from readfirst.errors import Misconfigured
from readfirst.files.whole_files import written_whole

FORMAT = "readfirst-verdicts-1"
LABELS, MANIFEST, FILMS = "labels.csv", "manifest.json", "films"
#: A line for each film that is done, so that an export goes on where it was interrupted.
PROGRESS = "progress.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneFilm:
    """A film that was written, or held back.

    text: the rule for burned-in text by which it was. held_back: why; empty if it was written.
    file: of it, in the folder. masked: boxes of text that were painted over. age_years: of the
    patient; those above 89 are 90.
    """

    film: str
    text: str
    held_back: str = ""
    file: str = ""
    masked: int = 0
    age_years: int | None = None
    view_position: str = ""
    manufacturer: str = ""
    scanner_model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """A row of `labels.csv`: path, label and patient, as `models train` reads them, and more.

    Probabilities, threshold and flag are those at the time of the verdict, as the ensemble gave
    them; empty where it had not scored.
    """

    path: str
    label: str
    patient: str
    study: str
    ensemble_version: str | None
    probability: float | None
    study_probability: float | None
    threshold: float | None
    flagged: bool | None
    blind: bool
    view_position: str
    age_years: int | None
    manufacturer: str
    scanner_model: str
    masked: int


class ExportFolder:
    """A folder that holds one export, or nothing yet."""

    def __init__(self, root: Path, site: str) -> None:
        self._root, self._site = root, site

    def open(self) -> dict[str, DoneFilm]:
        """Make the folder, or read how far its export is: the films that are done, by their names.

        Raises Misconfigured if it holds something else, or films of another site's key.
        """
        progress = self._root / PROGRESS
        if not progress.exists():
            if self._root.exists() and (not self._root.is_dir() or any(self._root.iterdir())):
                raise Misconfigured(
                    f"{self._root} is not empty, and holds no export of verdicts. "
                    "Name a new folder."
                )
            (self._root / FILMS).mkdir(parents=True, exist_ok=True)
            self._append({"format": FORMAT, "site": self._site})
        lines = list(_lines(progress))
        if not lines or lines[0] != {"format": FORMAT, "site": self._site}:
            raise Misconfigured(
                f"{self._root} holds an export by another key, so its patients have other "
                "pseudonyms. Name a new folder."
            )
        return {line["film"]: DoneFilm(**line) for line in lines[1:]}

    def has(self, done: DoneFilm) -> bool:
        """Return whether what was done is still there."""
        return bool(done.held_back) or (self._root / done.file).is_file()

    def write(self, name: str, content: bytes) -> str:
        """Write the file of a film, all of it or nothing. Returns its path in the folder."""
        path = Path(FILMS, name)
        self._replace(self._root / path, content)
        return path.as_posix()

    def note(self, done: DoneFilm) -> None:
        """Note that a film is done."""
        self._append(asdict(done))

    def finish(
        self, rows: Sequence[LabelRow], done: Iterable[DoneFilm], manifest: Mapping[str, Any]
    ) -> None:
        """Write table, manifest and what is done, and remove the files that have no row any more.

        done: of the films that have a verdict now.
        """
        names = {Path(row.path).name for row in rows}
        for path in (self._root / FILMS).iterdir():
            if path.name not in names:
                path.unlink()
        lines = [{"format": FORMAT, "site": self._site}, *(asdict(each) for each in done)]
        self._replace(
            self._root / PROGRESS, "".join(json.dumps(line) + "\n" for line in lines).encode()
        )
        self._replace(self._root / LABELS, _as_csv(rows))
        content = json.dumps({"format": FORMAT, "site": self._site, **manifest}, indent=2) + "\n"
        self._replace(self._root / MANIFEST, content.encode())

    def unfinish(self) -> None:
        """Take table and manifest away while the films change."""
        for name in (LABELS, MANIFEST):
            (self._root / name).unlink(missing_ok=True)

    def _append(self, line: Mapping[str, Any]) -> None:
        with (self._root / PROGRESS).open("a") as progress:
            progress.write(json.dumps(line) + "\n")

    def _replace(self, path: Path, content: bytes) -> None:
        with written_whole(path) as partial:
            partial.write_bytes(content)


def _lines(progress: Path) -> Iterable[dict[str, Any]]:
    """The lines of a file; one that was cut off as its writer died is left out."""
    for line in progress.read_text().splitlines():
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


def _as_csv(rows: Sequence[LabelRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(LabelRow)])
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue().encode()

"""Files that are scored without a database say the same of their scores."""

import json
from pathlib import Path

import pytest

from ingest.reader.reader_process import Reader
from models.manifest import available_ensembles, load_manifest, shipped_version
from readfirst.domain import Ages
from readfirst.samples import FOLDER
from readfirst.studies.marks import MarkCode
from readfirst.testing import FixedEnsemble
from worker.scoring.offline_scoring import Scope, score_files
from worker.scoring.score_rows import JsonLines, csv_rows

FILM = FOLDER / "study-02.dcm"


@pytest.mark.parametrize(
    ("spread", "unlike", "codes"),
    [
        (0.1, None, []),
        (0.1, False, []),
        (0.4, None, [MarkCode.MEMBERS_DISAGREE]),
        (0.0, True, [MarkCode.UNLIKE_VALIDATED]),
        (0.4, True, [MarkCode.UNLIKE_VALIDATED, MarkCode.MEMBERS_DISAGREE]),
    ],
)
def test_a_file_has_the_marks_of_its_score(
    reader: Reader, tmp_path: Path, spread: float, unlike: bool | None, codes: list[MarkCode]
) -> None:
    ensemble = FixedEnsemble([0.3], spread=spread, unlike=unlike)
    scope = Scope(ages=Ages(1, 5))
    (score,) = score_files([FILM], reader, ensemble, 1, prevalence=None, scope=scope)
    assert [each.code for each in score.marks] == codes, "its header gives it none"
    assert (score.unlike, score.flagged) == (unlike, False)
    row = json.loads(JsonLines().line(score))
    assert [each["code"] for each in row["marks"]] == codes
    assert row["unlike"] is unlike
    manifest = load_manifest(available_ensembles(tmp_path)[shipped_version()])
    text = csv_rows(manifest).line(score).decode()
    assert all(code.value in text for code in codes)

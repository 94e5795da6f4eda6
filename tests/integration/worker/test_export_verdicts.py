"""Films with verdicts become a training set without patients."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image as PillowImage
from sqlalchemy import select
from typer.testing import CliRunner

from cli import app
from cli.models.films import load_labelled, read_films
from db.access.audit import AuditAction, entries
from db.feedback.labelled_films import labelled_films
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Image
from ingest.deidentify.boxes import Box
from ingest.deidentify.burned_in_text import TextFinder
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from laboratory.data.dataset import read_labels, split
from readfirst.errors import Misconfigured
from readfirst.samples import sample_files
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.support.identities import (
    NAME,
    PLANTED,
    STUDY_DATE,
    a_commented_jpeg,
    a_commented_png,
    an_identified_dicom,
    an_identified_jpeg_dicom,
    identities_in,
)
from tests.support.studies import NOW, give_verdict
from tests.support.verdict_exports import (
    LATER,
    NORMAL,
    PNEUMONIA,
    a_read_film,
    export,
    table,
)
from worker.feedback.export_folder import ExportFolder
from worker.feedback.export_verdicts import FilmExport, TextRule
from worker.feedback.pseudonyms import KEY_FILE, Pseudonyms, patient_key, site_key


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder for films that come in, by whatever names."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_no_byte_of_an_export_names_the_patient(
    database: Database, settings: Settings, reader: Reader, films: Path, tmp_path: Path
) -> None:
    sources = {
        "Zyxwell.dcm": an_identified_dicom(),
        "MRN-7193355.dcm": an_identified_jpeg_dicom(),
        "Quorra 20211105.jpg": a_commented_jpeg(),
        "Zyxwell.png": a_commented_png(),
    }
    comment = VerdictInput(finding=Finding.PNEUMONIA, comment=f"{NAME} hidden-in-comment")
    for name, content in sources.items():
        a_read_film(database, settings, write(films / name, content), comment)
    # The planted identities are in what came in, or the test proves nothing.
    assert set(identities_in(films)) == set(sources)
    planted = {each for names in identities_in(films).values() for each in names}
    assert planted == set(PLANTED)
    rows, done = export(database, settings, reader, tmp_path / "out")
    assert [film.held_back for film in done] == [""] * 4
    assert len(rows) == 4
    assert identities_in(tmp_path / "out") == {}
    dicom = [pydicom.dcmread(path) for path in sorted((tmp_path / "out/films").glob("*.dcm"))]
    assert len(dicom) == 2
    for dataset in dicom:
        unused = dataset.BitsAllocated - dataset.BitsStored
        assert not (dataset.pixel_array >> (dataset.BitsAllocated - unused)).any()
        assert not [element for element in dataset if element.tag.is_private]
        assert not [element for element in dataset if 0x5000 <= element.tag.group < 0x6100]
        assert dataset.preamble == b"\0" * 128


def test_an_object_says_how_it_was_de_identified(
    database: Database, settings: Settings, reader: Reader, films: Path, tmp_path: Path
) -> None:
    next_year = STUDY_DATE + timedelta(days=365)
    first = an_identified_dicom(PatientAge="094Y", PatientBirthDate="")
    second = an_identified_dicom(
        StudyInstanceUID="1.2.826.77.9", StudyDate=f"{next_year:%Y%m%d}", SOPInstanceUID="1.2.9"
    )
    other = an_identified_dicom(PatientID="OTHER-1", SOPInstanceUID="1.2.10")
    for number, content in enumerate((first, second, other)):
        a_read_film(database, settings, write(films / f"{number}.dcm", content), PNEUMONIA)
    rows, _ = export(database, settings, reader, tmp_path / "out")
    earlier, later, another = (pydicom.dcmread(tmp_path / "out" / row.path) for row in rows)
    assert earlier.PatientIdentityRemoved == "YES"
    assert earlier.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in earlier.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113107", "113108"]
    assert {item.CodingSchemeDesignator for item in earlier.DeidentificationMethodCodeSequence} == {
        "DCM"
    }
    assert earlier.PatientID == later.PatientID == rows[0].patient == rows[1].patient
    assert earlier.StudyInstanceUID != later.StudyInstanceUID
    assert another.PatientID not in (earlier.PatientID, "OTHER-1")
    # Dates are moved, each patient's by as much.
    moved = [pydicom.valuerep.DA(each.StudyDate) for each in (earlier, later)]
    assert (moved[1] - moved[0]).days == 365
    assert moved[0] < STUDY_DATE - timedelta(days=60)
    assert (earlier.PatientAge, rows[0].age_years) == ("090Y", 90)
    assert (later.PatientAge, rows[1].age_years) == ("004Y", 4)
    assert earlier.PatientBirthDate == earlier.AccessionNumber == earlier.StudyID == ""
    assert (rows[1].view_position, rows[1].manufacturer) == ("AP", "Good Detectors")
    # The model's text had the patient's name in it.
    assert rows[1].scanner_model == ""


def test_labels_are_the_last_words_that_say_what_a_film_shows(
    database: Database, settings: Settings, reader: Reader, tmp_path: Path
) -> None:
    read, cannot_tell = VerdictInput(), VerdictInput(finding=Finding.CANNOT_TELL)
    withdrawn = VerdictInput(withdrawn=True)
    opinions = [
        (PNEUMONIA,),
        (PNEUMONIA, NORMAL),
        (read,),
        (PNEUMONIA, cannot_tell),
        (NORMAL, withdrawn),
        (),
    ]
    for source, verdicts in zip(sample_files(), opinions, strict=False):
        a_read_film(database, settings, source, *verdicts, probability=0.7)
    rows, _ = export(database, settings, reader, tmp_path / "out")
    assert [row.label for row in rows] == ["pneumonia", "normal"]
    assert [(row.ensemble_version, row.probability, row.flagged) for row in rows] == [
        ("1", 0.7, True)
    ] * 2
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["studies_without_label"] == {"no_opinion": 1, "uncertain": 1, "withdrawn": 1}
    assert manifest["by_label"] == {"pneumonia": 1, "normal": 1}
    with database.write() as session:
        late = session.scalars(select(Image).order_by(Image.id)).first()
        assert late is not None
        late.received_at = LATER + timedelta(minutes=1)
    with database.read() as session:
        assert len(labelled_films(session)) == 1


def test_train_reads_it_and_splits_it_by_patient(
    database: Database, settings: Settings, reader: Reader, films: Path, tmp_path: Path
) -> None:
    for number in range(4):
        content = an_identified_dicom(SOPInstanceUID=f"1.2.{number}", PatientID=f"P-{number % 2}")
        a_read_film(
            database,
            settings,
            write(films / f"{number}.dcm", content),
            (PNEUMONIA, NORMAL)[number % 2],
        )
    out = tmp_path / "out"
    export(database, settings, reader, out)
    labelled = read_labels(out / "labels.csv", out)
    assert sorted(film.label for film in labelled) == [0, 0, 1, 1]
    assert len({film.patient for film in labelled}) == 2
    assert sum(len(part) for part in split(labelled, 1).values()) == 4
    decoded = load_labelled(read_films(out, out / "labels.csv"))
    assert decoded.images.shape == (4, 224, 224)
    store = Store(settings.store_path)
    with database.read() as session:
        digest = labelled_films(session)[0].sha256
    exported = reader.display(out / table(out)[0]["path"])
    assert np.array_equal(exported, reader.display(store.path(digest)))


def test_an_export_goes_on_and_is_brought_up_to_date(
    database: Database, settings: Settings, reader: Reader, tmp_path: Path
) -> None:
    sources = sample_files()[:3]
    studies = [a_read_film(database, settings, each, PNEUMONIA) for each in sources]
    out, looked_at = tmp_path / "out", []

    def find_text(grey: np.ndarray) -> tuple[Box, ...]:
        looked_at.append(grey.shape)
        return ()

    pseudonyms = Pseudonyms(site_key(settings.home_path))
    folder = ExportFolder(out, pseudonyms.fingerprint)
    with database.read() as session:
        records = labelled_films(session)
    begun = FilmExport(
        Store(settings.store_path), reader, pseudonyms, folder, TextRule.HOLD_BACK, find_text
    ).films(records, folder.open())
    next(begun)
    begun.close()
    # As where the machine lost power in the middle of a line.
    with (out / "progress.jsonl").open("a") as progress:
        progress.write('{"film": "torn')
    assert not (out / "labels.csv").exists()
    export(database, settings, reader, out, find_text=find_text)
    assert len(looked_at) == 3
    assert len(table(out)) == 3
    with database.write() as session:
        give_verdict(session, studies[0], VerdictInput(withdrawn=True), at=LATER)
        give_verdict(session, studies[1], NORMAL, at=LATER)
    export(database, settings, reader, out, find_text=find_text)
    assert len(looked_at) == 3
    assert [row["label"] for row in table(out)] == ["normal", "pneumonia"]
    assert {path.name for path in (out / "films").iterdir()} == {
        Path(row["path"]).name for row in table(out)
    }


def test_a_film_with_text_is_held_back_or_painted_over(
    database: Database, settings: Settings, reader: Reader, films: Path, tmp_path: Path
) -> None:
    box = Box(10, 20, 14, 60)

    def find_text(grey: np.ndarray) -> tuple[Box, ...]:
        return (box,) if grey[10:14, 20:60].any() else ()

    a_read_film(database, settings, write(films / "a.dcm", an_identified_dicom()), PNEUMONIA)
    a_read_film(database, settings, write(films / "a.jpg", a_commented_jpeg()), PNEUMONIA)
    out = tmp_path / "out"
    rows, done = export(database, settings, reader, out, find_text=find_text)
    assert (rows, [film.held_back for film in done]) == ([], ["burned_in_text"] * 2)
    rows, _ = export(database, settings, reader, out, find_text=find_text, rule=TextRule.MASK)
    assert [row.masked for row in rows] == [1, 1]
    for row in rows:
        grey = reader.display(out / row.path)
        assert not grey[10:14, 20:60].any()
        assert grey[20:].any()
    assert pydicom.dcmread(out / rows[0].path).BurnedInAnnotation == "NO"
    # Held back again, once nothing is painted over.
    rows, _ = export(database, settings, reader, out, find_text=find_text)
    assert rows == []
    assert not list((out / "films").iterdir())


def test_a_header_that_says_text_holds_a_film_back(
    database: Database, settings: Settings, reader: Reader, films: Path, tmp_path: Path
) -> None:
    content = an_identified_dicom(BurnedInAnnotation="YES")
    a_read_film(database, settings, write(films / "a.dcm", content), PNEUMONIA)
    _, done = export(database, settings, reader, tmp_path / "out", rule=TextRule.MASK)
    assert [film.held_back for film in done] == ["burned_in_annotation"]
    rows, _ = export(
        database, settings, reader, tmp_path / "b", find_text=None, rule=TextRule.UNCHECKED
    )
    dataset = pydicom.dcmread(tmp_path / "b" / rows[0].path)
    assert "113101" not in [each.CodeValue for each in dataset.DeidentificationMethodCodeSequence]
    assert "BurnedInAnnotation" not in dataset


def test_what_is_gone_or_broken_is_said(
    database: Database, settings: Settings, reader: Reader, tmp_path: Path
) -> None:
    first, second = sample_files()[:2]
    for source in (first, second):
        a_read_film(database, settings, source, PNEUMONIA)
    store = Store(settings.store_path)
    with database.read() as session:
        gone, broken = (store.path(each.sha256) for each in labelled_films(session))
    gone.unlink()
    broken.write_bytes(broken.read_bytes()[:200])
    rows, done = export(database, settings, reader, tmp_path / "out")
    assert rows == []
    assert [film.held_back for film in done] == ["original_missing", "unreadable"]


def test_a_folder_of_something_else_stays_as_it_is(
    database: Database, settings: Settings, reader: Reader, tmp_path: Path
) -> None:
    a_read_film(database, settings, sample_files()[0], PNEUMONIA)
    (tmp_path / "mine").mkdir()
    write(tmp_path / "mine/thesis.txt", b"all of it")
    with pytest.raises(Misconfigured, match="is not empty"):
        export(database, settings, reader, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    export(database, settings, reader, tmp_path / "out")
    (settings.home_path / KEY_FILE).unlink()
    with pytest.raises(Misconfigured, match="another key"):
        export(database, settings, reader, tmp_path / "out")
    write(settings.home_path / KEY_FILE, b"short")
    with pytest.raises(Misconfigured, match="no key of 32 bytes"):
        site_key(settings.home_path)


def test_pseudonyms_need_the_key_and_patients_are_told_apart(settings: Settings) -> None:
    settings.home_path.mkdir()
    key = site_key(settings.home_path)
    assert site_key(settings.home_path) == key
    assert (settings.home_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    mine, other = Pseudonyms(key), Pseudonyms(b"x" * 32)
    named = patient_key("P-1", "A^B", None, "1.1")
    assert named == patient_key("P-1 ", "Other^Name", NOW.date(), "1.2")
    assert mine.patient(named) != other.patient(named)
    assert patient_key(None, "A^B", NOW.date(), "1.1") == patient_key("", "a^b", NOW.date(), "1.2")
    assert patient_key(None, "A^B", None, "1.1") != patient_key(None, "A^B", None, "1.2")


# Its time is that of reading text, which asks no database; the others here export from both.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_exports_says_what_it_did_and_notes_it(
    database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READFIRST_HOME", str(settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", settings.database)
    clean, with_text = (
        next(path for path in sample_files() if path.name == name)
        for name in ("film-06.jpg", "film-04.jpg")
    )
    out = tmp_path / "out"

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["models", "export-verdicts", *arguments])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    result = CliRunner().invoke(app, ["models", "export-verdicts", str(tmp_path / "none")])
    assert "No study has a verdict" in str(result.exception)
    assert not (tmp_path / "none").exists()
    a_read_film(database, settings, clean, NORMAL)
    a_read_film(database, settings, with_text, PNEUMONIA)
    both = ["models", "export-verdicts", str(out), "--mask-text", "--without-text-check"]
    assert "Choose one" in str(CliRunner().invoke(app, both).exception)
    text = run(str(out))
    assert "1 films of 1 patients" in text
    assert "1 held back: text is burned into the film" in text
    with database.read() as session:
        (entry,) = [
            each
            for each in entries(session, limit=9)
            if each.action == AuditAction.VERDICTS_EXPORTED
        ]
    assert entry.account is None
    assert (entry.detail["studies"], entry.detail["films"]) == (2, 2)
    run(str(out), "--mask-text")
    masked = [row for row in table(out) if row["masked"] != "0"]
    assert [row["label"] for row in masked] == ["pneumonia"]
    with PillowImage.open(out / masked[0]["path"]) as image:
        assert TextFinder().find(np.asarray(image)) == ()


def test_without_the_package_that_reads_text_it_says_how_to_install_it(
    database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READFIRST_HOME", str(settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", settings.database)
    a_read_film(database, settings, sample_files()[0], NORMAL)
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    command = ["models", "export-verdicts", str(tmp_path / "out")]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, Misconfigured)
    assert "readfirst[deidentify]" in str(result.exception)
    assert not (tmp_path / "out").exists()
    assert CliRunner().invoke(app, [*command, "--without-text-check"]).exit_code == 0

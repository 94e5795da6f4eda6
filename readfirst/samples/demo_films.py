"""The films of the demo: the samples as of yesterday evening, and copies that show more.

The copies are a second image of a study, a prior, an adult and a lateral. As in the samples, all
that the headers say of patients, orders and places is invented.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset

from readfirst.domain import uid_from_digest
from readfirst.samples import FOLDER, sample_files

#: The latest birthday of a patient was so many months before the study.
MONTHS_SINCE_BIRTHDAY = 9
#: Days before the patient's other study; above the default of `READFIRST_PRIOR_AFTER_DAYS`.
AGE_OF_PRIOR = 120
#: The elements that images of one patient, and of one study, have in common.
OF_PATIENT = ("PatientID", "PatientName", "PatientSex", "PatientBirthDate", "PatientAge")
OF_STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID")
#: Columns and rows that the second image of a study lacks at each edge.
CROP = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file of the demo made from the pixels of a sample.

    patient_of: the sample whose patient it shows. in_study: it is a second image of that sample's
    study. name, sex, years: another patient. days: acquired so many days before the others.
    """

    file: str
    source: str
    patient_of: str = ""
    in_study: bool = False
    name: str = ""
    sex: str = ""
    years: int = 0
    view: str = "AP"
    days: int = 0


COPIES = (
    Copy(file="two-images.dcm", source="study-08.dcm", patient_of="study-08.dcm", in_study=True),
    Copy(file="prior.dcm", source="study-09.dcm", patient_of="study-10.dcm", days=AGE_OF_PRIOR),
    Copy(file="adult.dcm", source="study-01.dcm", name="Muster^Erika", sex="F", years=47),
    Copy(file="lateral.dcm", source="study-07.dcm", name="Vzor^Eva", sex="F", years=4, view="LL"),
)


def demo_films(today: date) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file; the same for the same day.

    Each day has patients and UIDs of its own, so the one prior stays the only one when the demo
    runs again in the same home on another day.
    """
    evening = datetime(today.year, today.month, today.day, 18, 40) - timedelta(days=1)
    own: dict[str, FileDataset] = {}
    for number, path in enumerate(sample_files(), 1):
        if path.suffix == ".dcm":
            own[path.name] = _of_day(path, evening + timedelta(minutes=4 * number), number)
            yield path.name, _file(own[path.name])
        else:
            yield path.name, path.read_bytes()
    for number, copy in enumerate(COPIES, len(sample_files()) + 1):
        taken = evening + timedelta(minutes=4 * number)
        yield copy.file, _file(_copied(copy, taken, number, own))


def _of_day(path: Path, taken: datetime, number: int) -> FileDataset:
    dataset = pydicom.dcmread(path)
    day = f"{taken:%y%m%d}"
    _identify(dataset, f"demo {day} {path.name}")
    dataset.AccessionNumber = f"DEMO{number:05}{day}"
    dataset.PatientID = f"DEMO-{number:04}-{day}"
    dataset.StudyID = str(number)
    _date(dataset, taken)
    _age(dataset, int(dataset.PatientAge[:3]), taken)
    return dataset


def _copied(
    copy: Copy, taken: datetime, number: int, own: Mapping[str, FileDataset]
) -> FileDataset:
    dataset = _of_day(FOLDER / copy.source, taken, number)
    _identify(dataset, f"demo {taken:%y%m%d} {copy.file}")
    _date(dataset, taken - timedelta(days=copy.days))
    dataset.ViewPosition = copy.view
    if copy.view == "LL":
        dataset.PatientOrientation = ["A", "F"]
    if copy.name:
        dataset.PatientName, dataset.PatientSex = copy.name, copy.sex
        _age(dataset, copy.years, taken)
    if copy.patient_of:
        _take(dataset, own[copy.patient_of], OF_PATIENT)
    if copy.in_study:
        _take(dataset, own[copy.patient_of], OF_STUDY)
        dataset.SeriesNumber = 2
        _crop(dataset)
    return dataset


def _identify(dataset: FileDataset, key: str) -> None:
    dataset.SOPInstanceUID = uid_from_digest(key, "instance")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.StudyInstanceUID = uid_from_digest(key, "study")
    dataset.SeriesInstanceUID = uid_from_digest(key, "series")


def _date(dataset: FileDataset, taken: datetime) -> None:
    dataset.StudyDate = dataset.SeriesDate = f"{taken:%Y%m%d}"
    dataset.StudyTime = dataset.SeriesTime = f"{taken:%H%M%S}"


def _age(dataset: FileDataset, years: int, taken: datetime) -> None:
    """Give an age in completed years, and a birth date that makes it so."""
    months = taken.year * 12 + taken.month - 1 - years * 12 - MONTHS_SINCE_BIRTHDAY
    born = date(months // 12, months % 12 + 1, min(int(dataset.PatientBirthDate[6:]), 28))
    dataset.PatientAge, dataset.PatientBirthDate = f"{years:03}Y", f"{born:%Y%m%d}"


def _take(dataset: FileDataset, other: FileDataset, keywords: Iterable[str]) -> None:
    for keyword in keywords:
        setattr(dataset, keyword, other[keyword].value)


def _crop(dataset: FileDataset) -> None:
    """Cut the edges off the pixels of a file that is not compressed."""
    pixels = dataset.pixel_array[CROP:-CROP, CROP:-CROP]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()


def _file(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()

"""The films of the demo: what they show, and that they are of yesterday."""

import io
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from readfirst.samples import FOLDER, sample_files
from readfirst.samples.demo_films import COPIES, demo_films

TODAYS = (date(2026, 11, 29), date(2028, 3, 1), date(2027, 1, 1))


def studies(today: date) -> dict[str, FileDataset]:
    return {
        name: pydicom.dcmread(io.BytesIO(content))
        for name, content in demo_films(today)
        if name.endswith(".dcm")
    }


@pytest.mark.parametrize("today", TODAYS)
def test_all_but_the_prior_are_of_yesterday_and_ages_agree_with_birth_dates(today: date) -> None:
    for name, film in studies(today).items():
        taken = date.fromisoformat(film.StudyDate)
        born = date.fromisoformat(film.PatientBirthDate)
        age = taken.year - born.year - ((taken.month, taken.day) < (born.month, born.day))
        assert film.PatientAge == f"{age:03}Y", name
        assert (today - taken > timedelta(days=90)) == (name == "prior.dcm"), name
        assert name == "prior.dcm" or taken == today - timedelta(days=1)


def test_a_patient_has_a_prior_and_a_study_has_two_images_of_their_own() -> None:
    films = studies(TODAYS[0])
    assert len(films) + 8 == len(sample_files()) + len(COPIES) == len([*demo_films(TODAYS[0])])
    assert len({film.SOPInstanceUID for film in films.values()}) == len(films)
    counts = Counter(film.StudyInstanceUID for film in films.values())
    assert sorted(counts.values()) == [1] * (len(films) - 2) + [2]
    assert films["two-images.dcm"].StudyInstanceUID == films["study-08.dcm"].StudyInstanceUID
    patients = Counter(film.PatientID for film in films.values())
    assert {film.PatientID for film in films.values() if patients[film.PatientID] > 1} == {
        films["study-08.dcm"].PatientID,
        films["study-10.dcm"].PatientID,
    }
    assert films["prior.dcm"].PatientName == films["study-10.dcm"].PatientName
    assert films["prior.dcm"].PatientBirthDate == films["study-10.dcm"].PatientBirthDate
    assert films["adult.dcm"].PatientAge == "047Y"
    assert films["lateral.dcm"].ViewPosition == "LL"


def test_a_day_has_the_same_files_and_another_day_other_patients() -> None:
    assert dict(demo_films(TODAYS[0])) == dict(demo_films(TODAYS[0]))
    first, second = (studies(day) for day in TODAYS[:2])
    ids = [{film.PatientID for film in films.values()} for films in (first, second)]
    uids = [{film.StudyInstanceUID for film in films.values()} for films in (first, second)]
    assert not ids[0] & ids[1]
    assert not uids[0] & uids[1]


def test_the_films_of_the_samples_keep_their_pixels() -> None:
    films = studies(TODAYS[0])
    for path in sample_files():
        if path.suffix == ".dcm":
            assert films[path.name].PixelData == pydicom.dcmread(path).PixelData, path.name
    whole = pydicom.dcmread(FOLDER / "study-08.dcm").pixel_array
    assert np.array_equal(films["two-images.dcm"].pixel_array, whole[12:-12, 12:-12])

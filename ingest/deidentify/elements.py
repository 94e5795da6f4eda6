"""The elements of a film's header that say how it was taken, and nothing of whom or where."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
from pydicom.valuerep import format_number_as_ds

from ingest.dicom import attributes
from ingest.dicom.dates import read_day, read_time
from ingest.dicom.numbers import numbers

#: Radiographs keep their class; any other is a picture of one from here on.
CLASSES = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)
#: Coded strings that say how a film was taken (PS3.5 6.2, CS); none is in PS3.15 E.1-1.
CODES = (
    "Modality", "PresentationIntentType", "BodyPartExamined", "ViewPosition", "Laterality",
    "ImageLaterality", "DetectorType", "PixelIntensityRelationship", "PresentationLUTShape",
    "VOILUTFunction", "LossyImageCompression",
)  # fmt: skip
CODE_FORM = re.compile(r"[A-Z0-9_ ]{1,16}")
#: Numbers that say how a film was taken, by their representation.
EXPOSURE = {
    "DS": (
        "KVP", "DistanceSourceToDetector", "DistanceSourceToPatient", "ExposureIndex",
        "TargetExposureIndex", "DeviationIndex", "LossyImageCompressionRatio",
    ),
    "IS": ("ExposureTime", "XRayTubeCurrent", "Exposure", "ExposureInuAs"),
}  # fmt: skip
#: Maker and model, which PS3.15 table E.1-1 does not list.
MAKER = ("Manufacturer", "ManufacturerModelName")
#: Dates with their times; both are moved, or neither is kept.
MOMENTS = {"StudyDate": "StudyTime", "AcquisitionDate": "AcquisitionTime"}
#: Names and numbers by which a maker's text must not be one of this patient or site.
IDENTIFYING = (
    "PatientName", "PatientID", "AccessionNumber", "ReferringPhysicianName", "InstitutionName",
    "StationName", "OperatorsName", "PerformingPhysicianName",
)  # fmt: skip
#: Shorter parts of a name are in too many words.
LEAST_PART = 4
SEXES = ("M", "F", "O")
#: The range of whole numbers of each representation (PS3.5 6.2).
WHOLE = {"IS": (-(2**31), 2**31 - 1), "SS": (-(2**15), 2**15 - 1), "US": (0, 2**16 - 1)}
READ = (
    "SpecificCharacterSet", "SOPClassUID", "ImageType", "PatientSex", *CODES, *MAKER, *IDENTIFYING,
    *MOMENTS, *MOMENTS.values(), *(keyword for kind in EXPOSURE.values() for keyword in kind),
)  # fmt: skip


def described(header: Dataset) -> Dataset:
    """Make a data set of how a film was taken, each value in the form that it must have."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    written = attributes.uid(header, "SOPClassUID")
    dataset.SOPClassUID = written if written in CLASSES else SecondaryCaptureImageStorage
    # PS3.3 C.7.6.1.1.2: the first two say where the pixels come from; others are the device's own.
    is_original = attributes.text(header, "ImageType") == "ORIGINAL"
    dataset.ImageType = ["ORIGINAL" if is_original else "DERIVED", "PRIMARY"]
    sex = attributes.text(header, "PatientSex")
    dataset.PatientSex = sex if sex in SEXES else ""
    _put_moments(dataset, header)
    _put_texts(dataset, header)
    put_numbers(dataset, header, EXPOSURE)
    return dataset


def _put_moments(dataset: Dataset, header: Dataset) -> None:
    for date_keyword, time_keyword in MOMENTS.items():
        day = read_day(attributes.text(header, date_keyword) or "")
        if day is not None:
            at = read_time(attributes.text(header, time_keyword) or "")
            setattr(dataset, date_keyword, f"{day:%Y%m%d}")
            setattr(dataset, time_keyword, f"{at:%H%M%S}" if at else "")


def _put_texts(dataset: Dataset, header: Dataset) -> None:
    """Take over codes, maker and model, unless a name or number of the patient or site is in it."""
    identities = list(_identities(header))

    def put(keyword: str, text: str) -> None:
        if text and not any(part in text.casefold() for part in identities):
            setattr(dataset, keyword, text)

    for keyword in CODES:
        code = attributes.text(header, keyword) or ""
        if CODE_FORM.fullmatch(code):
            put(keyword, code)
    for keyword in MAKER:
        put(keyword, (attributes.text(header, keyword) or "")[:64])


def _identities(header: Dataset) -> Iterator[str]:
    """The parts of names and numbers that are the patient's or the site's."""
    for keyword in IDENTIFYING:
        text = attributes.text(header, keyword) or ""
        for part in re.split(r"[\^=\s,]+", text.casefold()):
            if len(part) >= LEAST_PART:
                yield part


def put_numbers(dataset: Dataset, source: Dataset, kinds: Mapping[str, Sequence[str]]) -> None:
    """Take over the numbers of elements, by their representation: DS, IS, SS or US."""
    for representation, keywords in kinds.items():
        for keyword in keywords:
            values = [each for each in numbers(source, keyword) if each is not None]
            if representation == "DS":
                written: list[str] | list[int] = [format_number_as_ds(each) for each in values]
            else:
                low, high = WHOLE[representation]
                # Some devices mix up signed and unsigned ones.
                whole = [int(each) % (high + 1) if low == 0 else int(each) for each in values]
                written = whole if all(low <= each <= high for each in whole) else []
            if written:
                dataset.add_new(keyword, representation, written)

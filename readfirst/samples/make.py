"""Make the sample studies from films of the training set: `python -m readfirst.samples.make DIR`.

DIR is a folder with NORMAL and PNEUMONIA that holds the originals at full size. `--headers` in its
place only completes the headers of the samples, and leaves the pixels as they are. All that the
DICOM headers say of patients, orders and places is invented.
"""

import io
import json
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import gdcm
import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from readfirst.domain import uid_from_digest
from readfirst.samples import FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The way from a film to a sample. bits: stored per pixel; 12 and 16 are spread from 8."""

    source: str
    file: str
    side: int = 640
    syntax: str | None = None
    bits: int = 8
    photometric_interpretation: str = "MONOCHROME2"
    patient: str = ""
    sex: str = "O"
    born: date = date(2022, 1, 1)
    modality: str = "CR"
    stat: bool = False


PLANS = (
    Plan(source="NORMAL/IM-0214-0001.jpeg", file="film-01.jpg", side=1000),
    Plan(source="PNEUMONIA/person1177_bacteria_3125.jpeg", file="film-02.jpg", side=1000),
    Plan(source="NORMAL/IM-0249-0001.jpeg", file="film-03.jpg", side=1200),
    Plan(source="PNEUMONIA/person1227_virus_2078.jpeg", file="film-04.jpg", side=1000),
    Plan(source="NORMAL/NORMAL2-IM-0402-0001.jpeg", file="film-05.png", side=420),
    Plan(source="PNEUMONIA/person1333_bacteria_3384.jpeg", file="film-06.jpg", side=1000),
    Plan(source="NORMAL/NORMAL2-IM-0509-0001.jpeg", file="film-07.jpg", side=1200),
    Plan(source="PNEUMONIA/person137_virus_281.jpeg", file="film-08.png", side=420),
    Plan(source="NORMAL/IM-0302-0001.jpeg", file="study-01.dcm", side=480,
         syntax=ExplicitVRLittleEndian, patient="Ejemplo^Lucia", sex="F", born=date(2022, 3, 14)),
    Plan(source="PNEUMONIA/person1441_virus_2457.jpeg", file="study-02.dcm",
         syntax=JPEGBaseline8Bit, side=900, patient="Beispiel^Jonas", sex="M",
         born=date(2021, 7, 2), modality="DX"),
    Plan(source="NORMAL/NORMAL2-IM-0561-0001.jpeg", file="study-03.dcm", syntax=JPEG2000Lossless,
         bits=12, patient="Exemple^Chloe", sex="F", born=date(2023, 11, 30), modality="DX"),
    Plan(source="PNEUMONIA/person1605_bacteria_4226.jpeg", file="study-04.dcm",
         syntax=JPEGLSLossless, bits=12, photometric_interpretation="MONOCHROME1",
         patient="Esempio^Marco", sex="M", born=date(2022, 9, 9)),
    Plan(source="NORMAL/NORMAL2-IM-0845-0001.jpeg", file="study-05.dcm", syntax=RLELossless,
         side=420, patient="Example^Noah", sex="M", born=date(2020, 12, 5), stat=True),
    Plan(source="PNEUMONIA/person313_bacteria_1459.jpeg", file="study-06.dcm",
         syntax=JPEGLosslessSV1, patient="Esimerkki^Aino", sex="F", born=date(2023, 2, 18),
         modality="DX"),
    Plan(source="NORMAL/IM-0582-0001.jpeg", file="study-07.dcm", syntax=JPEGBaseline8Bit, side=900,
         photometric_interpretation="MONOCHROME1", patient="Exemplo^Tiago", sex="M",
         born=date(2021, 5, 23)),
    Plan(source="PNEUMONIA/person494_bacteria_2089.jpeg", file="study-08.dcm",
         syntax=ImplicitVRLittleEndian, side=380, bits=12, patient="Voorbeeld^Sanne", sex="F",
         born=date(2022, 10, 1)),
    Plan(source="NORMAL/NORMAL2-IM-1104-0001.jpeg", file="study-09.dcm", syntax=JPEGLSLossless,
         patient="Eksempel^Freja", sex="F", born=date(2021, 1, 11), modality="DX"),
    Plan(source="PNEUMONIA/person915_virus_1572.jpeg", file="study-10.dcm",
         syntax=JPEG2000Lossless, bits=12, patient="Przyklad^Zofia", sex="F",
         born=date(2023, 6, 6), modality="DX"),
)  # fmt: skip


def make(plan: Plan, source: Path, number: int) -> bytes:
    """The file of one sample."""
    film = Image.open(source / plan.source).convert("L")
    film.thumbnail((plan.side, plan.side), Image.Resampling.LANCZOS)
    if plan.syntax is None:
        buffer = io.BytesIO()
        film.save(buffer, "PNG" if plan.file.endswith("png") else "JPEG", quality=88, optimize=True)
        return buffer.getvalue()
    return _dicom(plan, np.asarray(film), number)


def _dicom(plan: Plan, display: npt.NDArray[np.uint8], number: int) -> bytes:
    taken = datetime(2026, 1, 12, 7, 40) + timedelta(minutes=7 * number)
    dataset = _header(plan, taken, number)
    stored = display if plan.photometric_interpretation == "MONOCHROME2" else 255 - display
    wide = plan.bits > 8
    pixels = (stored.astype(np.uint16) << (plan.bits - 8)) if wide else stored
    dataset.Rows, dataset.Columns = display.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = plan.photometric_interpretation
    dataset.BitsAllocated = 16 if wide else 8
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = plan.bits, plan.bits - 1, 0
    if plan.modality == "DX":
        dataset.PresentationLUTShape = (
            "INVERSE" if plan.photometric_interpretation == "MONOCHROME1" else "IDENTITY"
        )
    # A window that shows every stored value.
    dataset.WindowCenter, dataset.WindowWidth = 2 ** (plan.bits - 1), 2**plan.bits
    return _encoded(dataset, pixels, plan.syntax or ExplicitVRLittleEndian)


def _header(plan: Plan, taken: datetime, number: int) -> FileDataset:
    meta = FileMetaDataset()
    is_dx = plan.modality == "DX"
    storage = DigitalXRayImageStorageForPresentation if is_dx else ComputedRadiographyImageStorage
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SOPClassUID = storage
    dataset.SOPInstanceUID = uid_from_digest(plan.file, "instance")
    dataset.StudyInstanceUID = uid_from_digest(plan.file, "study")
    dataset.SeriesInstanceUID = uid_from_digest(plan.file, "series")
    dataset.StudyDate = dataset.SeriesDate = f"{taken:%Y%m%d}"
    dataset.StudyTime = dataset.SeriesTime = f"{taken:%H%M%S}"
    dataset.AccessionNumber = f"DEMO{number:05}"
    dataset.Modality = plan.modality
    dataset.Manufacturer = "ReadFirst sample maker"
    dataset.InstitutionName = "Invented Children's Hospital"
    dataset.ReferringPhysicianName = "Invented^Physician"
    dataset.StudyDescription = "Chest AP"
    dataset.PatientName = plan.patient
    dataset.PatientID = f"DEMO-{number:04}"
    dataset.PatientBirthDate = f"{plan.born:%Y%m%d}"
    dataset.PatientSex = plan.sex
    dataset.PatientAge = f"{(taken.date() - plan.born).days // 365:03}Y"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "AP"
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = str(number), 1, 1
    if plan.stat:
        dataset.RequestedProcedurePriority = "STAT"
    complete(dataset)
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def complete(dataset: Dataset) -> None:
    """Fill in what PS3.3 wants besides, of a CR or DX image: `dciodvfy` finds no error then.

    The films came as JPEG, of a detector that nobody knows: its spacing is invented, too.
    """
    # Of a child who faces the tube: rows end at the left side, columns at the feet.
    dataset.PatientOrientation = ["L", "F"]
    if dataset.Modality != "DX":
        # No attribute of CR images.
        dataset.pop("PresentationIntentType", None)
        return
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.AnatomicRegionSequence = [_code("51185008", "Chest")]
    dataset.ViewCodeSequence = [_code("399348003", "antero-posterior")]
    dataset.ImageLaterality = "U"
    # The brighter, the more was absorbed.
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio, dataset.LossyImageCompressionMethod = 10, "ISO_10918_1"
    dataset.ImagerPixelSpacing = [0.4, 0.4]
    dataset.DetectorType = dataset.PositionerType = ""
    dataset.AcquisitionContextSequence = []


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def complete_files() -> None:
    """Write the headers of the samples anew, where the films themselves are not at hand."""
    for path in sorted(FOLDER.glob("*.dcm")):
        dataset = dcmread(path)
        complete(dataset)
        dataset.save_as(path, enforce_file_format=True)


def _encoded(dataset: FileDataset, pixels: npt.NDArray[np.generic], syntax: str) -> bytes:
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax == JPEGBaseline8Bit:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
        dataset.PixelData = encapsulate([buffer.getvalue()])
        dataset.LossyImageCompression = "01"
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    else:
        dataset.PixelData = pixels.tobytes()
        dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    if syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        dataset.compress(syntax, generate_instance_uid=False)
    if syntax == ImplicitVRLittleEndian:
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return _lossless_jpeg(buffer.getvalue()) if syntax == JPEGLosslessSV1 else buffer.getvalue()


def _lossless_jpeg(file: bytes) -> bytes:
    """The same object in JPEG lossless, process 14, selection value 1, encoded by GDCM."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.dcm"
        path.write_bytes(file)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.Write()
        return path.read_bytes()


def main(source: Path) -> None:
    """Write every sample and the index beside this module."""
    for number, plan in enumerate(PLANS, 1):
        (FOLDER / plan.file).write_bytes(make(plan, source, number))
    index = [
        {"file": plan.file, "source": plan.source, "label": plan.source.split("/")[0]}
        for plan in PLANS
    ]
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--headers"]:
        complete_files()
    else:
        main(Path(sys.argv[1]))

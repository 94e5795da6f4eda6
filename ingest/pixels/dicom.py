"""A DICOM image becomes grey: its elements, its first frame, and the rules that fit it."""

from pathlib import Path

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from ingest.dicom_file import (
    DicomFile,
    locate_pixels,
    native_bytes,
    number,
    open_dicom,
    read_elements,
    transfer_syntax,
)
from ingest.pixels.arrays import Array8, Stored
from ingest.pixels.colour import colour_grey
from ingest.pixels.decoding import stored_pixels
from ingest.pixels.geometry import SPACINGS, pixel_height
from ingest.pixels.grey import grey_display
from ingest.pixels.intensity import is_for_processing
from ingest.pixels.samples import samples_of, samples_of_shades
from ingest.pixels.viewing import Film, said_by
from ingest.pixels.window import Window, ask_for, windowed
from ingest.syntaxes import is_encapsulated

#: All that says how pixels are stored and shown. Overlays (60xx) are not among it.
KEYWORDS = (
    "SOPClassUID", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
    "VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "WindowCenterWidthExplanation",
    "PresentationIntentType", "PresentationLUTShape",
    "PixelIntensityRelationship", "PixelIntensityRelationshipSign",
    "PixelPaddingValue", "PixelPaddingRangeLimit", *SPACINGS,
    *(f"{colour}PaletteColorLookupTable{part}"
      for colour in ("Red", "Green", "Blue") for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
#: PS3.3 C.7.6.16: enhanced objects keep what belongs to a frame in items of such sequences.
FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def dicom_grey(
    path: Path, least_side: int | None = None, window: Window | None = None
) -> tuple[Array8, float]:
    """The first frame of a file as grey, and how many times as high as wide its pixels are.

    least_side: as in `ingest.pixels.decoding.stored_pixels`. window: in place of the film's own.
    Raises Refused, and whatever the decoders raise.
    """
    dataset, _ = _read(path)
    pixels = stored_pixels(dataset, least_side)
    is_colour = _is_colour(pixels, dataset)
    # What is for processing is shown by rules of its own: its shades are windowed, as colour's.
    has_values = not is_colour and not is_for_processing(dataset)
    if window and has_values:
        ask_for(window, dataset)
    grey = colour_grey(pixels, dataset) if is_colour else grey_display(pixels, dataset)
    if window and not has_values:
        grey = windowed(grey, window)
    return grey, pixel_height(dataset)


def dicom_film(path: Path, longest: int | None = None) -> Film:
    """The first frame of a file for a viewer.

    longest: samples that the longer side must keep where the encoding can be read at a smaller
    scale. Colours, films for processing and values of more than 16 bits are given as the shades
    that they are shown as. Raises as `dicom_grey`.
    """
    dataset, frames = _read(path)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    least_side = longest and max(1, longest * min(rows, columns) // max(rows, columns))
    pixels = stored_pixels(dataset, least_side)
    scale = round(rows / pixels.shape[0])
    is_colour = _is_colour(pixels, dataset)
    has_values = not is_colour and not is_for_processing(dataset) and pixels.itemsize <= 2
    if has_values:
        samples = samples_of(pixels, dataset)
    else:
        samples = samples_of_shades(
            colour_grey(pixels, dataset) if is_colour else grey_display(pixels, dataset)
        )
    said = said_by(dataset, has_values=has_values) | {"frames": frames}
    return Film(samples, scale, said)


def _read(path: Path) -> tuple[FileDataset, int]:
    """What says how a file's pixels are shown, with its first frame; and how many frames it has."""
    with open_dicom(path) as dicom:
        elements = read_elements(dicom, KEYWORDS)
        frames = number(elements, "NumberOfFrames", 1)
        return completed(_first_frame(dicom, elements)), frames


def _is_colour(pixels: Stored, dataset: FileDataset) -> bool:
    return pixels.ndim == 3 or dataset.PhotometricInterpretation == "PALETTE COLOR"


def completed(dataset: FileDataset) -> FileDataset:
    """The data set with what older devices leave out or get wrong of PS3.3 C.7.6.3."""
    samples = dataset.SamplesPerPixel = number(dataset, "SamplesPerPixel", 1)
    allocated = dataset.BitsAllocated = number(dataset, "BitsAllocated", 8)
    stored = dataset.BitsStored = min(number(dataset, "BitsStored", allocated), allocated)
    high = dataset.get("HighBit")
    dataset.HighBit = high if high in range(stored - 1, allocated) else stored - 1
    dataset.PixelRepresentation = 1 if dataset.get("PixelRepresentation") == 1 else 0
    if not dataset.get("PhotometricInterpretation"):
        dataset.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "RGB"
    if samples > 1 and dataset.get("PlanarConfiguration") is None:
        dataset.PlanarConfiguration = 0
    for item in dataset.get("ModalityLUTSequence") or ():
        entries, first, bits = item.LUTDescriptor
        # PS3.3 C.11.1.1.1: 8 or 16, but some say how many bits their values use.
        item.LUTDescriptor = [entries, first, 8 if bits <= 8 else 16]
    for keyword, value in _of_first_frame(dataset).items():
        if keyword not in dataset:
            setattr(dataset, keyword, value)
    return dataset


def _first_frame(dicom: DicomFile, dataset: FileDataset) -> FileDataset:
    """Add Pixel Data: the first frame of native ones, all fragments of encapsulated ones."""
    place, syntax = locate_pixels(dicom, dataset), transfer_syntax(dicom, dataset)
    encapsulated = is_encapsulated(syntax)
    if not encapsulated:
        dataset.NumberOfFrames = 1
    dicom.file.seek(place.start)
    pixels = dicom.file.read(place.length if encapsulated else native_bytes(dataset))
    # PS3.5 8.1.1: the value has an even length.
    dataset.add_new("PixelData", place.vr, pixels + b"\0" * (len(pixels) % 2))
    dataset["PixelData"].is_undefined_length = encapsulated
    deflated = syntax == DeflatedExplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if deflated else syntax
    return dataset


def _of_first_frame(dataset: Dataset) -> dict[str, object]:
    """What the functional groups say of the first frame, by keyword; of the frame itself last."""
    said: dict[str, object] = {}
    for sequence in FUNCTIONAL_GROUPS:
        for group in (dataset.get(sequence) or [])[:1]:
            for element in group:
                for item in (element.value or [])[:1] if element.VR == "SQ" else ():
                    said |= {each.keyword: each.value for each in item if each.keyword in KEYWORDS}
    return said

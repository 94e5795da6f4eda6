"""A DICOM image becomes grey: its elements, its first frame, and the rules that fit it."""

from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
)

from ingest.dicom import overlays
from ingest.dicom.corrections.elements import with_readable_elements
from ingest.dicom.corrections.pixel_data import add_pixels
from ingest.dicom.dicom_file import open_dicom, read_elements, transfer_syntax
from ingest.dicom.numbers import positive_number, whole_number
from ingest.dicom.pixel_position import locate_pixels
from ingest.dicom.pixels.arrays import Array8, Stored
from ingest.dicom.pixels.colour import colour_grey
from ingest.dicom.pixels.decoding import stored_pixels
from ingest.dicom.pixels.geometry import SPACINGS, pixel_height
from ingest.dicom.pixels.grey import grey_display
from ingest.dicom.pixels.intensity import is_for_processing
from ingest.dicom.pixels.samples import samples_of, samples_of_shades
from ingest.dicom.pixels.viewing import ViewerFilm, header_facts
from ingest.dicom.pixels.window import Window, ask_for, windowed
from ingest.dicom.syntaxes import LOSSY_KEYWORDS

#: All that says how pixels are stored and shown.
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
    "ImageLaterality", "Laterality", *LOSSY_KEYWORDS,
)  # fmt: skip
#: PS3.3 C.7.6.16: enhanced objects keep what belongs to a frame in items of such sequences.
FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """The first frame of a file. pixels: stored values, as `stored_pixels` gives them.

    dataset: how they are shown, with Pixel Data. frames: of the file. corrections: what of the
    header did not fit the pixels, or could not be read, and was set right or left aside.
    """

    pixels: Stored
    dataset: FileDataset
    frames: int
    corrections: list[str]

    @property
    def is_colour(self) -> bool:
        """Return whether it has colours, or places in a palette."""
        interpretation = self.dataset.PhotometricInterpretation
        return self.pixels.ndim == 3 or bool(interpretation == "PALETTE COLOR")


def dicom_grey(
    path: Path, least_side: int | None = None, window: Window | None = None
) -> tuple[Array8, float, tuple[str, ...]]:
    """Decode the first frame of a file as grey, and read how much higher than wide its pixels are.

    least_side: as in `stored_pixels`. window: in place of the film's own. Returns also what of the
    header was set right or left aside. Raises Refused, and whatever the decoders raise.
    """
    frame = first_frame(path, least_side)
    pixels, dataset = frame.pixels, frame.dataset
    # What is for processing is shown by rules of its own: its shades are windowed, as colour's.
    has_values = not frame.is_colour and not is_for_processing(dataset)
    corrections = list(frame.corrections)
    if window and has_values:
        ask_for(window, dataset)
    if frame.is_colour:
        grey = colour_grey(pixels, dataset)
    else:
        # A window that somebody asks for is shown, whatever it leaves.
        grey = grey_display(pixels, dataset, None if window else corrections)
    if window and not has_values:
        grey = windowed(grey, window)
    return grey, pixel_height(dataset), tuple(corrections)


def dicom_film(path: Path, longest: int | None = None) -> ViewerFilm:
    """The first frame of a file for a viewer.

    longest: samples that the longer side must keep where the encoding can be read at a smaller
    scale. Colours, films for processing and values of more than 16 bits are given as the shades
    that they are shown as. Raises as `dicom_grey`.
    """
    frame = first_frame(path, longest=longest)
    pixels, dataset = frame.pixels, frame.dataset
    scale = round(int(dataset.Rows) / pixels.shape[0])
    has_values = not frame.is_colour and not is_for_processing(dataset) and pixels.itemsize <= 2
    if has_values:
        samples = samples_of(pixels, dataset, list(frame.corrections))
    else:
        samples = samples_of_shades(
            colour_grey(pixels, dataset) if frame.is_colour else grey_display(pixels, dataset, [])
        )
    facts = header_facts(dataset, has_values=has_values) | {"frames": frame.frames}
    return ViewerFilm(samples, scale, facts)


def dicom_values(path: Path) -> Stored:
    """Decode the first frame of a file, as it is stored. Raises as `dicom_grey`."""
    return first_frame(path).pixels


def first_frame(
    path: Path, least_side: int | None = None, longest: int | None = None
) -> FirstFrame:
    """Read how pixels are shown and the first frame itself, and hold one against the other.

    least_side: as in `stored_pixels`; longest: the same, by the longer side.
    """
    with open_dicom(path) as dicom:
        dataset = read_elements(dicom, (*KEYWORDS, *overlays.TAGS))
        frames = positive_number(dataset, "NumberOfFrames", 1)
        position, declared = locate_pixels(dicom, dataset), transfer_syntax(dicom, dataset)
        little_endian = declared != ExplicitVRBigEndian
        corrections = complete(dataset, little_endian=little_endian)
        deflated = declared == DeflatedExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if deflated else declared
        corrections += add_pixels(dicom.file, position, dataset, little_endian=little_endian)
    if longest is not None:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        least_side = max(1, longest * min(rows, columns) // max(rows, columns))
    pixels, of_values = stored_pixels(dataset, least_side)
    return FirstFrame(pixels, dataset, frames, corrections + of_values)


def completed(dataset: FileDataset) -> FileDataset:
    """The data set with what older devices leave out or get wrong of PS3.3 C.7.6.3."""
    complete(dataset)
    return dataset


def complete(dataset: FileDataset, *, little_endian: bool = True) -> list[str]:
    """Fill in what older devices leave out or get wrong of PS3.3 C.7.6.3.

    Leaves nothing that cannot be read, and returns what was left aside. little_endian: the byte
    order of the file.
    """
    for keyword, value in _of_first_frame(dataset).items():
        if keyword not in dataset:
            setattr(dataset, keyword, value)
    samples = positive_number(dataset, "SamplesPerPixel", 1)
    if not dataset.get("PhotometricInterpretation"):
        dataset.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "RGB"
    allocated = positive_number(dataset, "BitsAllocated", 8)
    stored = min(positive_number(dataset, "BitsStored", allocated), allocated)
    high = whole_number(dataset, "HighBit")
    for keyword, value in {
        "SamplesPerPixel": samples,
        "BitsAllocated": allocated,
        "BitsStored": stored,
        "HighBit": high if high in range(stored - 1, allocated) else stored - 1,
        "PixelRepresentation": int(whole_number(dataset, "PixelRepresentation") == 1),
        "PlanarConfiguration": int(whole_number(dataset, "PlanarConfiguration") == 1),
        "Rows": positive_number(dataset, "Rows", 1),
        "Columns": positive_number(dataset, "Columns", 1),
        "NumberOfFrames": positive_number(dataset, "NumberOfFrames", 1),
    }.items():
        dataset.add_new(keyword, "US" if keyword != "NumberOfFrames" else "IS", value)
    return with_readable_elements(dataset, little_endian=little_endian)


def _of_first_frame(dataset: Dataset) -> dict[str, object]:
    """Read the functional groups of the first frame, by keyword; those of the frame itself last."""
    values: dict[str, object] = {}
    for sequence in FUNCTIONAL_GROUPS:
        for group in (dataset.get(sequence) or [])[:1]:
            for element in group:
                for item in (element.value or [])[:1] if element.VR == "SQ" else ():
                    values |= {
                        each.keyword: each.value for each in item if each.keyword in KEYWORDS
                    }
    return values

"""Films whose headers do not fit their pixels, as devices and toolkits write them."""

import io
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian

from ingest.dicom.pixels.display import corrected_film, display_image
from readfirst.samples import sample_files
from tests.support.files import a_dataset, as_it_is, dicom_bytes

#: PS3.5 7.5: the delimiters of items and sequences.
ITEM_END, SEQUENCE_END = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"


@cache
def a_chest_film(columns: int = 160) -> npt.NDArray[np.uint8]:
    """A real film of the samples, small: (rows, columns) uint8."""
    path = next(path for path in sample_files() if path.name == "film-05.png")
    image = Image.fromarray(display_image(path))
    size = (columns, round(image.height * columns / image.width))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


@cache
def a_deep_film(bits: int = 12) -> npt.NDArray[np.uint16]:
    """The same film of more than 8 bits, with the noise of a detector."""
    noise = np.random.default_rng(1).normal(0, 2 ** (bits - 10), a_chest_film().shape)
    values = a_chest_film().astype(np.float64) / 255 * (2**bits - 1) + noise
    film: npt.NDArray[np.uint16] = np.clip(np.rint(values), 0, 2**bits - 1).astype(np.uint16)
    return film


def a_table(entries: list[int], descriptor: list[int], vr: str = "US") -> Dataset:
    """An item of a Modality or VOI LUT Sequence, in words. descriptor: as it is written."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if min(descriptor) < 0 else "US", descriptor)
    content = np.asarray(entries, "<u2").tobytes() if vr in ("OW", "OB", "UN") else entries
    item.add_new("LUTData", vr, content)
    return item


def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Baseline, of one component or of three."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue() + b"\0" * (buffer.tell() % 2)


def with_frame(frame: bytes, syntax: str, pixels: Any, **attributes: Any) -> bytes:
    """A film with this compressed frame, whose header is that of the pixels."""
    dataset = a_dataset(pixels, **attributes)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    return as_it_is(dataset, syntax)


def with_value(content: bytes, group: int, element: int, vr: str, value: bytes) -> bytes:
    """A file in which a short explicit element says this, byte for byte."""
    head = struct.pack("<HH", group, element) + vr.encode()
    at = content.index(head)
    size = int.from_bytes(content[at + 6 : at + 8], "little")
    value += b" " * (len(value) % 2)
    return content[: at + 6] + struct.pack("<H", len(value)) + value + content[at + 8 + size :]


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """A short explicit element, of whatever representation."""
    return struct.pack("<HH", group, number) + vr + struct.pack("<H", len(value)) + value


def before(content: bytes, group: int, number: int, more: bytes) -> bytes:
    """A file with more before an element of its data set."""
    at = content.index(struct.pack("<HH", group, number), 140)
    return content[:at] + more + content[at:]


def explicit(dataset: FileDataset) -> bytes:
    """The file of a native film, explicit and little endian."""
    return dicom_bytes(dataset, ExplicitVRLittleEndian)


def displayed(folder: Path, content: bytes) -> tuple[npt.NDArray[np.uint8], str]:
    """Return how a film is shown, and what of its header was corrected."""
    path = folder / "film.dcm"
    path.write_bytes(content)
    film, corrections = corrected_film(path, 448)
    assert film.size
    return display_image(path), "; ".join(corrections)

"""Make the images in `projections`: X-rays of a chest CT from many sides.

    python -m laboratory.negative_images.make_projections SLICES [IMAGES]

SLICES is a folder with the DICOM files of one CT series (`projections/ATTRIBUTION.md` says which
one), IMAGES the folder to write to.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Volume = npt.NDArray[np.float32]
#: Side of the voxels that are projected, in millimetres.
VOXEL = 2.0
#: Longest side of the images.
LONGEST = 112
#: Hounsfield units from which tissue is bone, and by how much more it absorbs than its density
#: says at the energies of a radiograph.
BONE, BONE_FACTOR = 200.0, 1.8
FRONTAL = (-10, -5, 0, 5, 10)
LATERAL = (80, 84, 88, 90, 92, 96, 100, 260, 264, 268, 270, 272, 276, 280)
OBLIQUE = (52, 58, 64, 70, 110, 116, 122, 128, 232, 240, 248, 292, 300, 308)


def main(slices: Path, folder: Path) -> None:
    """Write every image. slices: a folder of DICOM files. folder: made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    hounsfield = body_only(read_volume(slices))
    for name, image in images(hounsfield):
        small = Image.fromarray(image)
        small.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        small.save(folder / f"{name}.png", optimize=True)


def images(hounsfield: Volume) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """Each image with its name. hounsfield: (from head to foot, front to back, across)."""
    absorbed = absorption(hounsfield)
    third = len(absorbed) // 3
    for angle in FRONTAL:
        yield f"frontal-chest-{angle % 360:03d}", radiograph(project(absorbed, angle))
    for angle in LATERAL:
        yield f"lateral-chest-{angle:03d}", radiograph(project(absorbed, angle))
    for angle in OBLIQUE:
        yield f"oblique-chest-{angle:03d}", radiograph(project(absorbed, angle))
    for angle in (0, 10, 45, 90, 180, 270, 315, 350):
        yield f"abdomen-{angle:03d}", radiograph(project(absorbed[-third:], angle))
    for number, slab in enumerate(np.array_split(absorbed, 5)):
        yield f"axial-view-{number}", radiograph(slab.sum(axis=0))
    yield "axial-view-whole", radiograph(absorbed.sum(axis=0))
    for share in (0.08, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92):
        axial = hounsfield[int(share * len(hounsfield))]
        yield f"ct-slice-axial-soft-{share:.2f}", windowed(axial, -160, 240)
        yield f"ct-slice-axial-lung-{share:.2f}", windowed(axial, -1200, 300)
    for share in (0.35, 0.5, 0.65):
        sagittal = hounsfield[:, :, int(share * hounsfield.shape[2])]
        yield f"ct-slice-sagittal-{share:.2f}", windowed(sagittal, -160, 240)


def read_volume(slices: Path) -> Volume:
    """The Hounsfield units of a series, on a grid of equal sides, the head first."""
    import pydicom
    from scipy import ndimage

    files = [pydicom.dcmread(path) for path in sorted(slices.glob("*.dcm"))]
    files.sort(key=lambda file: -float(file.ImagePositionPatient[2]))
    volume = np.stack(
        [
            file.pixel_array * np.float32(file.RescaleSlope) + np.float32(file.RescaleIntercept)
            for file in files
        ]
    )
    apart = abs(float(files[1].ImagePositionPatient[2]) - float(files[0].ImagePositionPatient[2]))
    sides = np.array([apart, *map(float, files[0].PixelSpacing)]) / VOXEL
    resampled: Volume = ndimage.zoom(np.clip(volume, -1000, 3000), sides, order=1)
    return resampled


def body_only(hounsfield: Volume) -> Volume:
    """The same with air for the table: the largest body and what it encloses in each slice."""
    from scipy import ndimage

    parts, count = ndimage.label(ndimage.binary_opening(hounsfield > -400, iterations=2))
    sizes = ndimage.sum_labels(np.ones_like(parts), parts, np.arange(1, count + 1))
    body = ndimage.binary_dilation(parts == 1 + int(np.argmax(sizes)), iterations=2)
    filled = np.stack([ndimage.binary_fill_holes(slab) for slab in body])
    return np.where(filled, hounsfield, np.float32(-1000))


def absorption(hounsfield: Volume) -> Volume:
    """Compute how much each voxel absorbs, water 1, bone as at the energies of a radiograph."""
    water = np.maximum(hounsfield / 1000 + 1, 0)
    bone = np.maximum(hounsfield - BONE, 0) / 1000
    absorbed: Volume = (water + BONE_FACTOR * bone).astype(np.float32)
    return absorbed


def project(absorbed: Volume, angle: float) -> Volume:
    """Sum along parallel rays from the front after a turn about the long axis, in degrees."""
    from scipy import ndimage

    turned = ndimage.rotate(absorbed, angle, axes=(1, 2), reshape=True, order=1)
    summed: Volume = turned.sum(axis=1) * VOXEL
    columns = np.flatnonzero(summed.max(axis=0) > 0.02 * summed.max())
    return summed[:, columns[0] : columns[-1] + 1]


def radiograph(summed: Volume) -> npt.NDArray[np.uint8]:
    """The film of the line integrals: dense is bright, thick parts in the shoulder of its curve."""
    film = 1 - np.exp(-summed / np.percentile(summed[summed > 0], 80))
    return windowed(film.astype(np.float32), *np.percentile(film, (2.0, 99.5)))


def windowed(image: Volume, low: float, high: float) -> npt.NDArray[np.uint8]:
    """Grey values from low to high, spread over 0 to 255."""
    grey: npt.NDArray[np.uint8] = np.round(
        255 * np.clip((image - low) / (high - low), 0, 1)
    ).astype(np.uint8)
    return grey


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]) if sys.argv[2:] else Path(__file__).parent / "projections",
    )

"""Photographs, microscopy, CT and MR slices and projections that packages ship, cut and mirrored.

The pictures are those of scikit-image, scikit-learn, matplotlib and pydicom, which lie on the disk
once the packages are installed, and those in `projections/`.
"""

import functools
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from laboratory.negative_images.patterns import ImageMaker, to_grey
from models.preprocessing import Array8

PROJECTIONS = Path(__file__).parent / "projections"
PHOTOGRAPHS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "color.png",
    "grass.png",
    "gravel.png",
    "horse.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "rocket.jpg",
    "text.png",
)
MICROSCOPY = (
    "cell.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "microaneurysms.png",
    "phantom.png",
    "retina.jpg",
)
CT_FILES = ("693_J2KI.dcm", "CT_small.dcm", "J2K_pixelrep_mismatch.dcm")
MR_FILES = ("MR_small.dcm", "examples_overlay.dcm")
#: Ultrasound, nuclear medicine and secondary captures.
OTHER_SCANS = ("JPEG2000.dcm", "examples_jpeg2k.dcm", "examples_rgb_color.dcm")


def frontal_projections() -> list[Array8]:
    """Frontal views of the CT, which are chest films as far as the check is concerned."""
    return [_picture(path) for path in sorted(PROJECTIONS.glob("frontal-chest-*.png"))]


def photographs(generator: np.random.Generator) -> Array8:
    """Pieces of scikit-image's photographs and textures."""
    return cut(_scikit_image(str(generator.choice(PHOTOGRAPHS))), generator)


def microscopy(generator: np.random.Generator) -> Array8:
    """Pieces of scikit-image's cells, tissues, retina and stars."""
    return cut(_scikit_image(str(generator.choice(MICROSCOPY))), generator)


def other_photographs(generator: np.random.Generator) -> Array8:
    """Pieces of the photographs of scikit-learn and matplotlib, and faces of scikit-image."""
    pictures = _other_photographs()
    return cut(pictures[int(generator.integers(len(pictures)))], generator)


def mr_slices(generator: np.random.Generator) -> Array8:
    """MR slices of pydicom and matplotlib, whole or in part."""
    slices = _mr_slices()
    return cut(slices[int(generator.integers(len(slices)))], generator, least=0.6)


def ct_slices(generator: np.random.Generator) -> Array8:
    """CT slices of pydicom and some of the CT of the projections, whole or in part."""
    slices = [*_dicoms(CT_FILES), *_projections("ct-slice")]
    return cut(slices[int(generator.integers(len(slices)))], generator, least=0.6)


def other_scans(generator: np.random.Generator) -> Array8:
    """Ultrasound and nuclear medicine of pydicom, whole or in part."""
    scans = _dicoms(OTHER_SCANS)
    return cut(scans[int(generator.integers(len(scans)))], generator, least=0.5)


def cut(picture: Array8, generator: np.random.Generator, least: float = 0.25) -> Array8:
    """A piece of a picture, perhaps mirrored, turned by a right angle or as its negative."""
    high, wide = (max(8, int(side * generator.uniform(least, 1))) for side in picture.shape)
    top = int(generator.integers(picture.shape[0] - min(high, picture.shape[0]) + 1))
    left = int(generator.integers(picture.shape[1] - min(wide, picture.shape[1]) + 1))
    piece = picture[top : top + high, left : left + wide]
    if generator.random() < 0.5:
        piece = piece[:, ::-1]
    if generator.random() < 0.2:
        piece = np.rot90(piece, int(generator.integers(1, 4)))
    if generator.random() < 0.15:
        piece = 255 - piece
    return np.ascontiguousarray(piece)


def _projection(prefix: str, described: str) -> ImageMaker:
    def kind(generator: np.random.Generator) -> Array8:
        films = _projections(prefix)
        film = films[int(generator.integers(len(films)))]
        if generator.random() < 0.5:
            film = film[:, ::-1]
        rows = slice(int(0.15 * generator.random() * len(film)), len(film))
        return np.ascontiguousarray(film[rows])

    kind.__doc__ = described
    return kind


@functools.cache
def _projections(prefix: str) -> tuple[Array8, ...]:
    return tuple(_picture(path) for path in sorted(PROJECTIONS.glob(f"{prefix}-*.png")))


@functools.cache
def _picture(path: Path) -> Array8:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _scikit_image(name: str) -> Array8:
    import skimage

    return _picture(Path(skimage.__file__).parent / "data" / name)


@functools.cache
def _other_photographs() -> tuple[Array8, ...]:
    import matplotlib
    import skimage
    import sklearn

    # Its package of data sets imports most of it.
    samples = Path(sklearn.__file__).parent / "datasets" / "images"
    hopper = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    faces = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")[:100]
    return (
        *(_picture(samples / name) for name in ("china.jpg", "flower.jpg")),
        _picture(hopper),
        *(np.round(255 * face).astype(np.uint8) for face in faces[::25]),
    )


@functools.cache
def _mr_slices() -> tuple[Array8, ...]:
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "sample_data" / "s1045.ima.gz"
    with gzip.open(path) as file:
        head = np.frombuffer(file.read(), np.uint16).reshape((256, 256))
    return (*_dicoms(MR_FILES), _windowed(head))


@functools.cache
def _dicoms(names: Sequence[str]) -> tuple[Array8, ...]:
    import pydicom
    import pydicom.data
    from pydicom.pixels.utils import pixel_array

    folder = Path(pydicom.data.__file__).parent / "test_files"
    return tuple(_windowed(pixel_array(folder / name)) for name in names)


def _windowed(pixels: np.ndarray) -> Array8:
    """Grey values of any pixels: the first of several frames, colours averaged."""
    grey = pixels.astype(np.float64)
    if grey.ndim > 2 and grey.shape[-1] == 3:
        grey = grey.mean(axis=-1)
    grey = grey if grey.ndim == 2 else grey[0]
    low, high = np.percentile(grey, (1, 99.5))
    return to_grey(np.clip((grey - low) / max(high - low, 1), 0, 1))


KINDS: dict[str, ImageMaker] = {
    "photographs": photographs,
    "microscopy": microscopy,
    "other photographs": other_photographs,
    "ct slices": ct_slices,
    "mr slices": mr_slices,
    "other scans": other_scans,
    "lateral chests": _projection("lateral-chest", "Side views of the CT."),
    "oblique chests": _projection("oblique-chest", "Views of the CT from more than 50 degrees."),
    "axial views": _projection("axial-view", "Views of the CT along the body."),
    "upper abdomens": _projection("abdomen", "Views of the lowest third of the CT."),
}

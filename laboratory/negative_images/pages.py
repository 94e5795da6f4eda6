"""Pages of text, forms, charts and codes, as somebody might send them by mistake."""

import functools
import itertools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from laboratory.negative_images.patterns import ImageMaker
from models.preprocessing import Array8

HIGH, WIDE = 320, 260
TEXT = (
    "patient report chest findings no acute the lungs are clear heart size within normal limits "
    "impression date of birth referring physician ward clinical history cough fever since three "
    "days request comparison none technique and a with signed hospital department of radiology"
)
WORDS = TEXT.split()
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "cmr10.ttf",
)


def text_pages(generator: np.random.Generator) -> Array8:
    """Paragraphs in one or two columns, dark on light or the other way about."""
    image, pen, ink = _page(generator)
    font = _font(str(generator.choice(FONTS)), int(generator.integers(5, 26)))
    columns = int(generator.integers(1, 3))
    margin = int(generator.integers(4, 40))
    for column in range(columns):
        left = margin + column * (image.width - margin) // columns
        right = (column + 1) * (image.width - margin) // columns
        _paragraphs(pen, (left, margin, right, image.height - margin), font, ink, generator)
    return np.asarray(image)


def forms(generator: np.random.Generator) -> Array8:
    """Labelled boxes and tables, partly filled in."""
    image, pen, ink = _page(generator)
    font = _font(str(generator.choice(FONTS)), int(generator.integers(7, 14)))
    pen.text((12, 8), _words(3, generator).upper(), fill=ink, font=font)
    top = 30
    while top < image.height - 20:
        high = int(generator.integers(14, 50))
        cells = np.sort(generator.integers(10, image.width - 10, int(generator.integers(0, 4))))
        edges = [10, *cells.tolist(), image.width - 10]
        for left, right in itertools.pairwise(edges):
            pen.rectangle((left, top, right, top + high), outline=ink)
            if right - left > 30:
                pen.text((left + 3, top + 2), _words(1, generator), fill=ink, font=font)
        top += high + int(generator.integers(0, 12))
    return np.asarray(image)


def charts(generator: np.random.Generator) -> Array8:
    """Axes with curves, bars or dots."""
    image, pen, ink = _page(generator)
    left, top, right, bottom = 30, 20, image.width - 15, image.height - 30
    pen.line((left, top, left, bottom, right, bottom), fill=ink, width=2)
    count = int(generator.integers(4, 20))
    across = np.linspace(left + 5, right - 5, count)
    for _ in range(int(generator.integers(1, 4))):
        down = bottom - (bottom - top) * generator.random(count)
        grey = int(generator.integers(40, 215))
        kind = generator.integers(3)
        points = [(float(x), float(y)) for x, y in zip(across, down, strict=True)]
        if kind == 0:
            pen.line(points, fill=grey, width=int(generator.integers(1, 4)))
        for x, y in points if kind else []:
            half = (right - left) / count / 3
            box = (x - half, y, x + half, bottom) if kind == 1 else (x - 3, y - 3, x + 3, y + 3)
            pen.rectangle(box, fill=grey)
    pen.text((left + 5, 4), _words(3, generator), fill=ink, font=_font(FONTS[0], 10))
    return np.asarray(image)


def codes(generator: np.random.Generator) -> Array8:
    """Bar codes and square codes, with or without a margin."""
    if generator.random() < 0.5:
        modules = generator.random(int(generator.integers(20, 70))) < 0.5
        pattern = np.tile(modules, (int(generator.integers(8, 60)), 1))
    else:
        side = int(generator.integers(15, 45))
        pattern = generator.random((side, side)) < 0.5
        for rows, columns in ((slice(7), slice(7)), (slice(7), slice(-7, None))):
            pattern[rows, columns] = _finder()
        pattern[-7:, :7] = _finder()
    margins = generator.integers(0, 12, 4)
    framed = np.pad(pattern, (tuple(margins[:2]), tuple(margins[2:])))
    dark, light = sorted(generator.integers(0, 256, 2))
    image = Image.fromarray(np.where(framed, dark, light).astype(np.uint8))
    return np.asarray(image.resize((224, 224), Image.Resampling.NEAREST))


def screens(generator: np.random.Generator) -> Array8:
    """Windows of a program: bars, panels, lists and buttons."""
    image = Image.new("L", (WIDE + HIGH, HIGH), int(generator.integers(0, 256)))
    pen = ImageDraw.Draw(image)
    font = _font(FONTS[0], int(generator.integers(7, 14)))
    for _ in range(int(generator.integers(2, 7))):
        left, top = (int(v) for v in generator.integers(0, [image.width - 60, image.height - 60]))
        right = int(generator.integers(left + 40, image.width + 40))
        bottom = int(generator.integers(top + 40, image.height + 40))
        ground = int(generator.integers(0, 256))
        ink = (ground + 128) % 256
        pen.rectangle((left, top, right, bottom), fill=ground, outline=ink)
        pen.rectangle((left, top, right, top + 14), fill=(ground + 60) % 256)
        for line in range(top + 20, bottom - 14, int(generator.integers(12, 26))):
            pen.text((left + 6, line), _words(4, generator), fill=ink, font=font)
    return np.asarray(image)


def _page(
    generator: np.random.Generator,
) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    """An empty page, something to draw on it with, and a grey that can be read on it."""
    paper, ink = int(generator.integers(190, 256)), int(generator.integers(0, 90))
    if generator.random() < 0.25:
        paper, ink = ink, paper
    turned = generator.random() < 0.3
    image = Image.new("L", (HIGH, WIDE) if turned else (WIDE, HIGH), paper)
    return image, ImageDraw.Draw(image), ink


def _paragraphs(
    pen: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    font: ImageFont.FreeTypeFont,
    ink: int,
    generator: np.random.Generator,
) -> None:
    left, top, right, bottom = box
    step = int(font.size * generator.uniform(1.1, 2.0))
    letters = max(1, int((right - left) / (0.55 * font.size)))
    while top < bottom:
        if generator.random() > 0.12:
            line = _words(2 + letters // 5, generator)
            pen.text((left, top), line[: int(letters * generator.uniform(0.5, 1))], ink, font)
        top += step


def _words(count: int, generator: np.random.Generator) -> str:
    return " ".join(generator.choice(WORDS, count))


def _finder() -> np.ndarray:
    """The mark in three corners of a square code."""
    mark = np.ones((7, 7), dtype=bool)
    mark[1:6, 1:6] = False
    mark[2:5, 2:5] = True
    return mark


@functools.cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / name), size)


KINDS: dict[str, ImageMaker] = {
    "text pages": text_pages,
    "forms": forms,
    "charts": charts,
    "codes": codes,
    "screens": screens,
}

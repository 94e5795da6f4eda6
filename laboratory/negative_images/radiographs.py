"""Drawn radiographs of other body parts: smooth shapes, projected, with what absorbs more brighter.

No anatomy to learn from, only the look: bones with a dense rim in soft tissue, on a dark ground,
within a collimated field. A shape is a map of how much it absorbs; shapes add up.
"""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from laboratory.negative_images.patterns import SIDE, ImageMaker, coloured_noise
from models.preprocessing import Array8, reframe

Map = npt.NDArray[np.float64]
Point = tuple[float, float]
#: Absorption of the dense rim of a bone, of its inside, and of soft tissue, for a unit of length.
CORTEX, MARROW, TISSUE = 7.0, 2.5, 1.0
Y, X = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]


def capsule(start: Point, end: Point, wide: float, wide_end: float | None = None) -> Map:
    """The thickness of a round bar between two points, (x, y), that may taper."""
    along = (end[0] - start[0], end[1] - start[1])
    squared = along[0] ** 2 + along[1] ** 2 + 1e-9
    share = np.clip(((X - start[0]) * along[0] + (Y - start[1]) * along[1]) / squared, 0, 1)
    radius = wide + (wide if wide_end is None else wide_end) * share - wide * share
    away = (X - start[0] - share * along[0]) ** 2 + (Y - start[1] - share * along[1]) ** 2
    thick: Map = 2 * np.sqrt(np.maximum(radius**2 - away, 0))
    return thick


def ellipsoid(centre: Point, wide: float, high: float, angle: float = 0.0) -> Map:
    """The thickness of an ellipsoid as deep as its smaller side. angle: in radians."""
    across, down = X - centre[0], Y - centre[1]
    u = (math.cos(angle) * across + math.sin(angle) * down) / wide
    v = (math.cos(angle) * down - math.sin(angle) * across) / high
    thick: Map = 2 * min(wide, high) * np.sqrt(np.maximum(1 - u**2 - v**2, 0))
    return thick


def bone(start: Point, end: Point, wide: float, knob: float = 1.5) -> Map:
    """A long bone with a dense rim and thicker ends."""
    outer = capsule(start, end, wide)
    rim = CORTEX * (outer - 0.9 * capsule(start, end, 0.7 * wide))
    ends = sum(
        MARROW * ellipsoid(end_point, knob * wide, 0.9 * knob * wide) for end_point in (start, end)
    )
    return rim + MARROW * outer + ends


def shell(centre: Point, wide: float, high: float, thick: float, angle: float = 0.0) -> Map:
    """A hollow bone: an ellipsoid's dense rim."""
    inner = ellipsoid(centre, wide - thick, high - thick, angle)
    return CORTEX * (ellipsoid(centre, wide, high, angle) - 0.95 * inner)


def spine(top: Point, bottom: Point, wide: float, count: int) -> Map:
    """A row of vertebrae with discs between them."""
    places = np.linspace(top, bottom, count)
    high = 0.42 * math.dist(top, bottom) / max(count - 1, 1)
    total: Map = np.zeros_like(X)
    for x, y in places:
        inside = np.maximum(1 - np.abs((X - x) / wide) ** 6 - np.abs((Y - y) / high) ** 6, 0)
        total += CORTEX * 0.5 * wide * np.sqrt(inside)
        total += CORTEX * 0.6 * ellipsoid((x, y), 0.25 * wide, 0.9 * high)
    return total


def gas(generator: np.random.Generator, count: int, low: Point, high: Point) -> Map:
    """Bubbles, which absorb less: thickness of air to be taken off the soft tissue."""
    total: Map = np.zeros_like(X)
    for _ in range(count):
        centre = (generator.uniform(low[0], high[0]), generator.uniform(low[1], high[1]))
        wide, tall = generator.uniform(0.04, 0.2, 2)
        total += 1.5 * ellipsoid(centre, wide, tall, generator.uniform(0, math.pi))
    return total


def limbs(generator: np.random.Generator) -> Array8:
    """A thigh, an upper arm, a lower leg or a forearm."""
    lean = generator.uniform(-0.25, 0.25, 2)
    wide = generator.uniform(0.05, 0.12)
    total = TISSUE * capsule((lean[0], -1.3), (lean[1], 1.3), *generator.uniform(0.25, 0.75, 2))
    apart = generator.uniform(1.8, 3.2) * wide
    short = generator.uniform(0.7, 1.3)
    pair = generator.random() < 0.5
    for side in (-0.5, 0.5) if pair else (0.0,):
        width = wide * (generator.uniform(0.4, 1) if side > 0 else 1)
        shift = side * apart
        total += bone((lean[0] + shift, -short), (lean[1] + shift, short), width)
    return film(total, generator)


def hands(generator: np.random.Generator) -> Array8:
    """A hand or a forefoot: five rays of short bones, and the small ones of the wrist."""
    total = TISSUE * 0.6 * ellipsoid((0, 0.35), 0.42, 0.5)
    total += TISSUE * 0.6 * capsule((0, 0.6), (0, 1.3), 0.3)
    spread = generator.uniform(0.1, 0.22)
    for finger in range(5):
        angle = spread * (finger - 2) + generator.normal(0, 0.03) - 0.5 * (finger == 0)
        long = generator.uniform(0.85, 1.1) * (0.75 if finger in (0, 4) else 1)
        at = np.array([0.16 * (finger - 2), 0.6])
        ahead = np.array([math.sin(angle), -math.cos(angle)])
        for share, wide in ((0.5, 0.05), (0.34, 0.045), (0.24, 0.04), (0.18, 0.035)):
            after = at + share * long * ahead
            total += 0.8 * bone(tuple(at), tuple(after - 0.05 * ahead), 0.8 * wide, 1.3)
            total += TISSUE * 0.7 * capsule(tuple(at), tuple(after), 1.8 * wide)
            at = after
    for x, y in generator.normal((0, 0.72), (0.16, 0.07), (8, 2)):
        total += MARROW * ellipsoid((x, y), 0.08, 0.07)
    for side in (-0.11, 0.1):
        total += bone((side, 0.9), (side, 1.4), 0.08)
    return film(total, generator, turn=180.0)


def skulls(generator: np.random.Generator) -> Array8:
    """A skull from the front or from the side, with jaw, eye sockets and neck."""
    wide, high = generator.uniform(0.55, 0.75), generator.uniform(0.65, 0.8)
    side_view = generator.random() < 0.5
    wide *= 1.2 if side_view else 1.0
    total = shell((0, -0.2), wide, high, generator.uniform(0.04, 0.09))
    total += TISSUE * ellipsoid((0, -0.2), wide + 0.06, high + 0.06)
    lean = generator.uniform(-0.2, 0.2)
    if side_view:
        total += spine((-0.1, 0.4), (-0.1 + lean, 1.2), 0.14, 6)
        total += bone((-0.15, 0.3), (-0.05, 0.75), 0.1) + bone((-0.05, 0.75), (0.6, 0.8), 0.09)
        total += shell((0.5, 0.25), 0.22, 0.2, 0.04) - 0.8 * ellipsoid((0.62, 0.0), 0.15, 0.13)
    else:
        total += spine((0, 0.6), (0, 1.2), 0.14, 5)
        for side in (-1, 1):
            total += shell((0.28 * side, 0.0), 0.2, 0.17, 0.03)
            total -= ellipsoid((0.28 * side, 0.0), 0.17, 0.14)
            total += bone((0.5 * side, 0.3), (0.36 * side, 0.7), 0.08)
            total += bone((0.36 * side, 0.7), (0, 0.88), 0.09)
        total += shell((0, 0.28), 0.13, 0.2, 0.03)
    for tooth in np.linspace(-0.22, 0.22, 8):
        total += 0.3 * CORTEX * ellipsoid((tooth + 0.4 * side_view, 0.55), 0.03, 0.09)
    total += TISSUE * capsule((0, 0.5), (lean, 1.3), 0.4)
    return film(np.maximum(total, 0), generator)


def pelves(generator: np.random.Generator) -> Array8:
    """A pelvis with both hips and the lowest vertebrae."""
    total = TISSUE * ellipsoid((0, 0), 1.1, 1.4)
    total += spine((0, -1.1), (0, -0.45), 0.17, 4) + 1.2 * MARROW * ellipsoid((0, -0.15), 0.2, 0.33)
    open_, down = generator.uniform(0.35, 0.65), generator.uniform(-0.1, 0.1)
    for side in (-1, 1):
        wing = ellipsoid((0.5 * side, -0.3 + down), 0.32, 0.42, side * open_)
        total += 0.35 * CORTEX * wing + shell((0.5 * side, -0.3 + down), 0.34, 0.44, 0.05)
        total += shell((0.27 * side, 0.42 + down), 0.2, 0.16, 0.05, -0.5 * side)
        total += MARROW * 1.6 * ellipsoid((0.62 * side, 0.2 + down), 0.14, 0.14)
        total += bone((0.66 * side, 0.22 + down), (0.85 * side, 0.42 + down), 0.08)
        total += bone((0.85 * side, 0.42 + down), (0.75 * side, 1.3), 0.11)
        total += TISSUE * capsule((0.7 * side, 0.3), (0.7 * side, 1.3), 0.35)
    total -= gas(generator, int(generator.integers(0, 8)), (-0.5, -1), (0.5, 0.2))
    return film(np.maximum(total, 0), generator)


def knees(generator: np.random.Generator) -> Array8:
    """A knee, or both, from the front or from the side."""
    total = np.zeros_like(X)
    places = (-0.5, 0.5) if generator.random() < 0.4 else (0.0,)
    scale = 1.0 / len(places) ** 0.5
    bent = generator.uniform(-0.6, 0.6) * (len(places) == 1)
    for x in places:
        wide = scale * generator.uniform(0.13, 0.2)
        total += TISSUE * capsule((x - bent, -1.3), (x, 0), 2.8 * wide, 2.4 * wide)
        total += TISSUE * capsule((x, 0), (x, 1.3), 2.4 * wide, 2.0 * wide)
        total += bone((x - bent, -1.4), (x, -0.2), wide)
        total += MARROW * ellipsoid((x, -0.15), 1.9 * wide, 1.1 * wide)
        total += MARROW * ellipsoid((x, 0.2), 1.9 * wide, 0.8 * wide)
        total += bone((x, 0.25), (x, 1.4), 0.85 * wide)
        total += bone((x + 1.8 * wide, 0.4), (x + 1.5 * wide, 1.4), 0.35 * wide)
        total += MARROW * ellipsoid((x + 0.5 * bent, -0.3), 0.9 * wide, wide)
    return film(total, generator)


def abdomens(generator: np.random.Generator) -> Array8:
    """A belly with gas, the spine and the rims of ribs and pelvis."""
    total = 1.3 * TISSUE * ellipsoid((0, 0), generator.uniform(0.8, 1.3), 1.6)
    bow = generator.uniform(-0.1, 0.1)
    total += spine((bow, -1.2), (-bow, 0.7), generator.uniform(0.12, 0.2), 8)
    total += MARROW * ellipsoid((-bow, 0.95), 0.22, 0.3)
    for side in (-1, 1):
        total += 0.35 * CORTEX * ellipsoid((0.55 * side, 0.95), 0.35, 0.45, 0.5 * side)
        for rib in range(int(generator.integers(0, 4))):
            start = (0.2 * side, -1.1 + 0.22 * rib)
            total += 0.5 * bone(start, (0.95 * side, -0.8 + 0.25 * rib), 0.035, 1.0)
    total += generator.uniform(0, 1) * ellipsoid((-0.5, -0.55), 0.45, 0.4)
    total -= gas(generator, int(generator.integers(2, 25)), (-0.8, -0.9), (0.8, 0.8))
    return film(np.maximum(total, 0), generator)


def necks(generator: np.random.Generator) -> Array8:
    """A neck from the side or from the front, or a length of the spine."""
    bow = generator.uniform(-0.35, 0.35)
    wide = generator.uniform(0.1, 0.25)
    total = TISSUE * capsule((bow, -1.3), (-bow, 1.3), *generator.uniform(0.4, 1.0, 2))
    total += spine((bow, -1.1), (0, 0), wide, 5) + spine((0, 0), (-bow, 1.1), wide * 1.1, 5)
    if generator.random() < 0.6:
        total -= capsule((bow + 1.8 * wide, -1), (1.7 * wide - bow, 1.2), 0.07)
        total += shell((bow, -1.1), 0.9, 0.5, 0.06) + bone((0.1, -0.7), (0.9, -0.5), 0.1)
    return film(np.maximum(total, 0), generator)


def shoulders(generator: np.random.Generator) -> Array8:
    """A shoulder with a few ribs, or an elbow or an ankle: three long bones that meet."""
    joint = generator.uniform(-0.35, 0.35, 2)
    total = np.zeros_like(X)
    for angle in generator.uniform(0, 2 * math.pi) + np.array([0, 2.2, 4.0]):
        angle += generator.normal(0, 0.3)
        wide = generator.uniform(0.05, 0.13)
        start = joint + 0.15 * np.array([math.cos(angle), math.sin(angle)])
        end = joint + 1.9 * np.array([math.cos(angle), math.sin(angle)])
        total += bone(tuple(start), tuple(end), wide, 1.7)
        total += TISSUE * capsule(tuple(joint), tuple(end), *(wide * generator.uniform(2, 4, 2)))
    for rib in range(int(generator.integers(0, 5))):
        side = (1.2, -0.4 + 0.3 * rib)
        total += 0.5 * bone(side, (0.5, -0.1 + 0.32 * rib), 0.05, 1.0)
    return film(total, generator, turn=180.0)


def heaps(generator: np.random.Generator) -> Array8:
    """Bones and soft tissue in no order: what no part of a body looks like."""
    total = np.zeros_like(X)
    for _ in range(int(generator.integers(1, 4))):
        x, y, wide, high = (*generator.uniform(-0.6, 0.6, 2), *generator.uniform(0.3, 1.1, 2))
        total += TISSUE * ellipsoid((x, y), wide, high, generator.uniform(0, math.pi))
    for _ in range(int(generator.integers(1, 9))):
        start, end = generator.uniform(-1.2, 1.2, (2, 2))
        total += bone(tuple(start), tuple(end), generator.uniform(0.03, 0.14))
    for _ in range(int(generator.integers(0, 4))):
        x, y, wide, high = (*generator.uniform(-0.7, 0.7, 2), *generator.uniform(0.15, 0.5, 2))
        total += shell((x, y), wide, high, 0.05, generator.uniform(0, math.pi))
    total -= gas(generator, int(generator.integers(0, 8)), (-0.8, -0.8), (0.8, 0.8))
    return film(np.maximum(total, 0), generator, turn=180.0)


def film(absorbed: Map, generator: np.random.Generator, turn: float = 15.0) -> Array8:
    """Expose, blur and grain a map, turn and scale it, and collimate the field.

    turn: largest angle in degrees. A few come out as negatives.
    """
    dense = max(float(np.percentile(absorbed, 97)), 1e-3)
    bright = 1 - np.exp(-absorbed / dense * generator.uniform(0.8, 3))
    bright *= 1 + generator.uniform(0, 0.15) * _texture(generator)
    bright += generator.uniform(0, 0.03) * generator.standard_normal(absorbed.shape)
    grey = np.round(255 * np.clip(bright / bright.max(), 0, 1)).astype(np.uint8)
    soft = Image.fromarray(grey).filter(ImageFilter.GaussianBlur(generator.uniform(0.3, 2)))
    angle = math.radians(generator.uniform(-turn, turn))
    zoom, mirror = generator.uniform(0.7, 1.1), generator.choice([-1.0, 1.0])
    cos, sin = math.cos(angle), math.sin(angle)
    placed = reframe(np.asarray(soft), zoom * np.array([[cos * mirror, sin], [-sin * mirror, cos]]))
    collimated = _collimated(placed, generator)
    return 255 - collimated if generator.random() < 0.08 else collimated


def _texture(generator: np.random.Generator) -> Map:
    clouds = coloured_noise(generator, generator.uniform(1.0, 2.0))
    return clouds / max(float(np.abs(clouds).max()), 1e-9)


def _collimated(image: Array8, generator: np.random.Generator) -> Array8:
    """Black or white beyond the edges of the field, and now and then a letter's worth of lead."""
    framed = image.copy()
    if generator.random() < 0.4:
        ground = int(generator.choice([0, 0, 20, 255]))
        top, left, bottom, right = generator.integers(0, SIDE // 5, 4)
        framed[:top] = framed[SIDE - bottom :] = ground
        framed[:, :left] = framed[:, SIDE - right :] = ground
    if generator.random() < 0.3:
        y, x = generator.integers(5, SIDE - 20, 2)
        framed[y : y + 10, x : x + 3] = framed[y + 7 : y + 10, x : x + 8] = 255
    return framed


KINDS: dict[str, ImageMaker] = {
    "limb drawings": limbs,
    "hand drawings": hands,
    "skull drawings": skulls,
    "pelvis drawings": pelves,
    "knee drawings": knees,
    "abdomen drawings": abdomens,
    "neck drawings": necks,
    "joint drawings": shoulders,
    "heaps of bones": heaps,
}

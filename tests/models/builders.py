"""Films whose class anybody could tell, for trainings that take seconds."""

from pathlib import Path

import numpy as np
from PIL import Image

#: In the names of the Guangzhou set, two films a group in turn.
NAMES = (
    "NORMAL/IM-{n:04}-0001.png",
    "PNEUMONIA/person{n}_virus_1.png",
    "NORMAL/NORMAL2-IM-{n:04}-0001.png",
    "PNEUMONIA/person{n}_bacteria_1.png",
)


def write_spotted_films(folder: Path, count: int = 80) -> None:
    """The sick films have a bright square, the healthy ones have none."""
    generator = np.random.default_rng(0)
    for number in range(count):
        name = NAMES[number % len(NAMES)].format(n=number)
        film = generator.integers(60, 120, (64, 64), dtype=np.uint8)
        if name.startswith("PNEUMONIA"):
            film[20:44, 20:44] = 230
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(film).save(path)

"""Where the images that were made from an original are kept. Paths only."""

from pathlib import Path

from readfirst.heat_maps import HeatMethod


class DerivedImages:
    """The folder of all images made from originals, each named by its original's sha256."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def model_input(self, sha256: str, preprocessing_version: str) -> Path:
        """The lossless 8-bit image that the networks take."""
        return self.root / f"model-{preprocessing_version}" / sha256[:2] / f"{sha256}.png"

    def thumbnail(self, sha256: str) -> Path:
        """The small image that the worklist shows, in the film's own proportions."""
        return self.root / "thumbnail" / sha256[:2] / f"{sha256}.png"

    def heat_map(self, sha256: str, ensemble_version: str, method: HeatMethod) -> Path:
        """The 8-bit heat over the model input."""
        name = f"{sha256}-{method.value}.png"
        return self.root / f"heat-{ensemble_version}" / sha256[:2] / name

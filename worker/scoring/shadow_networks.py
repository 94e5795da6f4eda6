"""The networks of an ensemble in shadow, beside those of the active one: of one at a time."""

from collections.abc import Callable

import structlog

from db.tables import EnsembleVersion
from models.ensemble import ScoringModel

log = structlog.get_logger()


class ShadowNetworks:
    """Holds the networks of one ensemble in shadow while it has work."""

    def __init__(self, load: Callable[[EnsembleVersion], ScoringModel]) -> None:
        self._load = load
        self._loaded: tuple[str, ScoringModel] | None = None

    @property
    def version(self) -> str | None:
        """The version whose networks are in memory; None if none are."""
        return self._loaded[0] if self._loaded else None

    def load(self, ensemble: EnsembleVersion) -> None:
        """Load the networks of an ensemble; those of another one are let go first.

        Raises Misconfigured, or whatever a weight file or a driver may raise.
        """
        self.release()
        self._loaded = ensemble.version, self._load(ensemble)
        log.info("shadow_loaded", action="load", ensemble=ensemble.version)

    def networks(self, version: str) -> ScoringModel | None:
        """The networks of a version; None if they are not loaded."""
        return self._loaded[1] if self._loaded and self._loaded[0] == version else None

    def release(self) -> None:
        """Let the networks go, and their memory with them."""
        if self._loaded is not None:
            log.info("shadow_released", action="load", ensemble=self._loaded[0])
        self._loaded = None

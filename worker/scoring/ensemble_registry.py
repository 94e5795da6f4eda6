"""The active ensemble: which one it is, in the database; its networks, loaded once."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy.orm import Session

from db.ensembles.versions import EnsembleFacts, active_ensemble, register
from db.tables import EnsembleVersion
from ingest.inbox.store import Store
from models.ensemble import ScoringModel, load_ensemble
from models.manifest import Manifest, available_ensembles, load_manifest, shipped_version
from models.populations.applying import Populations
from models.precision import choose_precision
from models.reference import load_reference
from readfirst.domain import Ages
from readfirst.errors import Misconfigured, Unavailable
from readfirst.monitoring.reference import as_data
from worker.scoring.stored_ensembles import fetch_ensemble

log = structlog.get_logger()
Loader = Callable[[Path], ScoringModel]
Precision = Literal["auto", "float32", "bfloat16"]


class EnsembleRegistry:
    """Finds the active ensemble and keeps its networks in memory until another is promoted."""

    def __init__(
        self,
        site_folder: Path,
        precision: Precision,
        load: Loader | None = None,
        store: Store | None = None,
    ) -> None:
        self._site_folder = site_folder
        self._store = store
        #: The digest of each manifest, by version, as the database says it.
        self._digests: dict[str, str | None] = {}
        self._load: Loader = load or (lambda folder: load_ensemble(folder, precision))
        # A loader of the caller's own chooses its precision itself.
        self._precision: Precision = "float32" if load else precision
        self._loaded: ScoringModel | None = None
        self._exact: ScoringModel | None = None
        self._ages: dict[str, Ages | None] = {}
        self._populations: dict[str, Populations] = {}
        self._without_reference: set[str] = set()

    def active(self, session: Session, now: datetime) -> EnsembleVersion:
        """The row of the active ensemble; on a new database, the shipped one becomes active."""
        row = active_ensemble(session)
        if row is None:
            return self.register(session, shipped_version(), now)
        self._digests[row.version] = row.manifest_sha256
        self._give_reference(row)
        return row

    def register(self, session: Session, version: str, now: datetime) -> EnsembleVersion:
        """Make a version that lies in one of the folders known to the database."""
        row = register(session, facts(load_manifest(self._folder(version))), now)
        self._give_reference(row)
        return row

    def check(self, session: Session, version: str, now: datetime) -> None:
        """Check and load the weight files of a version, and make it known to the database."""
        known = session.get(EnsembleVersion, version)
        self._digests[version] = known.manifest_sha256 if known else None
        self.networks(version)
        self.register(session, version, now)

    def _give_reference(self, row: EnsembleVersion) -> None:
        """Let the database have what drift is held against, for those who have no ensembles."""
        if row.reference is not None or row.version in self._without_reference:
            return
        self._without_reference.add(row.version)
        try:
            folder = self._folder(row.version)
            reference = load_reference(folder, load_manifest(folder))
        except Misconfigured as error:
            # Films are scored all the same; the figures of drift say what they lack.
            log.error("no_reference", action="load", ensemble=row.version, error=str(error))
            return
        row.reference = None if reference is None else as_data(reference)

    def ages(self, session: Session) -> Ages | None:
        """The ages that the active ensemble was validated on; None if nobody can tell."""
        row = active_ensemble(session)
        return self.ages_of(row.version if row else shipped_version())

    def ages_of(self, version: str) -> Ages | None:
        """The ages that an ensemble was validated on, by its manifest; None if nobody can tell."""
        if version not in self._ages:
            try:
                self._ages[version] = self.manifest_of(version).ages
            except Misconfigured as error:
                # A machine that only takes files in may lack the ensemble: films are then marked.
                log.error("ages_unknown", action="scope", ensemble=version, error=str(error))
                self._ages[version] = None
        return self._ages[version]

    def populations_of(self, version: str) -> Populations:
        """The populations of an ensemble, by its manifest; the first alone if nobody can tell."""
        if version not in self._populations:
            try:
                self._populations[version] = self.manifest_of(version).stated_populations
            except Misconfigured as error:
                # Networks that a caller loads in its own way may have no folder.
                log.error("populations_unknown", action="load", ensemble=version, error=str(error))
                self._populations[version] = Populations()
        return self._populations[version]

    @property
    def site_folder(self) -> Path:
        """The folder of the site's own ensembles."""
        return self._site_folder

    def put_away(self, version: str) -> None:
        """Remove an ensemble from the site's folder that did not pass its checks."""
        shutil.rmtree(self._site_folder / version, ignore_errors=True)

    def manifest_of(self, version: str) -> Manifest:
        """The manifest of an ensemble. Raises Misconfigured."""
        return load_manifest(self._folder(version))

    def networks(self, version: str) -> ScoringModel:
        """The networks of a version, loaded at the first call. Raises Misconfigured."""
        if self._loaded is None or self._loaded.version != version:
            self._loaded = self._load(self._folder(version))
            log.info("ensemble_loaded", action="load", ensemble=version)
        return self._loaded

    def load_beside(self, ensemble: EnsembleVersion) -> ScoringModel:
        """Load networks for the caller alone, beside those that are kept. Raises Misconfigured."""
        self._digests[ensemble.version] = ensemble.manifest_sha256
        return self._load(self._folder(ensemble.version))

    def forget(self) -> None:
        """Let the networks be loaded anew at the next call: these fail."""
        self._loaded = self._exact = None

    def exact_networks(self, version: str) -> ScoringModel:
        """The networks of a version in float32, loaded at the first call. Raises Misconfigured.

        In bfloat16 the heat map of an unlikely film, where little speaks for pneumonia and much
        cancels out, comes out elsewhere.
        """
        if choose_precision(self._precision) == "float32":
            return self.networks(version)
        if self._exact is None or self._exact.version != version:
            self._exact = load_ensemble(self._folder(version), "float32")
            log.info("ensemble_loaded", action="load", ensemble=version, precision="float32")
        return self._exact

    def _folder(self, version: str) -> Path:
        folders = available_ensembles(self._site_folder)
        if version not in folders and self._fetch(version):
            folders = available_ensembles(self._site_folder)
        if version not in folders:
            versions = ", ".join(sorted(folders)) or "none"
            raise Misconfigured(
                f"Ensemble {version} lies neither in {self._site_folder} nor among the shipped "
                f"ones ({versions}). Bring it in by `readfirst models add`."
            )
        return folders[version]

    def _fetch(self, version: str) -> bool:
        """Copy an ensemble from the store, as another machine of the site has put it there."""
        digest, store = self._digests.get(version), self._store
        if digest is None or store is None or not store.has(digest):
            return False
        try:
            fetch_ensemble(store, digest, self._site_folder)
        except Unavailable as error:
            log.error("ensemble_not_fetched", action="fetch", ensemble=version, error=str(error))
            return False
        log.info("ensemble_fetched", action="fetch", ensemble=version, sha256=digest)
        return True


def facts(manifest: Manifest) -> EnsembleFacts:
    """The facts of a manifest that the database keeps."""
    return EnsembleFacts(
        manifest.version,
        manifest.threshold,
        manifest.preprocessing_version,
        manifest.prevalence,
        manifest.stated_populations.thresholds,
    )

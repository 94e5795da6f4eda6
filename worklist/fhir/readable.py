"""The resources that can be read: made of the results of studies as they are now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from db.fhir.lookups import every_version_once_active, study_of_image
from readfirst.errors import NotThere
from readfirst.language.languages import ENGLISH
from readfirst.language.texts import speaking
from readfirst.results.fhir.datatypes import Json
from readfirst.results.fhir.resources import (
    device,
    diagnostic_report,
    imaging_study,
    observation,
)
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import AiResult, Algorithm
from results.gather import gather
from results.services import NoResult, ResultServices


@dataclass(frozen=True, slots=True)
class FhirReader:
    """Reads resources by their ids, as `GET TYPE/ID` has them. now: the time of the request."""

    services: ResultServices
    now: datetime

    def read(self, kind: str, resource_id: str) -> Json | None:
        """Return a resource; None if there is none.

        Raises NoResult where there is none by a rule, and MachineFault as `gather`.
        """
        if kind == "Device":
            return next((each for each in self.devices() if each["id"] == resource_id), None)
        study = resource_id if kind != "Observation" else self._study_of(resource_id)
        of_study = self.of_study(kind, study) if study else ()
        return next((each for each in of_study if each["id"] == resource_id), None)

    def of_study(self, kind: str, study_instance_uid: str) -> Iterator[Json]:
        """Yield the resources of a type that a study has. Raises as `read`."""
        # A resource says the same whoever asks for it.
        with speaking(ENGLISH):
            try:
                result = gather(self.services, study_instance_uid, self.now).current
            except NotThere:
                return
            if not (result.study.patient_id or "").strip():
                raise NoResult(NoResultCode.NO_PATIENT_ID)
            resources = list(_of_result(kind, result))
        yield from resources

    def devices(self) -> Iterator[Json]:
        """Yield the ensemble versions that are or were active."""
        with self.services.database.read() as session:
            versions = every_version_once_active(session)
        for each in versions:
            algorithm = Algorithm(version=each.version, manifest_sha256=each.manifest_sha256)
            yield device(algorithm)

    def _study_of(self, sop_instance_uid: str) -> str | None:
        with self.services.database.read() as session:
            return study_of_image(session, sop_instance_uid)


def _of_result(kind: str, result: AiResult) -> Iterator[Json]:
    if kind == "ImagingStudy":
        yield imaging_study(result)
    elif kind == "DiagnosticReport":
        yield diagnostic_report(result, _reference)
    else:
        for image in result.images:
            yield observation(result, image, _reference)


def _reference(kind: str, resource_id: str) -> str:
    return f"{kind}/{resource_id}"

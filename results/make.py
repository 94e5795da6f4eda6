"""The results of a study, by kind: those that are made, and the reasons for those that are not."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydicom.dataset import Dataset

from readfirst.language.languages import ENGLISH
from readfirst.language.texts import speaking
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import DICOM_KINDS, AiResult, HeatMapPicture, ResultKind
from results.gather import GatheredStudy, gather
from results.heat_maps import heat_map_pictures
from results.messages import ResultMessage, make_message
from results.services import NoResult, ResultServices

#: Made where nothing else is wanted: no picture of a heat map leaves by itself.
DEFAULT_KINDS = (ResultKind.SR, ResultKind.KOS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultObject:
    """An object that is made, ready to be written or sent."""

    kind: ResultKind
    study_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    dataset: Dataset

    @property
    def identifier(self) -> str:
        """By which a receiver knows it again, as it does a message by its own."""
        return self.sop_instance_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingResult:
    """A result that is not made, and why. kind: None for all that were wanted."""

    kind: ResultKind | None
    study_instance_uid: str
    code: NoResultCode
    reason: str


@dataclass(frozen=True, slots=True)
class StudyResults:
    """The objects and messages of one study, and those that are not made."""

    objects: tuple[ResultObject, ...]
    missing: tuple[MissingResult, ...]
    messages: tuple[ResultMessage, ...] = ()

    @property
    def made(self) -> tuple[ResultObject | ResultMessage, ...]:
        """Objects and then messages."""
        return (*self.objects, *self.messages)


def make_results(
    services: ResultServices,
    study_instance_uid: str,
    kinds: Collection[ResultKind] = DEFAULT_KINDS,
    now: datetime | None = None,
) -> StudyResults:
    """Make the results of a study. The same scores and verdicts make the same results each time.

    Raises NotThere if there is no such study, MachineFault where the store is not there, and
    Misconfigured where the template of a message makes none.
    """
    # An object says the same whoever asks for it.
    with speaking(ENGLISH):
        return _results(services, study_instance_uid, kinds, now or datetime.now(UTC))


def _results(
    services: ResultServices, study_instance_uid: str, kinds: Collection[ResultKind], now: datetime
) -> StudyResults:
    try:
        gathered = gather(services, study_instance_uid, now)
    except NoResult as none:
        return StudyResults((), (_missing(None, study_instance_uid, none),))
    objects: list[ResultObject] = []
    messages: list[ResultMessage] = []
    missing: list[MissingResult] = []
    for kind in ResultKind:
        if kind not in kinds:
            continue
        try:
            if kind in DICOM_KINDS:
                objects += (_object(kind, dataset) for dataset in _made(kind, services, gathered))
            else:
                messages.append(make_message(kind, services, gathered))
        except NoResult as none:
            missing.append(_missing(kind, study_instance_uid, none))
    return StudyResults(tuple(objects), tuple(missing), tuple(messages))


def _made(kind: ResultKind, services: ResultServices, gathered: GatheredStudy) -> Iterator[Dataset]:
    # highdicom takes long to load, and most processes that can make an object never do.
    from readfirst.results.assessment import assessment_report
    from readfirst.results.heat_maps import secondary_capture
    from readfirst.results.key_objects import key_objects
    from readfirst.results.report import structured_report

    if kind is ResultKind.VERDICT:
        yield assessment_report(*gathered.verdict)
        return
    result = gathered.current
    if kind is ResultKind.SR:
        yield structured_report(result)
        return
    if not result.flagged:
        raise NoResult(NoResultCode.NOT_FLAGGED)
    if kind is ResultKind.KOS:
        yield key_objects(result)
        return
    for heat in heat_map_pictures(services, gathered, result):
        if kind is ResultKind.SC:
            yield secondary_capture(result, heat)
        elif not heat.outlines:
            raise NoResult(NoResultCode.NO_HOT_REGION)
        else:
            yield _presentation_state(result, heat)


def _presentation_state(result: AiResult, heat: HeatMapPicture) -> Dataset:
    from readfirst.results.heat_maps import presentation_state

    try:
        return presentation_state(result, heat)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        # What a foreign header says of how the film is shown may be anything.
        raise NoResult(NoResultCode.PRESENTATION_UNKNOWN) from error


def _object(kind: ResultKind, dataset: Dataset) -> ResultObject:
    return ResultObject(
        kind=kind,
        study_instance_uid=str(dataset.StudyInstanceUID),
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        dataset=dataset,
    )


def _missing(kind: ResultKind | None, study_instance_uid: str, none: NoResult) -> MissingResult:
    return MissingResult(
        kind=kind, study_instance_uid=study_instance_uid, code=none.code, reason=none.reason
    )

"""The AI's result as a Comprehensive SR: TID 1500, with a TID 1501 group a film."""

from highdicom.sr import (
    ComprehensiveSR,
    FindingSite,
    LanguageOfContentItemAndDescendants,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset

from readfirst.results import codes
from readfirst.results.coded import coded, own_scheme
from readfirst.results.common import (
    SHORT_DISCLAIMER,
    FilledLater,
    algorithm_identification,
    device_context,
    equipment,
    evidence,
    finish,
    order_items,
    reference_dataset,
    series_attributes,
)
from readfirst.results.uids import instance_uid, tracking_uid
from readfirst.results.values import AiResult, ImageResult, ResultKind
from readfirst.results.words import comments


class ReportDocument(FilledLater, ComprehensiveSR):
    """A Comprehensive SR."""


def structured_report(result: AiResult) -> Dataset:
    """Make the report of what an ensemble version says of a study's films.

    A finding is *Present* where a film is flagged. It is never *Absent*, and what is not flagged
    has no code of a finding's presence at all: the AI rules nothing out.
    """
    report = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=device_context(result.algorithm)
        ),
        procedure_reported=coded(codes.PLAIN_CHEST_XRAY),
        imaging_measurements=[_group(result, image) for image in result.images],
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(
            coded(codes.LANGUAGE)
        ),
    )
    predecessor = result.predecessor
    dataset = ReportDocument(
        evidence=evidence(result),
        content=report,
        sop_instance_uid=instance_uid(ResultKind.SR, result),
        instance_number=result.number,
        is_complete=True,
        is_final=False,
        is_verified=False,
        requested_procedures=order_items(result.study),
        previous_versions=[reference_dataset(result.study, predecessor)] if predecessor else None,
        contributing_equipment=equipment(result),
        coding_schemes=[own_scheme()],
        **series_attributes(ResultKind.SR, result),
    )
    dataset.CompletionFlagDescription = SHORT_DISCLAIMER
    return finish(dataset, result, result.at)


def _group(result: AiResult, image: ImageResult) -> MeasurementsAndQualitativeEvaluations:
    """Return the group of one film (TID 1501)."""
    algorithm = algorithm_identification(result, image)
    source, finding = image.image, coded(*result.finding)
    probability = Measurement(
        name=coded(codes.PROBABILITY),
        value=round(image.probability, 6),
        unit=coded(codes.NO_UNITS),
        algorithm_id=algorithm,
    )
    evaluations = [QualitativeEvaluation(finding, coded(codes.PRESENT))] if image.flagged else []
    if image.marks:
        value = coded(codes.VALIDITIES[image.validity])
        evaluations.append(QualitativeEvaluation(coded(codes.VALIDITY), value))
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=tracking_uid(result.study.study_instance_uid, source.sop_instance_uid),
            identifier=f"ReadFirst: {result.finding[0].meaning}",
        ),
        finding_type=finding,
        algorithm_id=algorithm,
        finding_sites=[FindingSite(coded(codes.LUNG))],
        measurements=[probability],
        qualitative_evaluations=evaluations,
        source_images=[
            SourceImageForMeasurementGroup(source.sop_class_uid, source.sop_instance_uid)
        ],
    )
    group[0].ContentSequence.extend(_comment(text) for text in comments(image))
    return group


def _comment(text: str) -> TextContentItem:
    return TextContentItem(coded(codes.COMMENT), text, RelationshipTypeValues.CONTAINS)

"""The verdict of a reader on the AI's result as a Comprehensive SR, after IHE AIRA."""

from dataclasses import replace

from highdicom.sr import (
    CompositeContentItem,
    FindingSite,
    LanguageOfContentItemAndDescendants,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset

from readfirst.results import codes
from readfirst.results.common import (
    SHORT_DISCLAIMER,
    equipment,
    evidence,
    finish,
    long_text,
    order_items,
    reference_dataset,
    series_attributes,
)
from readfirst.results.report import COMPREHENSIVE_SR, ReportDocument, report_reference
from readfirst.results.uids import instance_uid, series_uid, tracking_uid
from readfirst.results.values import AiResult, ObjectReference, ReaderVerdict, ResultKind

#: In place of a name where nobody has to log in.
NOT_RECORDED = "not recorded"


def assessment_report(result: AiResult, verdict: ReaderVerdict) -> Dataset:
    """Make the report of what a reader makes of the AI's result: accepted, modified or rejected.

    It refers to the AI's report, which stands among its predecessors and in its evidence; each
    film's finding has the tracking UID of the AI's. result: what the AI said then.
    """
    ai_report = report_reference(result)
    before = [ai_report] + ([verdict.predecessor] if verdict.predecessor else [])
    ai_dataset = reference_dataset(result.study, ai_report)
    report = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=_reader(verdict)),
        procedure_reported=codes.PLAIN_CHEST_XRAY,
        imaging_measurements=_groups(result, verdict),
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(
            codes.LANGUAGE
        ),
    )
    dataset = ReportDocument(
        evidence=[*evidence(result), ai_dataset],
        content=report,
        sop_instance_uid=_instance_uid(result, verdict),
        instance_number=verdict.number,
        is_complete=True,
        is_final=False,
        is_verified=False,
        requested_procedures=order_items(result.study),
        previous_versions=[reference_dataset(result.study, each) for each in before],
        contributing_equipment=equipment(result),
        coding_schemes=[codes.own_scheme()],
        **series_attributes(ResultKind.VERDICT, result),
    )
    dataset.CompletionFlagDescription = SHORT_DISCLAIMER
    return finish(dataset, result, verdict.at)


def assessment_reference(result: AiResult, verdict: ReaderVerdict) -> ObjectReference:
    """Return what names the report of a verdict, which need not be made for it."""
    return ObjectReference(
        sop_class_uid=COMPREHENSIVE_SR,
        sop_instance_uid=_instance_uid(result, verdict),
        series_instance_uid=series_uid(ResultKind.VERDICT, result.study.study_instance_uid),
    )


def _instance_uid(result: AiResult, verdict: ReaderVerdict) -> str:
    return instance_uid(
        ResultKind.VERDICT, replace(result, predecessor=None), verdict.number,
        verdict.assessment.value, verdict.present, verdict.at.isoformat(),
    )  # fmt: skip


def _reader(verdict: ReaderVerdict) -> ObserverContext:
    name = long_text(verdict.by or NOT_RECORDED).replace("^", " ").replace("=", " ")
    return ObserverContext(codes.PERSON, PersonObserverIdentifyingAttributes(name=f"{name}^"))


def _groups(
    result: AiResult, verdict: ReaderVerdict
) -> list[MeasurementsAndQualitativeEvaluations]:
    """Return a group a film, each with the verdict, which is of the study as a whole."""
    finding = codes.concept(result.finding)
    ai_report = report_reference(result)
    groups = []
    for image in result.images:
        source = image.image
        group = MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(
                uid=tracking_uid(result.study.study_instance_uid, source.sop_instance_uid),
                identifier=f"ReadFirst: {result.finding[0].meaning}",
            ),
            finding_type=finding,
            finding_sites=[FindingSite(codes.LUNG)],
            qualitative_evaluations=[
                QualitativeEvaluation(codes.ASSESSMENT, codes.ASSESSMENTS[verdict.assessment]),
                QualitativeEvaluation(codes.READER_FINDING, codes.READER_FINDINGS[verdict.present]),
            ],
            source_images=[
                SourceImageForMeasurementGroup(source.sop_class_uid, source.sop_instance_uid)
            ],
        )
        group[0].ContentSequence.append(
            CompositeContentItem(
                codes.SOURCE,
                ai_report.sop_class_uid,
                ai_report.sop_instance_uid,
                RelationshipTypeValues.CONTAINS,
            )
        )
        groups.append(group)
    return groups

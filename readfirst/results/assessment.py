"""The verdict of a reader on the AI's result as a Comprehensive SR, after IHE AIRA."""

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
from readfirst.results.coded import coded, own_scheme
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
from readfirst.results.references import assessment_uid, report_reference
from readfirst.results.report import ReportDocument
from readfirst.results.uids import tracking_uid
from readfirst.results.values import AiResult, ReaderVerdict, ResultKind

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
        procedure_reported=coded(codes.PLAIN_CHEST_XRAY),
        imaging_measurements=_groups(result, verdict),
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(
            coded(codes.LANGUAGE)
        ),
    )
    dataset = ReportDocument(
        evidence=[*evidence(result), ai_dataset],
        content=report,
        sop_instance_uid=assessment_uid(result, verdict),
        instance_number=verdict.number,
        is_complete=True,
        is_final=False,
        is_verified=False,
        requested_procedures=order_items(result.study),
        previous_versions=[reference_dataset(result.study, each) for each in before],
        contributing_equipment=equipment(result),
        coding_schemes=[own_scheme()],
        **series_attributes(ResultKind.VERDICT, result),
    )
    dataset.CompletionFlagDescription = SHORT_DISCLAIMER
    return finish(dataset, result, verdict.at)


def _reader(verdict: ReaderVerdict) -> ObserverContext:
    name = long_text(verdict.by or NOT_RECORDED).replace("^", " ").replace("=", " ")
    return ObserverContext(
        coded(codes.PERSON), PersonObserverIdentifyingAttributes(name=f"{name}^")
    )


def _groups(
    result: AiResult, verdict: ReaderVerdict
) -> list[MeasurementsAndQualitativeEvaluations]:
    """Return a group a film, each with the verdict, which is of the study as a whole."""
    finding = coded(*result.finding)
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
            finding_sites=[FindingSite(coded(codes.LUNG))],
            qualitative_evaluations=[
                QualitativeEvaluation(
                    coded(codes.ASSESSMENT), coded(codes.ASSESSMENTS[verdict.assessment])
                ),
                QualitativeEvaluation(
                    coded(codes.READER_FINDING), coded(codes.READER_FINDINGS[verdict.present])
                ),
            ],
            source_images=[
                SourceImageForMeasurementGroup(source.sop_class_uid, source.sop_instance_uid)
            ],
        )
        group[0].ContentSequence.append(
            CompositeContentItem(
                coded(codes.SOURCE),
                ai_report.sop_class_uid,
                ai_report.sop_instance_uid,
                RelationshipTypeValues.CONTAINS,
            )
        )
        groups.append(group)
    return groups

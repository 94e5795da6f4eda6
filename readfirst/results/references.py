"""The names of reports, which need not be made for them."""

from dataclasses import replace

from readfirst.results.uids import instance_uid, series_uid
from readfirst.results.values import AiResult, ObjectReference, ReaderVerdict, ResultKind

COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"


def report_reference(result: AiResult) -> ObjectReference:
    """Return what names the report of a result."""
    return ObjectReference(
        sop_class_uid=COMPREHENSIVE_SR,
        sop_instance_uid=instance_uid(ResultKind.SR, result),
        series_instance_uid=series_uid(ResultKind.SR, result.study.study_instance_uid),
    )


def assessment_reference(result: AiResult, verdict: ReaderVerdict) -> ObjectReference:
    """Return what names the report of a verdict."""
    return ObjectReference(
        sop_class_uid=COMPREHENSIVE_SR,
        sop_instance_uid=assessment_uid(result, verdict),
        series_instance_uid=series_uid(ResultKind.VERDICT, result.study.study_instance_uid),
    )


def assessment_uid(result: AiResult, verdict: ReaderVerdict) -> str:
    """Return the SOP Instance UID of the report of a verdict."""
    return instance_uid(
        ResultKind.VERDICT, replace(result, predecessor=None), verdict.number,
        verdict.assessment.value, verdict.present, verdict.at.isoformat(),
    )  # fmt: skip

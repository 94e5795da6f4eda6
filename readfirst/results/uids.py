"""UIDs of results, made from what they say: the same twice is the same instance. Pure."""

import hashlib
import json
from collections.abc import Sequence

from readfirst.domain import uid_from_digest
from readfirst.results.values import AiResult, Algorithm, ResultKind

#: Changes whenever an object of the same values would be written otherwise.
FORM = 1


def instance_uid(kind: ResultKind, result: AiResult, *more: object) -> str:
    """Return the SOP Instance UID of an object.

    It is made of the kind, the study, the ensemble version, the codes of the finding, and of each
    film its UID, probability, threshold with its version, flag and marks; not of the patient, whose
    data may be corrected. more: what else the object says.
    """
    facts = [
        *(FORM, kind.value, result.study.study_instance_uid, _algorithm(result.algorithm)),
        [[code.value, code.scheme] for code in result.finding],
        [
            [
                image.image.sop_instance_uid,
                image.probability,
                image.threshold,
                image.threshold_version,
                image.flagged,
                [code for code, _ in image.marks],
            ]
            for image in result.images
        ],
        list(more),
    ]
    return _uid(facts, "result")


def series_uid(kind: ResultKind, study_instance_uid: str) -> str:
    """Return the Series Instance UID of the results of a kind in a study."""
    return _uid([kind.value, study_instance_uid], "result series")


def tracking_uid(study_instance_uid: str, sop_instance_uid: str) -> str:
    """Return the Tracking Unique Identifier of the finding on a film, by whichever version."""
    return _uid([study_instance_uid, sop_instance_uid], "tracking")


def device_uid(algorithm: Algorithm) -> str:
    """Return the Device Observer UID of an ensemble version."""
    return _uid([algorithm.version, algorithm.manifest_sha256], "device")


def digest(text: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()


def _algorithm(algorithm: Algorithm) -> list[object]:
    return [algorithm.version, algorithm.prevalence, algorithm.manifest_sha256]


def _uid(facts: Sequence[object], role: str) -> str:
    return uid_from_digest(digest(json.dumps(facts, separators=(",", ":")).encode()), role)

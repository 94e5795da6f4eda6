"""The outcome of files that were uploaded, by the digest of their content."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from db.images import image_with_content
from db.read_models import ScoreRecord
from db.tables import Arrival, IgnoredFile, Image
from db.worklist.queries import study_detail
from readfirst.domain import ImageState
from readfirst.formatting import readable_probability
from readfirst.language.texts import gettext
from readfirst.refusals import refusal_text
from readfirst.studies.display import DisplayContext

#: A copy of a film whose bytes differ is looked for among so many of the latest arrivals.
LATEST = 10_000
#: From here on nothing changes by itself.
FINAL = (ImageState.SCORED, ImageState.REFUSED)


class UploadState(StrEnum):
    """The states of a file that was uploaded."""

    NOT_TAKEN_IN = "not_taken_in"
    RECEIVED = "received"
    READY = "ready"
    SCORED = "scored"
    REFUSED = "refused"
    IGNORED = "set_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOutcome:
    """The outcome of a file. sha256: of its content."""

    sha256: str
    #: `not_taken_in`: it still lies in the inbox, or it never came.
    state: UploadState
    #: Nothing more will change: it is scored, refused or set aside.
    done: bool
    #: A refused or ignored file: why.
    code: str | None = None
    reason: str | None = None
    study_instance_uid: str | None = None
    #: Of this image; None while it has no score.
    probability: float | None = None
    flagged: bool = False
    #: The AI's result is kept from the reader until a verdict is given.
    ai_hidden: bool = False
    #: The outcome in words, as `scored 97 %`; empty while there is none.
    summary: str = ""


def upload_outcome(session: Session, sha256: str, *, display: DisplayContext) -> UploadOutcome:
    """Return how far the file with this content has come."""
    image = image_with_content(session, sha256) or _copied_image(session, sha256)
    if image is not None:
        return _of_image(session, sha256, image, display)
    ignored = session.scalar(select(IgnoredFile).where(IgnoredFile.sha256 == sha256).limit(1))
    if ignored is None:
        return UploadOutcome(sha256=sha256, state=UploadState.NOT_TAKEN_IN, done=False)
    return UploadOutcome(
        sha256=sha256,
        state=UploadState.IGNORED,
        done=True,
        code=ignored.code,
        reason=refusal_text(ignored.code, ignored.reason),
        summary=gettext("no film: {reason}").format(
            reason=refusal_text(ignored.code, ignored.reason)
        ),
    )


def _of_image(
    session: Session, sha256: str, image: Image, display: DisplayContext
) -> UploadOutcome:
    uid = image.study.study_instance_uid
    detail = study_detail(session, uid, display=display) if image.state in FINAL else None
    scores = [score for score in detail.scores if score.sha256 == image.sha256] if detail else []
    score = max(scores, key=lambda score: score.scored_at, default=None)
    return UploadOutcome(
        sha256=sha256,
        state=UploadState(image.state),
        done=image.state in FINAL,
        code=image.code,
        reason=image.reason,
        study_instance_uid=uid,
        probability=score.probability if score else None,
        flagged=score.flagged if score else False,
        ai_hidden=detail.study.ai_hidden if detail else False,
        summary=_summary(image, score),
    )


def _summary(image: Image, score: ScoreRecord | None) -> str:
    if image.state is ImageState.REFUSED:
        reason = refusal_text(image.code, image.reason or "")
        return gettext("not scored: {reason}").format(reason=reason)
    if image.state is not ImageState.SCORED:
        return ""
    if score is None:
        return gettext("scored")
    probability = readable_probability(score.probability)
    return gettext("scored {probability}").format(probability=probability)


def _copied_image(session: Session, sha256: str) -> Image | None:
    """The image of which a file is a copy under the same SOP Instance UID."""
    latest = aliased(Arrival, select(Arrival).order_by(Arrival.id.desc()).limit(LATEST).subquery())
    image_id = select(latest.image_id).where(latest.sha256 == sha256).limit(1)
    return session.scalar(select(Image).where(Image.id.in_(image_id)))

"""The decision about a file that came in: taken once, from its inspection and the database.

Nothing is written here.
"""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy.orm import Session

from db.images import ArrivalOutcome, NewArrival, arrived_before, image_with_content
from db.tables import Image
from ingest.inbox.file_names import is_system_file
from readfirst.domain import ImageState
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.identity import conflict, patient_of
from worker.intake.inspection import Inspection, Likeness, SameUid

#: What is found in files that programs put beside films.
NO_FILM = {RefusalCode.NOT_AN_IMAGE, RefusalCode.EMPTY_FILE, RefusalCode.NO_PIXEL_DATA}


class IntakeAction(Enum):
    """The ways in which a file is accepted."""

    #: It is no film: it is kept and listed.
    IGNORE = auto()
    #: It has its row already, from a run that died after the commit.
    SKIP = auto()
    #: It is the first file of its image.
    ADD_IMAGE = auto()
    #: Its image is known.
    ADD_COPY = auto()
    #: Its image was refused since its original was missing, which is here again.
    RESTORE = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about one file.

    refusal: why it cannot be scored; None if it can. image_id: the image that is known already.
    replaces: the image that is the beginning of this film.
    """

    action: IntakeAction
    outcome: ArrivalOutcome
    refusal: Refused | None = None
    image_id: int | None = None
    replaces: int | None = None


def decide(
    session: Session, arrival: NewArrival, inspection: Inspection, *, is_member: bool = False
) -> Decision:
    """Decide what becomes of a file. The session is only read.

    is_member: it came in an archive.
    """
    refusal = refusal_of(inspection)
    if refusal is not None and is_ignored(refusal.code, arrival.name, is_member=is_member):
        return Decision(IntakeAction.IGNORE, ArrivalOutcome.IGNORED, refusal)
    if arrived_before(session, arrival.claim_id):
        return Decision(IntakeAction.SKIP, ArrivalOutcome.DUPLICATE, refusal)
    outcome = ArrivalOutcome.REFUSED if refusal else ArrivalOutcome.RECEIVED
    same_uid = inspection.same_uid if refusal is None else None
    replaces = replaced(inspection)
    same_content = image_with_content(session, arrival.sha256)
    if same_content is not None:
        if _is_restored(same_content, same_uid, replaces):
            return Decision(IntakeAction.RESTORE, outcome, refusal, same_content.id, replaces)
        return Decision(IntakeAction.ADD_COPY, ArrivalOutcome.DUPLICATE, refusal, same_content.id)
    if same_uid is not None and replaces is None:
        return Decision(IntakeAction.ADD_COPY, ArrivalOutcome.DUPLICATE, refusal, same_uid.image_id)
    return Decision(IntakeAction.ADD_IMAGE, outcome, refusal, replaces=replaces)


def is_ignored(code: RefusalCode, name: str, *, is_member: bool) -> bool:
    """Return whether a file that cannot be scored is missed by nobody, as it is of no film. Pure.

    So are indexes of exports, what operating systems put beside films, and whatever else lies in an
    archive with films: viewers, pages, thumbnails. name: of the file, without its folders.
    """
    if code is RefusalCode.DICOM_INDEX:
        return True
    if is_member and code is RefusalCode.NOT_AN_IMAGE:
        return True
    return code in NO_FILM and is_system_file(name)


def refusal_of(inspection: Inspection) -> Refused | None:
    """Return why a file is refused: by itself, or since its UID is that of another film. Pure.

    A copy of an accepted film is not refused by what its header adds, as the film is then judged
    anew; one that contradicts the film's header is.
    """
    same_uid, refusal = inspection.same_uid, inspection.refusal
    if same_uid is None:
        return refusal
    if same_uid.likeness is Likeness.ANOTHER_FILM:
        return refusal or Refused(RefusalCode.SOP_INSTANCE_UID_CONFLICT)
    if inspection.header and conflict(same_uid.patient, patient_of(inspection.header)):
        return refusal or Refused(RefusalCode.PATIENT_CONFLICT)
    rejudged = same_uid.rejudged
    is_news = rejudged is not None and rejudged.refusal is not None
    return None if is_news and same_uid.likeness is not Likeness.WHOLE else refusal


def replaced(inspection: Inspection) -> int | None:
    """Return the number of the accepted image that is a beginning of this film, if one is. Pure."""
    same_uid = inspection.same_uid
    if same_uid is None or refusal_of(inspection) is not None:
        return None
    return same_uid.image_id if same_uid.likeness is Likeness.WHOLE else None


def _is_restored(image: Image, same_uid: SameUid | None, replaces: int | None) -> bool:
    """Return whether a refused image goes back to work by this copy of its original."""
    if image.state is ImageState.REFUSED and replaces is not None:
        return True
    return image.code is RefusalCode.ORIGINAL_MISSING and same_uid is None

"""The rows of the list: texts and shapes, made from the studies. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from zlib import crc32
from zoneinfo import ZoneInfo

from db.read_models import StudyRecord
from readfirst.domain import ImageState
from readfirst.formatting import readable_name, short_duration
from readfirst.language.formats import moment_text
from readfirst.language.texts import gettext, ngettext, pgettext
from readfirst.studies.findings import agreement_text, finding_text
from readfirst.studies.marks import Validity
from readfirst.studies.priority import PriorityReason
from worklist.services.study_texts import (
    examination,
    first_file,
    in_percent,
    indication,
    patient_age,
    read_elsewhere,
    ward,
)

#: Thumbnails of one study, so that the column keeps its width; the rest is told by a number.
MOST_THUMBNAILS = 1
#: The share of the longest wait from which a waiting time is marked.
SOON = 0.75
#: The words of a marked waiting time, for screen readers; clock.js has the same.
WAIT_WORDS = {
    "": "",
    "soon": ", over three quarters of the maximum wait",
    "over": ", over the maximum wait",
}
#: Fields of a row that the clock alone changes.
OF_THE_CLOCK = frozenset({"waiting", "wait_level"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbabilityBar:
    """Numbers in per cent. least, most: of the networks by themselves."""

    probability: float
    threshold: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A study of the list."""

    study_instance_uid: str
    priority_reason: PriorityReason
    flagged: bool
    reason: str
    #: The reason says more than the labels and the bar.
    reason_adds: bool
    #: Empty where the files name nobody; then the first file is named.
    patient: str
    file_name: str
    patient_facts: str
    #: What was examined, and how much there is of it.
    taken: str
    #: Why it was ordered.
    indication: str
    study_time: str
    #: Only where the list shows more than one.
    institution: str
    received: str
    received_at: str
    #: None for a study without a score, which is never shown as low.
    bar: ProbabilityBar | None
    thumbnails: tuple[str, ...]
    #: Images of which there is no thumbnail here.
    more_images: int
    pending: bool
    #: How far its score holds: with a mark it may flag the study, and never speaks against it.
    validity: Validity
    complete: bool
    #: What the AI says is kept from the reader until a verdict.
    ai_hidden: bool
    #: The sentences of what is odd about it.
    warnings: tuple[str, ...]
    #: It came in for comparison, and is not to be read.
    prior: bool
    #: The verdict, in words; empty for an unread study.
    read: str
    read_at: str
    #: For a verdict from the list: how many verdicts and images are seen here.
    verdict_count: int
    image_count: int
    waiting: str
    #: A key of `WAIT_WORDS`.
    wait_level: str
    #: Who has it open now; empty where nobody does.
    readers: str

    @property
    def wait_words(self) -> str:
        """The mark of the waiting time in words."""
        return gettext(WAIT_WORDS[self.wait_level])

    @property
    def has_word(self) -> bool:
        """True if the AI has said something that a reader can agree with."""
        return self.bar is not None and (self.flagged or self.validity is Validity.VALIDATED)

    @property
    def version(self) -> str:
        """A digest of all that the row shows, but for what the clock alone changes."""
        return f"{crc32(repr(_without_the_clock(self)).encode()):08x}"


_without_the_clock = attrgetter(*(name for name in PageRow.__slots__ if name not in OF_THE_CLOCK))


def wait_level(waited: timedelta, max_wait: timedelta) -> str:
    """The mark of a waiting time: `over` the longest wait, `soon` or not at all."""
    if waited >= max_wait:
        return "over"
    return "soon" if waited >= SOON * max_wait else ""


def page_rows(
    studies: Sequence[StudyRecord],
    now: datetime,
    zone: ZoneInfo,
    max_wait: timedelta,
    readers: Mapping[str, str],
) -> list[PageRow]:
    """The rows of the list.

    max_wait: the site's longest wait. readers: who has a study open, by its Study Instance UID.
    """
    several = len({study.institution_name for study in studies} - {None}) > 1
    return [_page_row(study, now, zone, several, max_wait, readers) for study in studies]


def _page_row(
    study: StudyRecord,
    now: datetime,
    zone: ZoneInfo,
    several: bool,
    max_wait: timedelta,
    readers: Mapping[str, str],
) -> PageRow:
    waiting_states = (ImageState.RECEIVED, ImageState.READY)
    prepared = [image.sha256 for image in study.images if image.ready_at is not None]
    local = now.astimezone(zone)
    pending = any(image.state in waiting_states for image in study.images)
    waited = (study.read_at or now) - study.received_at
    is_waited_for = study.read_at is None and not study.prior
    level = wait_level(waited, max_wait) if is_waited_for else ""
    return PageRow(
        study_instance_uid=study.study_instance_uid,
        priority_reason=study.standing,
        flagged=study.flagged,
        reason=study.why,
        reason_adds=_adds(study, pending=pending, overdue=level == "over"),
        patient=readable_name(study.patient_name or ""),
        file_name=first_file(study),
        patient_facts=_patient_facts(study, zone),
        taken=_exam(study),
        indication=indication(study),
        study_time=_moment(study.study_datetime, local),
        institution=study.institution_name or "" if several else "",
        received=_moment(study.received_at, local, names_today=False),
        received_at=study.received_at.isoformat(timespec="seconds"),
        bar=_bar(study),
        thumbnails=tuple(prepared[:MOST_THUMBNAILS]),
        more_images=len(study.images) - len(prepared[:MOST_THUMBNAILS]) if prepared else 0,
        pending=pending,
        validity=study.validity,
        complete=study.complete,
        ai_hidden=study.ai_hidden,
        warnings=tuple(warning.reason for warning in study.warnings),
        prior=study.prior,
        read=_read(study),
        read_at=_moment(study.read_at, local, names_today=False),
        verdict_count=study.verdict_count,
        image_count=len(study.images),
        waiting=short_duration(waited),
        wait_level=level,
        readers=readers.get(study.study_instance_uid, ""),
    )


def _adds(study: StudyRecord, *, pending: bool, overdue: bool) -> bool:
    """Tell whether the reason says more than the labels and the bar."""
    if study.ai_hidden:
        return False
    not_scored = study.probability is None and not pending
    overtakable = study.standing in (PriorityReason.WAITING, PriorityReason.NOT_SCORED)
    return not_scored or bool(study.marks) or (overdue and overtakable)


def _patient_facts(study: StudyRecord, zone: ZoneInfo) -> str:
    age = patient_age(study, zone)
    ward_text = f"{gettext('Ward')} {ward(study)}" if ward(study) else ""
    facts = (age, study.patient_sex, study.patient_id, study.accession_number, ward_text)
    return " · ".join(fact for fact in facts if fact)


def _exam(study: StudyRecord) -> str:
    """As `Chest AP, 2 images, 3 priors`."""
    images, priors = len(study.images), study.prior_count
    words = [examination(study)]
    if images > 1:
        words.append(ngettext("{number} image", "{number} images", images).format(number=images))
    if priors:
        words.append(ngettext("{number} prior", "{number} priors", priors).format(number=priors))
    return ", ".join(filter(None, words))


def _read(study: StudyRecord) -> str:
    """The finding, and its agreement with the AI."""
    if study.read_at is None:
        return ""
    if study.verdict is None:
        return read_elsewhere(study) or pgettext("state", "Read")
    words = [finding_text(study.verdict.finding)]
    if study.verdict.agreement:
        words.append(agreement_text(study.verdict.agreement))
    return gettext("Read: {verdict}").format(verdict=", ".join(words))


def _bar(study: StudyRecord) -> ProbabilityBar | None:
    if study.probability is None or study.threshold is None:
        return None
    members = study.members.values() or (study.probability,)
    return ProbabilityBar(
        probability=in_percent(study.probability),
        threshold=in_percent(study.threshold),
        least=in_percent(min(members)),
        most=in_percent(max(members)),
    )


def _moment(at: datetime | None, now: datetime, *, names_today: bool = True) -> str:
    """A time as short as it can be told apart. now: in the site's zone."""
    if at is None:
        return ""
    local = at.astimezone(now.tzinfo)
    if local.date() == now.date():
        time = moment_text(local, "minute_of_day")
        return gettext("today {time}").format(time=time) if names_today else time
    return moment_text(local, "minute_of_year" if local.year == now.year else "day")

"""The timeline of a study in words, from its arrival to its being read, with the times between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from db.access.audit import FirstViewing
from db.read_models import EventRecord, ImageRecord, ScoreRecord, StudyDetail, VerdictRecord
from readfirst.formatting import attribute_names, readable_probability, short_duration
from readfirst.language.formats import moment_text
from readfirst.language.texts import gettext, pgettext
from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.studies.findings import finding_text
from readfirst.studies.marks import MARK_SENTENCES, MarkCode

#: Shown by the verdicts themselves, which say more.
SHOWN_BY_VERDICTS = {"verdict", "read"}
PLAIN = {
    "ready": "Decoded, and ready for the networks",
    "duplicate": "The same file came in again",
    "retried": "Tried again",
    "moved": "Found to belong to another study",
    "prepare_again": "To be decoded again",
    "attempt_failed": "An attempt to decode or score it failed",
    "original_removed": "Original removed, as the site's settings say",
    "original_restored": "Original came in again, and is kept",
    "unread": "Unread again, since this image came in",
    "raised_to_stat": "Raised to STAT",
    "patient_merged": "The RIS merged this patient with another: their studies belong together",
    "merge_undone": "A merge of this patient with another one was undone",
    "report_withdrawn": "The report of the other system was withdrawn",
    "order_cancelled": "The order was cancelled; the study stays where it is",
    "no_prior": "No prior any more: to be read",
    "replaced": "Found to be a beginning only: the whole film came in and replaced it",
}
#: Of events that name attributes.
FIELDS = {
    "details_added": "A later file filled in what was missing",
    "contradicted": "A later file says otherwise than what is shown",
    "patient_corrected": "The patient's data were corrected by the RIS",
}
#: Why a study became a prior.
PRIORS = {
    "old": "it was old when it came in",
    "newer_study": "the patient has a newer study",
}
FOR_COMPARISON = "it came in for comparison"
#: Why a flag changed, where it was not by a film that came in.
CAUSES = {
    "rescore": "scored again by ensemble {}",
    "rollback": "ensemble {} is active again",
    "threshold": "ensemble {} has another threshold",
    "reprocess": "an image was tried again",
    "order": "an order says so",
}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened. kind: `flag`, `refused`, `read` or nothing, for its looks."""

    at: datetime
    what: str
    kind: str = ""
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """A line of the timeline. since: how long after the line before; empty for the first."""

    at: str
    since: str
    what: str
    kind: str
    #: Which image, where a study has several.
    image: str


def timeline(
    detail: StudyDetail, opened: FirstViewing | None, zone: ZoneInfo
) -> tuple[TimelineRow, ...]:
    """The events of a study, in order. opened: when a person first looked at it."""
    entries = [*_from_events(detail), *_from_verdicts(detail.verdicts)]
    if opened is not None:
        entries.append(TimelineEntry(opened.at, _by(gettext("First opened"), opened.account)))
    # Python's sorting keeps what happened at one moment in the order of its events.
    entries.sort(key=lambda entry: entry.at)
    labels = _labels(detail.study.images)
    before = [None, *(entry.at for entry in entries[:-1])]
    return tuple(
        TimelineRow(
            at=_clock(entry.at, earlier, zone),
            since="" if earlier is None else _since(entry.at - earlier),
            what=entry.what,
            kind=entry.kind,
            image=labels.get(entry.sha256 or "", ""),
        )
        for entry, earlier in zip(entries, before, strict=True)
    )


def _clock(at: datetime, earlier: datetime | None, zone: ZoneInfo) -> str:
    """The time of day, with its date where that is another one."""
    local = at.astimezone(zone)
    same_day = earlier is not None and earlier.astimezone(zone).date() == local.date()
    return moment_text(local, "second_of_day" if same_day else "second")


def _since(duration: timedelta) -> str:
    return f"+ {short_duration(duration)}" if duration >= timedelta(seconds=1) else "0 s"


def times(detail: StudyDetail, opened: FirstViewing | None) -> tuple[tuple[str, str], ...]:
    """The times from arrival: to the first score, to its first being opened, to be read."""
    arrived = detail.study.received_at
    scored = min((score.scored_at for score in detail.scores), default=None)
    moments = {
        pgettext("time", "scored"): scored,
        pgettext("time", "opened"): opened.at if opened else None,
        pgettext("time", "read"): detail.study.read_at,
    }
    return tuple(
        (name, short_duration(at - arrived)) for name, at in moments.items() if at is not None
    )


def _from_events(detail: StudyDetail) -> Iterator[TimelineEntry]:
    names = {image.sha256: image.file_name for image in detail.study.images}
    scores = {(score.sha256, score.ensemble_version): score for score in detail.scores}
    for event in detail.events:
        if event.action in SHOWN_BY_VERDICTS or (event.action == "unread" and not event.sha256):
            continue
        yield _entry(event, names, scores)


def _entry(
    event: EventRecord, names: Mapping[str, str], scores: Mapping[tuple[str, str], ScoreRecord]
) -> TimelineEntry:
    version, image = str(event.detail.get("ensemble", "")), event.sha256 or ""
    kind = ""
    if event.action == "received":
        what = gettext("Received {file}").format(file=names.get(image, "")).rstrip()
    elif event.action == "scored":
        what = _scored(version, scores.get((image, version)))
    elif event.action == "flagged":
        what, kind = gettext("Flagged, moved up") + _cause(event), "flag"
    elif event.action == "flag_withdrawn":
        what = gettext("No longer flagged") + _cause(event)
    elif event.action == "raised_to_stat":
        what = gettext(PLAIN[event.action]) + _cause(event)
    elif event.action == "prior":
        reason = PRIORS.get(str(event.detail.get("reason")), FOR_COMPARISON)
        what = gettext("Made a prior, not to be read: {reason}").format(reason=gettext(reason))
    elif event.action == "refused":
        sentence = _sentence(event.detail.get("code"))
        what, kind = gettext("Not scored: {reason}").format(reason=sentence), "refused"
    elif event.action == "marked":
        marks = _marks(event.detail.get("codes"))
        what = gettext("No longer marked as not validated")
        if marks:
            what = gettext("Not validated: {marks}").format(marks=marks)
    elif event.action == "escalated":
        minutes = event.detail.get("after_minutes")
        what = gettext("Escalated: urgent and unread for {minutes} min").format(minutes=minutes)
    elif event.action == "reported":
        what = _by(gettext("Read elsewhere"), str(event.detail.get("by") or ""))
        kind = "read"
    elif event.action == "acknowledged":
        what = _by(gettext("Escalation acknowledged"), str(event.detail.get("by") or ""))
    elif event.action in FIELDS:
        what = f"{gettext(FIELDS[event.action])}: {_fields(event.detail.get('fields'))}"
    elif event.action in ("rescore", "score_confirmed", "score_not_reproduced"):
        what = _again(event.action, version)
    else:
        what = gettext(PLAIN.get(event.action, "")) or event.action.replace("_", " ").capitalize()
    return TimelineEntry(event.at, what, kind, event.sha256)


def _cause(event: EventRecord) -> str:
    text = gettext(CAUSES.get(event.cause or "", ""))
    reason = text.format(event.detail.get("ensemble") or "")
    return f": {reason}" if reason else ""


def _scored(version: str, score: ScoreRecord | None) -> str:
    if score is None:
        return gettext("Scored by ensemble {version}").format(version=version)
    text = gettext("Scored {probability} by ensemble {version}")
    return text.format(probability=readable_probability(score.probability), version=version)


def _again(action: str, version: str) -> str:
    if action == "rescore":
        return gettext("Waits to be scored by ensemble {version}").format(version=version)
    is_same = action == "score_confirmed"
    result = gettext("the same") if is_same else gettext("not the same")
    text = gettext("Scored again by ensemble {version}: {result}")
    return text.format(version=version, result=result)


def _sentence(code: object) -> str:
    text = str(code or "")
    return gettext(SENTENCES[RefusalCode(text)]) if text in set(RefusalCode) else text


def _marks(codes: object) -> str:
    marks = codes if isinstance(codes, list) else []
    known = (MarkCode(mark) for mark in marks if mark in set(MarkCode))
    return " ".join(gettext(MARK_SENTENCES[code]) for code in known)


def _fields(names: object) -> str:
    return attribute_names(map(str, names if isinstance(names, list) else []))


def _from_verdicts(verdicts: Sequence[VerdictRecord]) -> Iterator[TimelineEntry]:
    for verdict in verdicts:
        if verdict.withdrawn:
            yield TimelineEntry(verdict.at, _by(gettext("Marked as unread"), verdict.by))
        else:
            read = _by(pgettext("state", "Read"), verdict.by)
            yield TimelineEntry(verdict.at, f"{read}: {finding_text(verdict.finding)}", "read")


def _by(what: str, account: str | None) -> str:
    if not account:
        return what
    return gettext("{what} by {account}").format(what=what, account=account)


def _labels(images: Sequence[ImageRecord]) -> dict[str, str]:
    if len(images) < 2:
        return {}
    text = gettext("image {number}")
    return {image.sha256: text.format(number=number) for number, image in enumerate(images, 1)}

"""The way of one study in words, from its arrival to its being read, with the times between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from db.audit import FirstView
from db.views import EventView, ImageView, ScoreView, StudyDetail, VerdictView
from readfirst.findings import said
from readfirst.marks import MARK_SENTENCES, MarkCode
from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.words import short_duration

#: Told by the verdicts themselves, which say more.
TOLD_BY_VERDICTS = {"verdict", "read"}
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
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened. kind: `flag`, `refused`, `read` or nothing, for its looks."""

    at: datetime
    what: str
    kind: str = ""
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStep:
    """One line of the timeline. since: how long after the line before; empty for the first."""

    at: str
    since: str
    what: str
    kind: str
    #: Which image, where a study has several.
    image: str


def timeline(
    detail: StudyDetail, opened: FirstView | None, zone: ZoneInfo
) -> tuple[ShownStep, ...]:
    """What happened to a study, in order. opened: when a person first looked at it."""
    steps = [*_from_events(detail), *_from_verdicts(detail.verdicts)]
    if opened is not None:
        steps.append(Step(opened.at, f"First opened{_by(opened.account)}"))
    # Python's sorting keeps what happened at one moment in the order of its telling.
    steps.sort(key=lambda step: step.at)
    labels = _labels(detail.study.images)
    before = [None, *(step.at for step in steps[:-1])]
    return tuple(
        ShownStep(
            at=_clock(step.at, earlier, zone),
            since="" if earlier is None else _since(step.at - earlier),
            what=step.what,
            kind=step.kind,
            image=labels.get(step.sha256 or "", ""),
        )
        for step, earlier in zip(steps, before, strict=True)
    )


def _clock(at: datetime, earlier: datetime | None, zone: ZoneInfo) -> str:
    """The time of day, with its date where that is another one."""
    local = at.astimezone(zone)
    same_day = earlier is not None and earlier.astimezone(zone).date() == local.date()
    return local.strftime("%H:%M:%S" if same_day else "%d %b %Y %H:%M:%S")


def _since(duration: timedelta) -> str:
    return f"+ {short_duration(duration)}" if duration >= timedelta(seconds=1) else "at once"


def times(detail: StudyDetail, opened: FirstView | None) -> tuple[tuple[str, str], ...]:
    """How long it took from arrival: to the first score, to its first being opened, to be read."""
    arrived = detail.study.received_at
    scored = min((score.scored_at for score in detail.scores), default=None)
    moments = {
        "scored": scored,
        "opened": opened.at if opened else None,
        "read": detail.study.read_at,
    }
    return tuple(
        (name, short_duration(at - arrived)) for name, at in moments.items() if at is not None
    )


def _from_events(detail: StudyDetail) -> Iterator[Step]:
    names = {image.sha256: image.file_name for image in detail.study.images}
    scores = {(score.sha256, score.ensemble_version): score for score in detail.scores}
    for event in detail.events:
        if event.action in TOLD_BY_VERDICTS or (event.action == "unread" and not event.sha256):
            continue
        yield _step(event, names, scores)


def _step(
    event: EventView, names: Mapping[str, str], scores: Mapping[tuple[str, str], ScoreView]
) -> Step:
    version, image = str(event.detail.get("ensemble", "")), event.sha256 or ""
    kind = ""
    if event.action == "received":
        what = f"Received {names.get(image, '')}".rstrip()
    elif event.action == "scored":
        what = _scored(version, scores.get((image, version)))
    elif event.action == "flagged":
        what, kind = "Flagged, and so read earlier", "flag"
    elif event.action == "refused":
        what, kind = f"Not scored: {_sentence(event.detail.get('code'))}", "refused"
    elif event.action == "marked":
        what = f"Not validated: {_marks(event.detail.get('codes'))}"
    elif event.action in ("rescore", "score_confirmed", "score_not_reproduced"):
        what = _again(event.action, version)
    else:
        what = PLAIN.get(event.action) or event.action.replace("_", " ").capitalize()
    return Step(event.at, what, kind, event.sha256)


def _scored(version: str, score: ScoreView | None) -> str:
    probability = "" if score is None else f" {score.probability:.2f}"
    return f"Scored{probability} by ensemble {version}"


def _again(action: str, version: str) -> str:
    if action == "rescore":
        return f"Waits to be scored by ensemble {version}"
    told = "the same" if action == "score_confirmed" else "not the same"
    return f"Scored again by ensemble {version}: {told}"


def _sentence(code: object) -> str:
    told = str(code or "")
    return SENTENCES[RefusalCode(told)] if told in set(RefusalCode) else told


def _marks(codes: object) -> str:
    listed = codes if isinstance(codes, list) else []
    return " ".join(MARK_SENTENCES[MarkCode(one)] for one in listed if one in set(MarkCode))


def _from_verdicts(verdicts: Sequence[VerdictView]) -> Iterator[Step]:
    for verdict in verdicts:
        if verdict.withdrawn:
            yield Step(verdict.at, f"Marked as unread{_by(verdict.by)}")
        else:
            yield Step(verdict.at, f"Read{_by(verdict.by)}: {said(verdict.finding)}", "read")


def _by(account: str | None) -> str:
    return f" by {account}" if account else ""


def _labels(images: Sequence[ImageView]) -> dict[str, str]:
    if len(images) < 2:
        return {}
    return {image.sha256: f"image {place}" for place, image in enumerate(images, 1)}

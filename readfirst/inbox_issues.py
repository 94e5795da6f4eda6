"""Inbox issues: the codes and sentences of what lies in the inbox and cannot be taken."""

from dataclasses import dataclass
from enum import StrEnum

from readfirst.language.texts import gettext


class InboxIssueCode(StrEnum):
    """The codes. They are stored and exported, so a code is never renamed."""

    INBOX_GONE = "inbox_gone"
    LINK = "link"
    SPECIAL_FILE = "special_file"
    NOT_READABLE = "not_readable"
    NOT_MOVABLE = "not_movable"
    UNFINISHED = "unfinished"
    OPEN_FOR_WRITING = "open_for_writing"


SENTENCES: dict[InboxIssueCode, str] = {
    InboxIssueCode.INBOX_GONE: "Inbox folder is missing or not writable. Retrying.",
    InboxIssueCode.LINK: "Links are never followed; copy the file itself into the inbox.",
    InboxIssueCode.SPECIAL_FILE: "Sockets, pipes and devices are never opened; remove it.",
    InboxIssueCode.NOT_READABLE: "It cannot be read; once the permission comes it is taken.",
    InboxIssueCode.NOT_MOVABLE: "The inbox does not let go of it; it is tried again at every scan.",
    InboxIssueCode.UNFINISHED: (
        "By its name it is still being written, yet nobody writes; rename it."
    ),
    InboxIssueCode.OPEN_FOR_WRITING: (
        "A program has it open for writing and writes nothing; it is taken once it is closed."
    ),
}


@dataclass(frozen=True, slots=True)
class InboxIssue:
    """A thing in the inbox that people should know of.

    relative_path: where it lies in the inbox; `.` is the inbox itself. detail: what the operating
    system said.
    """

    code: InboxIssueCode
    relative_path: str
    detail: str = ""

    @property
    def reason(self) -> str:
        """The sentence for the reader, with the detail behind it."""
        return gettext(SENTENCES[self.code]) + (f" ({self.detail})" if self.detail else "")

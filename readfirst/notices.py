"""What intake says of the inbox itself: what lies there and is not taken, and why, in one place."""

from dataclasses import dataclass
from enum import StrEnum


class NoticeCode(StrEnum):
    """The codes. They are stored and exported, so a code is never renamed."""

    INBOX_GONE = "inbox_gone"
    LINK = "link"
    SPECIAL_FILE = "special_file"
    NOT_READABLE = "not_readable"
    NOT_MOVABLE = "not_movable"
    UNFINISHED = "unfinished"


SENTENCES: dict[NoticeCode, str] = {
    NoticeCode.INBOX_GONE: "The drop folder is not there or cannot be used; it is waited for.",
    NoticeCode.LINK: "Links are never followed; copy the file itself into the inbox.",
    NoticeCode.SPECIAL_FILE: "Sockets, pipes and devices are never opened; remove it.",
    NoticeCode.NOT_READABLE: "It cannot be read; once the permission comes it is taken.",
    NoticeCode.NOT_MOVABLE: "The inbox does not let go of it; it is tried again at every scan.",
    NoticeCode.UNFINISHED: "By its name it is still being written, yet nobody writes; rename it.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that people should know of the inbox.

    relative_path: where it lies in the inbox; `.` is the inbox itself. detail: what the operating
    system said.
    """

    code: NoticeCode
    relative_path: str
    detail: str = ""

    @property
    def reason(self) -> str:
        """The sentence for the reader, with the detail behind it."""
        return SENTENCES[self.code] + (f" ({self.detail})" if self.detail else "")

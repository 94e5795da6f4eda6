"""The states of a result on its way to a destination."""

from enum import StrEnum


class SendingState(StrEnum):
    """The states. Their values are stored: none ever changes."""

    #: To be sent, at once or after a pause.
    WAITING = "waiting"
    #: The destination has taken it.
    SENT = "sent"
    #: The destination has promised to keep it (DICOM storage commitment).
    COMMITTED = "committed"
    #: Tried for days, or refused again and again: a person must see why, and send it again.
    GIVEN_UP = "given_up"
    #: By a rule there is no such result (`readfirst.results.reasons`).
    NOT_MADE = "not_made"

"""The result of one attempt to deliver a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """The result of one attempt.

    answered: True if the receiver answered, and is not at fault itself. outcome: the status, or the
    name of the error.
    """

    taken: bool
    answered: bool
    outcome: str

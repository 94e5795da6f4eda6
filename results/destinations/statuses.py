"""Statuses of a store request, of C-STORE and STOW-RS alike (PS3.4 B.2.3, PS3.7 C, PS3.18 I.2)."""

from results.destinations.kind import SendingFailed

SUCCESS = 0x0000
#: It has the very object already, which is what was wanted.
DUPLICATE = 0x0111
WARNINGS = frozenset({0x0001, 0x0107, 0x0116})
SENTENCES = {
    0x0110: "it had a fault of its own (processing failure)",
    0x0117: "it takes the object for invalid (invalid object instance)",
    0x0122: "it does not take this kind of object (SOP class not supported)",
    0x0124: "it does not allow that (not authorised)",
    0x0210: "it has got the same message twice (duplicate invocation)",
}


def check_status(status: int, what: str) -> None:
    """Raises SendingFailed unless an object was taken, be it with a warning. what: names it.

    A destination without room is tried for days; what it refuses is soon given up.
    """
    group = status & 0xF000
    if status in (SUCCESS, DUPLICATE) or status in WARNINGS or group == 0xB000:
        return
    code = f"status {status:#06x}"
    if status & 0xFF00 == 0xA700:
        raise SendingFailed(f"The destination has no room or no time ({code}).")
    if status & 0xFF00 == 0xA900:
        reason = "the object does not fit its SOP class, it says"
    elif group == 0xC000:
        reason = "it cannot understand the object, it says"
    else:
        reason = SENTENCES.get(status, "it does not say why")
    raise SendingFailed(f"{what} was not taken: {reason} ({code}).", answered=True)

"""Sentences for what a PACS answers to C-FIND, C-MOVE and C-GET (PS3.4 C.4, PS3.7 C)."""

SUCCESS, CANCELLED, SOME_FAILED = 0x0000, 0xFE00, 0xB000
PENDING = (0xFF00, 0xFF01)
#: No other request will do better before somebody has set something right.
NOTHING_WILL_DO = (0x0122, 0x0124, 0xA801)
NO_ANSWER = "The PACS gave no answer in time, or ended the association."
SENTENCES = {
    0x0122: "The PACS does not know this kind of request (0122H).",
    0x0124: "The PACS does not let this AE title ask that (0124H).",
    0xA700: "The PACS is out of resources (A700H).",
    0xA701: "The PACS is out of resources to count the images (A701H).",
    0xA702: "The PACS could not send the images (A702H): can it reach the listener, and is it let "
    "in?",
    0xA801: "The PACS does not know the AE title {destination} as a destination (A801H): it has to "
    "be set up there, with the address of the listener.",
    0xA900: "The PACS says that the request does not fit its model (A900H).",
    0xFE00: "It was cancelled.",
}


def status_sentence(status: int, destination: str = "", comment: str = "") -> str:
    """Say what a final status means. comment: Error Comment (0000,0902), as the PACS wrote it."""
    text = SENTENCES.get(status)
    if text is None:
        text = f"The PACS could not do it (status {status:04X}H)."
    text = text.replace("{destination}", destination)
    return f"{text} It says: {comment}" if comment else text


def missing_sentence(failed: int, images: int) -> str:
    """Say that a PACS sent less than there is."""
    of_all = failed + images
    return f"The PACS could not send {failed} of {of_all} images (B000H)."

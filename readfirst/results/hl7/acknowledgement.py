"""Acknowledgements of HL7 v2 (2.5.1, chapter 2.9): what a receiver answers to a message. Pure."""

import re
from dataclasses import dataclass

#: Accepted: by the application, or into safe storage (table 0008).
ACCEPTED = ("AA", "CA")
#: Characters of a receiver's text that are kept.
MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An answer. control_id: of the message that it answers. text: what it says besides."""

    code: str
    control_id: str
    text: str

    @property
    def is_taken(self) -> bool:
        """True if the receiver has the message."""
        return self.code in ACCEPTED


def read_acknowledgement(block: bytes) -> Acknowledgement:
    """Read an answer as receivers write it: with any line ends and delimiters.

    The text is that of MSA-3, of ERR-8 (user message) and ERR-7 (diagnostics), else the meaning of
    ERR-3. Raises ValueError for what is no acknowledgement.
    """
    lines = [line for line in re.split(r"[\r\n]+", block.decode("utf-8", "replace")) if line]
    if not lines or not lines[0].startswith("MSH") or len(lines[0]) < 5:
        raise ValueError("no HL7 message")
    bar, component = lines[0][3], lines[0][4]
    segments = [line.split(bar) for line in lines]
    answer = next((segment for segment in segments if segment[0] == "MSA"), None)
    if answer is None or not _field(answer, 1):
        raise ValueError("no MSA segment")
    texts = [_field(answer, 3)]
    for error in (segment for segment in segments if segment[0] == "ERR"):
        words_of_it = [_field(error, 8), _field(error, 7)]
        meaning = _field(error, 3).split(component)[1:2]
        texts += words_of_it if any(words_of_it) else meaning
    words = " ".join(" ".join(dict.fromkeys(text for text in texts if text)).split())
    return Acknowledgement(_field(answer, 1), _field(answer, 2), words[:MOST_CHARACTERS])


def _field(segment: list[str], number: int) -> str:
    return segment[number].strip() if number < len(segment) else ""

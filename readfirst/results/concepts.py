"""Coded concepts of DICOM results, and the form in which a setting names them."""

import re
from dataclasses import dataclass

#: PS3.3 8.8: the lengths of Code Value (SH), Coding Scheme Designator (SH), Code Meaning (LO).
CODE_FORM = re.compile(r"([^\s^\\][^^\\]{0,15})\^([^\s^\\][^^\\]{0,63})\^([^\s^\\][^^\\]{0,15})")


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (PS3.3 8.8), as `RID5350`, `pneumonia`, `RADLEX`."""

    value: str
    meaning: str
    scheme: str


def read_code(text: str) -> Code:
    """Read a code as HL7 v2 writes it (CWE): `code^meaning^scheme`. Raises ValueError."""
    form = CODE_FORM.fullmatch(text)
    if form is None:
        raise ValueError("no code as RID5350^pneumonia^RADLEX")
    return Code(*form.groups())

"""Foreign text, as names of files and comments, for terminals and spreadsheets. Pure.

What would steer a terminal or start a formula there is written out, so that it is seen.
"""

import re

#: Control characters (ECMA-48: C0, DEL, C1), halves of surrogates (bytes of a name that are no
#: UTF-8), line and paragraph separators, and what turns the direction of a text (UAX 9).
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
#: Signs by which a spreadsheet knows a formula; full-width ones are the same to some.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
#: Characters that a spreadsheet leaves out before it looks: spaces, marks without a width, quotes.
_LEFT_OUT = r'[\s\u200b-\u200f\u2060\ufeff"]*'
_FORMULA = re.compile(rf"{_LEFT_OUT}[{_SIGNS}]|[\t\n]")
#: A cell's text goes on in another cell where a site's spreadsheet parts cells so.
_FORMULA_BEHIND = re.compile(rf"([;\t\n]{_LEFT_OUT})(?=[{_SIGNS}])")


def printable(text: str, keep: str = "\n\t") -> str:
    r"""Return a text with its unprintable characters written out, as `\x1b`.

    keep: those of them that stay. A byte of a name that is no UTF-8 is written as that byte.
    """

    def written(match: re.Match[str]) -> str:
        character = match[0]
        if character in keep:
            return character
        code = ord(character)
        byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
        return f"\\x{byte:02x}" if byte < 0x100 else f"\\u{code:04x}"

    return UNPRINTABLE.sub(written, text)


def one_line(text: str) -> str:
    """Return a text that is printable and in one line."""
    return printable(text, keep="")


def printable_json(text: str) -> str:
    """Return JSON whose unprintable characters are escaped; it means the same (RFC 8259 7)."""
    return UNPRINTABLE.sub(
        lambda match: match[0] if match[0] in "\n\t" else f"\\u{ord(match[0]):04x}", text
    )


def spreadsheet_text(text: str) -> str:
    """Return a text as a cell of CSV that no spreadsheet takes for a formula (CWE-1236).

    An apostrophe stands before what would begin one, in whatever way cells are parted; every end
    of a line is a line feed.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    plain = _FORMULA_BEHIND.sub(r"\1'", printable(lines))
    return f"'{plain}" if _FORMULA.match(plain) else plain

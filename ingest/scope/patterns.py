"""Patterns of the scope's rules, and the letters of a value that each of them means. Pure.

`LL` is a whole value, whatever its case, accents, spaces and punctuation. A star that touches
letters, as in `*SUPPRESS*`, stands for any characters; one by itself, as in `* LAT *`, for any
words, so that LAT is a word there; and in such a pattern `*LATERAL` is a word that ends so.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from unicodedata import combining, normalize

#: What parts words and values in a text that `words_of` or `text_of` makes.
GAP = r"[ \\]"
NO_GAP = r"[^ \\]"
PUNCTUATION = r"[^\w*\\]|_"
WORD_BEGINS, WORD_ENDS = rf"(?<!{NO_GAP})", rf"(?!{NO_GAP})"


class Span(NamedTuple):
    """Letters of a text, from `start` to before `end`."""

    start: int
    end: int

    def covers(self, other: "Span") -> bool:
        """Tell whether all of the other's letters are in this one, and more."""
        return self != other and self.start <= other.start and other.end <= self.end

    def meets(self, start: int, end: int) -> bool:
        """Tell whether it names letters between two positions; a star by itself has a position."""
        return self.start < end and start < max(self.end, self.start + 1)


def words_of(written: str) -> str:
    """Capital letters without accents, and digits; one space between words."""
    return " ".join(re.findall(r"[^\W_]+", _capitals(written)))


def text_of(values: Sequence[str]) -> str:
    """Join the words of several values by backslashes, as DICOM does (PS3.5 6.4)."""
    return "\\".join(map(words_of, values))


def pattern_of(written: str) -> str:
    """Bring a pattern into the form in which it is compared; empty where nothing is left of it.

    With words between single spaces where a star stands by itself, else without spaces.
    """
    text = re.sub(r"\*+", "*", _capitals(written))
    words = re.sub(PUNCTUATION, " ", text).split()
    if "*" in text.split() and set(words) != {"*"}:
        return " ".join(words)
    return re.sub(r"\*+", "*", re.sub(PUNCTUATION, "", text))


def spans(pattern: str, values: Sequence[str]) -> list[Span]:
    """Find where a pattern means letters of `text_of(values)`: in one of them, or across all.

    pattern: as `pattern_of` makes it. A span reaches from the first to the last letter that the
    pattern names.
    """
    texts = list(map(words_of, values))
    every, start = set(), 0
    for text in texts:
        every |= {Span(start + at, start + end) for at, end in _spans(pattern, text)}
        start += len(text) + 1
    if len(texts) > 1:
        every |= {Span(*span) for span in _spans(pattern, "\\".join(texts))}
    return sorted(every)


def _capitals(written: str) -> str:
    letters = normalize("NFKD", written).upper()
    return "".join(char for char in normalize("NFKD", letters) if not combining(char))


def _spans(pattern: str, text: str) -> list[tuple[int, int]]:
    regex, matches, at = _compiled(pattern), [], 0
    while (match := regex.search(text, at)) is not None:
        matches.append(match.span(1))
        if match.start(1) == match.end(1):
            # A star by itself names no letter.
            break
        # The next one may begin within this one.
        at = match.start(1) + 1
    return matches


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Make the expression whose first group is what the pattern names."""
    return re.compile(_by_words(pattern.split(" ")) if " " in pattern else _by_letters(pattern))


def _by_letters(pattern: str) -> str:
    """Spaces of the value do not matter: each letter may have one behind it."""
    inner = pattern.strip("*")
    core = " ?".join(".*?" if char == "*" else re.escape(char) for char in inner)
    begin = "" if pattern.startswith("*") else r"\A"
    return f"{begin}({core})" + ("" if pattern.endswith("*") else r"\Z")


def _by_words(words: list[str]) -> str:
    named = [number for number, word in enumerate(words) if word != "*"]
    first, last = named[0], named[-1]
    parts = [_word(words[first].lstrip("*"))]
    for before, number in pairwise(named):
        parts.append(GAP if number == before + 1 else rf"{GAP}(?:.*?{GAP})?")
        parts.append(_word(words[number]))
    core = "".join(parts)
    if words[last].endswith("*"):
        core = core.removesuffix(f"{NO_GAP}*?")
        end = f"{NO_GAP}*"
    else:
        end = ""
    begin = "" if words[first].startswith("*") else WORD_BEGINS
    if first == 0:
        begin = rf"\A{NO_GAP}*?" if words[0].startswith("*") else r"\A"
    return f"{begin}({core}){end}" + (r"\Z" if last == len(words) - 1 else WORD_ENDS)


def _word(word: str) -> str:
    return f"{NO_GAP}*?".join(map(re.escape, word.split("*")))

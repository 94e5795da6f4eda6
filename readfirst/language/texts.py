"""Texts in the language of whoever reads them; English, unless somebody chose another one.

The language is of the request, or of whatever runs in `speaking`: two requests never share it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from readfirst.language.languages import ENGLISH, Language

_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Make all texts within in a language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def current_language() -> Language:
    """The language in which texts are made now."""
    return _current.get()


def gettext(message: str) -> str:
    """Translate a text; one that the catalogue lacks stays as it is."""
    # The catalogue's own head stands under the empty text.
    return _current.get().translations.gettext(message) if message else ""


def ngettext(singular: str, plural: str, number: int) -> str:
    """Translate a text in the form that fits a number."""
    return _current.get().translations.ngettext(singular, plural, number)


def pgettext(context: str, message: str) -> str:
    """Translate a text that means different things. context: which is meant."""
    return _current.get().translations.pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, number: int) -> str:
    """Translate, as `pgettext`, in the form that fits a number."""
    return _current.get().translations.npgettext(context, singular, plural, number)


def with_detail(sentence: str, text: str) -> str:
    """Translate a text that is a sentence of the code, with what was met behind it.

    sentence: the sentence alone. What stands behind it stays: it is of the file.
    """
    if not sentence or not text.startswith(sentence):
        return gettext(text)
    return gettext(sentence) + text[len(sentence) :]

"""The languages that there are: their catalogues of texts, and how they write numbers and months.

The texts in the code are English. Those of another language stand in its catalogue,
`locale/<code>/LC_MESSAGES/messages.po` beside this module, which is read when the language is first
used: there is no compiled file that could be older than it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

#: Where the texts of scripts are, as a catalogue names it.
SCRIPTS = "worklist/static/"
#: Every way in which a language counts is met below this number.
MOST_COUNTED = 200
LOCALE = Path(__file__).parent / "locale"
#: By the code of each language (RFC 5646), its name in itself. English comes first.
NAMES = {"en": "English", "de": "Deutsch"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language. months: their short names, January first."""

    code: str
    name: str
    translations: NullTranslations
    decimal_point: str
    thousands: str
    months: tuple[str, ...]


ENGLISH = Language(
    "en",
    NAMES["en"],
    NullTranslations(),
    decimal_point=".",
    thousands=",",
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def catalogue_path(code: str) -> Path:
    """The path of a language's catalogue."""
    return LOCALE / code / "LC_MESSAGES" / "messages.po"


@cache
def language_of(code: str) -> Language:
    """The language of a code of `NAMES`."""
    if code == ENGLISH.code:
        return ENGLISH
    # Only a process that needs another language than English pays for it.
    from babel import Locale

    locale = Locale.parse(code)
    symbols = locale.number_symbols["latn"]
    months = locale.months["format"]["abbreviated"]
    return Language(
        code,
        NAMES[code],
        _translations(code),
        decimal_point=symbols["decimal"],
        thousands=symbols["group"],
        months=tuple(months[number] for number in range(1, 13)),
    )


def _translations(code: str) -> NullTranslations:
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, read_catalogue(code))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def read_catalogue(code: str) -> "Catalog":
    """The catalogue of a language but English."""
    from babel.messages.pofile import read_po

    with catalogue_path(code).open("rb") as file:
        return read_po(file, locale=code)


@cache
def script_texts(code: str) -> Mapping[str, Any] | None:
    """The texts that the page's scripts need, for `common/texts.js`; None for English.

    texts: by the English text, behind its context and U+0004 where it has one; a list of forms
    for one that counts. plurals: the number of the form, by the category that
    `Intl.PluralRules` tells of a number (CLDR).
    """
    if code == ENGLISH.code:
        return None
    from babel import Locale

    catalogue, plural_form = read_catalogue(code), Locale.parse(code).plural_form
    index = language_of(code).translations.plural  # type: ignore[attr-defined]
    texts = {}
    for message in catalogue:
        of_script = any(path.startswith(SCRIPTS) for path, _ in message.locations)
        if not message.id or message.fuzzy or not of_script:
            continue
        key = message.id[0] if message.pluralizable else message.id
        texts[f"{message.context}\4{key}" if message.context else key] = message.string
    return {"plurals": {plural_form(n): index(n) for n in range(MOST_COUNTED)}, "texts": texts}

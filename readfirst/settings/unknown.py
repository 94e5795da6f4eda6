"""Names that look like settings and are none: most are misspelt."""

from dataclasses import dataclass
from difflib import get_close_matches

from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

from readfirst.language.texts import gettext
from readfirst.settings.faults import env_name

PREFIX = env_name("")
#: Names that are no settings: of tests, `make`, the compose file, and clients in docs.
OTHER_NAMES = frozenset(
    {
        "READFIRST_CHECK_LOCK",
        "READFIRST_INBOX_DIR",
        "READFIRST_SCREENSHOTS",
        "READFIRST_STRICT",
        "READFIRST_TOKEN",
        "READFIRST_TRAINING_DATA",
    }
)
#: How alike two names must be for one to be taken for the other, from 0 to 1.
ALIKE = 0.7


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A variable that no setting reads. nearest: the setting that may be meant."""

    name: str
    nearest: str | None

    @property
    def sentence(self) -> str:
        """The name, and the setting that may be meant."""
        if self.nearest is None:
            return gettext("{name} is not a setting and has no effect.").format(name=self.name)
        text = gettext("{name} is not a setting; did you mean {nearest}?")
        return text.format(name=self.name, nearest=self.nearest)


def unknown_names(settings: type[BaseSettings]) -> list[UnknownName]:
    """Names in the environment and `.env` that have our prefix and are read by nothing.

    Capital and small letters are the same, as they are where settings are read.
    """
    sources = EnvSettingsSource(settings), DotEnvSettingsSource(settings)
    there = {name.upper() for source in sources for name in source.env_vars}
    known = {env_name(field) for field in settings.model_fields}
    strange = {name for name in there if name.startswith(PREFIX)} - known - OTHER_NAMES
    return [
        UnknownName(name if name.isprintable() else ascii(name), _nearest(name, known))
        for name in sorted(strange)
    ]


def _nearest(name: str, known: set[str]) -> str | None:
    """Compare what comes after the prefix, which would make all names alike."""
    endings = sorted(name.removeprefix(PREFIX) for name in known)
    near = get_close_matches(name.removeprefix(PREFIX), endings, n=1, cutoff=ALIKE)
    return f"{PREFIX}{near[0]}" if near else None

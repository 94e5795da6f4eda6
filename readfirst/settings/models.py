"""Settings of the networks."""

from typing import Literal

from pydantic import Field

from readfirst.settings.fields import OptionalFile, SettingsGroup


class ModelSettings(SettingsGroup):
    """The arithmetic of the networks, and the rules of what they may be asked about."""

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Arithmetic of the networks. `auto` takes bfloat16 where the processor or "
        "the GPU computes in it, else float32.",
    )
    scope: OptionalFile = Field(
        None,
        description="A site's own rules of what may be scored, marked or refused, as TOML. "
        "Default: the rules that come with ReadFirst.",
    )

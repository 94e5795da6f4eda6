"""Settings of the webhook."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from readfirst.access.webhook_key import signing_key
from readfirst.settings.fields import MustBe, SettingsGroup


def check_webhook_url(url: str | None) -> str | None:
    """An HTTP address without a user's name. Raises ValueError."""
    parts = urlsplit(url or "http://none")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError("no http:// or https:// address without a user's name")
    # Raises ValueError for a port that is none.
    _ = parts.port
    return url


def check_webhook_secret(secret: SecretStr | None) -> SecretStr | None:
    """A text that a key can be made of. Raises ValueError."""
    if secret is not None:
        signing_key(secret.get_secret_value())
    return secret


class WebhookSettings(SettingsGroup):
    """The address that is told of flagged studies, and the secret that signs."""

    webhook_url: Annotated[
        str | None,
        AfterValidator(check_webhook_url),
        MustBe("an http:// or https:// address without a user's name", hidden=True),
    ] = Field(
        None,
        description="Address (`http://…` or `https://…`) that gets a message when a study is "
        "flagged. Default: no messages.",
    )
    webhook_secret: Annotated[
        SecretStr | None,
        AfterValidator(check_webhook_secret),
        MustBe("at least 16 characters long, or whsec_ and base64 of at least 16 bytes"),
    ] = Field(
        None,
        min_length=16,
        description="Signs every webhook, as Standard Webhooks has it; any text of at least 16 "
        "characters, or `whsec_` and base64.",
    )

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("READFIRST_WEBHOOK_SECRET is not set; READFIRST_WEBHOOK_URL needs it.")
        return self

"""Settings of escalation: what is told of, after how long, and the mail server that carries it."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from readfirst.settings.display import DisplaySettings
from readfirst.settings.fields import MustBe, OptionalFile, check_host, each, split_at_commas
from readfirst.settings.webhook import WebhookSettings

#: A week, in minutes.
MOST_MINUTES = 10_080
#: RFC 5321 4.5.3.1: no longer path. No control characters or spaces, which could end a header.
ADDRESS = re.compile(r"[!-;=?-~]{1,64}@[A-Za-z0-9.-]{1,190}")


def check_mail_address(text: str | None) -> str | None:
    """A bare address of mail. Raises ValueError."""
    if text is not None and not ADDRESS.fullmatch(text):
        raise ValueError("no address of mail")
    return text


def check_mail_host(text: str | None) -> str | None:
    """An address or a name of a machine. Raises ValueError."""
    return None if text is None else check_host(text)


def check_page_url(url: str | None) -> str | None:
    """The address of a page, to which paths are added. Raises ValueError."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError("no http:// or https:// address")
    if parts.query or parts.fragment or re.search(r"[^!-~]", url):
        raise ValueError("more than an address")
    # Raises ValueError for a port that is none.
    _ = parts.port
    return url.rstrip("/")


MailAddress = Annotated[
    str | None,
    AfterValidator(check_mail_address),
    MustBe("an address, as readfirst@hospital.example"),
]
MailHost = Annotated[
    str | None,
    AfterValidator(check_mail_host),
    MustBe("an address or a name without a port, as 127.0.0.1"),
]
MailAddresses = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(check_mail_address)),
    MustBe("addresses, with commas between them, as a@hospital.example,b@hospital.example"),
]
PageUrl = Annotated[
    str | None,
    AfterValidator(check_page_url),
    MustBe("an http:// or https:// address, as https://readfirst.hospital.example"),
]


class EscalationSettings(DisplaySettings, WebhookSettings):
    """The rule of escalation, which has to fit what is hidden and who is told, and the mail."""

    escalate_after_minutes: int | None = Field(
        None,
        ge=1,
        le=MOST_MINUTES,
        description="Minutes after which an urgent study that nobody has read is told of, once. "
        "Default: never.",
    )
    escalate_studies: Literal["flagged", "stat", "both"] = Field(
        "both", description="The studies that are told of."
    )
    escalate_by: Literal["mail", "webhook", "both"] = Field(
        "mail", description="The way on which they are told of."
    )
    page_url: PageUrl = Field(
        None, description="Address of the page for its readers, to which links in messages lead."
    )
    smtp_host: MailHost = Field(None, description="Mail server.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="`starttls`: TLS once connected; `tls`: from the first byte, mostly on port "
        "465. In both the server's certificate is checked.",
    )
    smtp_user: Annotated[str | None, MustBe("a name without spaces, of ASCII characters")] = Field(
        None, max_length=256, description="Name to log in with.", pattern=r"^[!-~]+$"
    )
    smtp_password: Annotated[SecretStr | None, MustBe("at most 1024 characters")] = Field(
        None, max_length=1024, description="Its password."
    )
    smtp_password_file: OptionalFile = Field(
        None, description="A file with the password, in place of the setting."
    )
    mail_from: MailAddress = Field(None, description="Sender of mails.")
    mail_to: MailAddresses = Field(
        (), max_length=50, description="Receivers of mails, with commas between them."
    )

    nightly_mail_to: MailAddresses = Field(
        (),
        max_length=50,
        description="Receivers of a mail after each night that scored anything: counts and a link. "
        "Default: nobody.",
    )

    @property
    def escalates_by_mail(self) -> bool:
        """True if people are told of escalations by mail."""
        return self.escalate_after_minutes is not None and self.escalate_by in ("mail", "both")

    @model_validator(mode="after")
    def _escalation_fits(self) -> Self:
        if self.escalate_after_minutes is None:
            return self
        needed: dict[str, object] = {"PAGE_URL": self.page_url}
        if self.escalate_by in ("webhook", "both"):
            needed["WEBHOOK_URL"] = self.webhook_url
        if self.escalates_by_mail:
            needed |= {
                "SMTP_HOST": self.smtp_host,
                "MAIL_FROM": self.mail_from,
                "MAIL_TO": self.mail_to,
            }
        if missing := [f"READFIRST_{name}" for name, value in needed.items() if not value]:
            verb, what = ("is", "it") if len(missing) == 1 else ("are", "them")
            raise ValueError(
                f"{', '.join(missing)} {verb} not set; "
                f"READFIRST_ESCALATE_AFTER_MINUTES needs {what}."
            )
        if self.hide_ai_until_verdict and self.escalate_studies != "stat":
            raise ValueError(
                "READFIRST_ESCALATE_STUDIES must be stat with READFIRST_HIDE_AI_UNTIL_VERDICT: "
                "an escalation of flagged studies would tell what is hidden."
            )
        return self

    @model_validator(mode="after")
    def _nightly_mail_fits(self) -> Self:
        needed: dict[str, object] = {
            "PAGE_URL": self.page_url,
            "SMTP_HOST": self.smtp_host,
            "MAIL_FROM": self.mail_from,
        }
        missing = [f"READFIRST_{name}" for name, value in needed.items() if not value]
        if self.nightly_mail_to and missing:
            verb, what = ("is", "it") if len(missing) == 1 else ("are", "them")
            raise ValueError(
                f"{', '.join(missing)} {verb} not set; READFIRST_NIGHTLY_MAIL_TO needs {what}."
            )
        return self

    @model_validator(mode="after")
    def _password_fits(self) -> Self:
        password = self.smtp_password or self.smtp_password_file
        if self.smtp_password and self.smtp_password_file:
            raise ValueError(
                "READFIRST_SMTP_PASSWORD and READFIRST_SMTP_PASSWORD_FILE are both set; "
                "one of them is enough."
            )
        if (self.smtp_user is None) != (password is None):
            raise ValueError(
                "READFIRST_SMTP_USER and its password belong together: set both or neither."
            )
        if password and self.smtp_security == "none":
            raise ValueError("READFIRST_SMTP_SECURITY is none; a password needs starttls or tls.")
        return self

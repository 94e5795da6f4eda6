"""Settings of the page and the API."""

from typing import Literal

from pydantic import Field

from readfirst.settings.fields import (
    A_TEBIBYTE,
    A_YEAR,
    Host,
    Hosts,
    Networks,
    OptionalFile,
    Origins,
    SettingsGroup,
)


class WebSettings(SettingsGroup):
    """The web server, its TLS, log-in and upload."""

    host: Host = Field("127.0.0.1", description="Address on which the page listens.")
    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 takes a free one.")
    auth: Literal["auto", "required"] = Field(
        "auto",
        description="Who has to log in. `auto`: everybody, but on loopback while there is no "
        "account; `required`: everybody, always.",
    )
    language: Literal["auto", "de", "en"] = Field(
        "en",
        description="Language of the page for whoever has chosen none: `en` or `de`; `auto`: as "
        "the browser wishes. Mails have it too, for `auto` English. API, logs and commands stay "
        "English.",
    )
    session_idle_minutes: float = Field(
        60.0,
        gt=0,
        le=A_YEAR / 60,
        description="After how long without use somebody is logged out.",
    )
    session_hours: float = Field(
        12.0,
        gt=0,
        le=A_YEAR / 3600,
        description="After how long somebody is logged out in any case.",
    )
    lockout_failures: int = Field(
        5,
        ge=1,
        le=1000,
        description="Failed log-ins after which an account's name is locked; ten times as many "
        "lock an address.",
    )
    lockout_minutes: float = Field(
        15.0, gt=0, le=A_YEAR / 60, description="For how long it is locked."
    )
    tls_certificate: OptionalFile = Field(
        None, description="Certificate (PEM, with its chain) of the page. Default: no TLS."
    )
    tls_key: OptionalFile = Field(None, description="Private key of that certificate (PEM).")
    trusted_proxies: Networks = Field(
        (),
        description="Addresses or networks of proxies whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed, with commas between them. Default: none.",
    )
    hosts: Hosts = Field(
        (),
        description="Names by which browsers may call the page, besides this machine's own, with "
        "commas between them. Default: any behind a log-in, else none.",
    )
    dicomweb_origins: Origins = Field(
        (),
        description="Origins of viewers on other servers whose pages may read DICOMweb by a token, "
        "with commas between them. Default: none.",
    )
    connections: int = Field(
        800,
        ge=16,
        le=100_000,
        description="Most connections to the page at a time, and half as many from one address; "
        "fewer where the system allows fewer open files.",
    )
    upload_megabytes: int = Field(
        1024,
        ge=1,
        le=A_TEBIBYTE,
        description="Most megabytes of one upload to the page, or one STOW-RS request.",
    )

"""Every setting, typed and frozen. Only entry points call `load_settings`."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from readfirst.errors import Misconfigured
from readfirst.priority import Overdue
from readfirst.viewer import check_template

#: A unix socket's path may have 107 bytes on Linux and 103 on macOS.
MAX_SOCKET_PATH = 100

#: Several values in one variable, with commas between them.
Listed = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What a site may choose, from the environment (`READFIRST_…`) and `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="READFIRST_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Field(Path("var"), description="Folder for everything that ReadFirst keeps.")
    inbox: Path | None = Field(
        None, description="The drop folder. Default: `inbox` in the home folder."
    )
    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL of SQLite or PostgreSQL (`postgresql+psycopg://…`). "
        "Default: a SQLite file in the home folder.",
    )
    broker_url: SecretStr | None = Field(
        None,
        description="`redis://…` of a Redis or Valkey server. "
        "Default: the embedded Valkey that `readfirst up` starts.",
    )
    time_zone: str = Field("UTC", description="IANA zone of the site, as `Europe/Madrid`.")
    host: str = Field("127.0.0.1", description="Address on which the page listens.")
    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 takes a free one.")
    auth: Literal["auto", "required"] = Field(
        "auto",
        description="Who has to log in. `auto`: everybody, but on loopback while there is no "
        "account; `required`: everybody, always.",
    )
    session_idle_minutes: float = Field(
        60.0, gt=0, description="After how long without use somebody is logged out."
    )
    session_hours: float = Field(
        12.0, gt=0, description="After how long somebody is logged out in any case."
    )
    lockout_failures: int = Field(
        5,
        ge=1,
        description="Failed log-ins after which an account's name is locked; ten times as many "
        "lock an address.",
    )
    lockout_minutes: float = Field(15.0, gt=0, description="For how long it is locked.")
    tls_certificate: Path | None = Field(
        None, description="Certificate (PEM, with its chain) of the page. Default: no TLS."
    )
    tls_key: Path | None = Field(None, description="Private key of that certificate (PEM).")
    trusted_proxies: Listed = Field(
        (),
        description="Addresses or networks of proxies whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed, with commas between them. Default: none.",
    )
    hosts: Listed = Field(
        (),
        description="Names by which browsers may call the page, besides this machine's own, with "
        "commas between them. Default: any behind a log-in, else none.",
    )
    upload_megabytes: int = Field(
        1024, ge=1, description="Most megabytes of one upload to the page, or one STOW-RS request."
    )
    receive: bool = Field(
        False, description="Whether `readfirst up` also starts the DICOM listener."
    )
    receive_host: str = Field(
        "127.0.0.1",
        description="Address on which the DICOM listener listens. Off loopback, "
        "`READFIRST_RECEIVE_CALLING` and `READFIRST_RECEIVE_PEERS` must say who may send.",
    )
    receive_port: int = Field(
        11112, ge=0, le=65535, description="Port of the DICOM listener; 0 takes a free one."
    )
    receive_ae_title: str = Field(
        "READFIRST",
        # PS3.5 6.2, AE: no backslash, no control characters, no spaces around it.
        pattern=r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$",
        description="AE title of the DICOM listener, by which callers must call it.",
    )
    receive_calling: Listed = Field(
        (), description="AE titles that may send, with commas between them. Default: any."
    )
    receive_peers: Listed = Field(
        (),
        description="Addresses or networks (`10.1.2.0/24`) that may send, with commas between "
        "them. Default: any that reaches the listener.",
    )
    receive_associations: int = Field(
        32, ge=1, le=256, description="Most DICOM associations at a time."
    )
    receive_megabytes: int = Field(
        512, ge=1, description="Most megabytes of one image sent by DICOM."
    )
    receive_tls_certificate: Path | None = Field(
        None,
        description="Certificate (PEM, with its chain) of the DICOM listener. Default: no TLS.",
    )
    receive_tls_key: Path | None = Field(None, description="Private key of that certificate (PEM).")
    receive_tls_ca: Path | None = Field(
        None,
        description="CA (PEM) that must have signed the senders' certificates. "
        "Default: senders show none.",
    )
    batch_size: int = Field(32, ge=1, le=512, description="Most images in one assessment.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Arithmetic of the networks. `auto` takes bfloat16 where the processor or "
        "the GPU computes in it, else float32.",
    )
    prevalence: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of pneumonia among the films of this site, for which probabilities and "
        "threshold are stated; the flags stay the same. Default: that of the ensemble's films.",
    )
    scope: Path | None = Field(
        None,
        description="A site's own rules of what may be scored, marked or refused, as TOML. "
        "Default: the rules that come with ReadFirst.",
    )
    stat_folders: str = Field(
        "stat",
        description="Names of folders, parted by commas: what is dropped into one of them, at any "
        "depth of the inbox, is STAT.",
    )
    quiet_seconds: float = Field(
        60.0,
        ge=0,
        description="How long no file of a study may have come in before it is shown as complete; "
        "it ranks at once by what is there.",
    )
    prepare_workers: int = Field(
        1, ge=1, le=64, description="Processes that decode, in one `readfirst worker`."
    )
    settle_seconds: float = Field(
        1.0, ge=0.1, description="How long a file's size and time must be quiet before it is taken."
    )
    incomplete_seconds: float = Field(
        10.0,
        ge=0.1,
        description="How long a quiet file that ends too early may still grow before it is "
        "refused as truncated.",
    )
    scan_seconds: float = Field(
        30.0, ge=0.5, description="Pause between two scans of the whole inbox."
    )
    watch: Literal["auto", "events", "polling"] = Field(
        "auto",
        description="How changes in the inbox are noticed. `auto` looks every two seconds on "
        "network file systems, which send no events, and relies on events elsewhere.",
    )
    min_free_megabytes: int = Field(
        1024,
        ge=0,
        description="Free space below which intake pauses and files stay where they are.",
    )
    max_wait_hours: float = Field(
        8.0,
        gt=0,
        description="Head start of a flagged study; also the longest time for which "
        "later flagged studies may pass one that is not flagged.",
    )
    nightly_at: time = Field(
        time(2, 0), description="Hour of the nightly re-scoring, in the site's zone."
    )
    sweep_seconds: float = Field(
        10.0, ge=1, description="Pause between two looks for work that was forgotten."
    )
    lease_seconds: float = Field(
        120.0, ge=5, description="How long a worker may hold an image before another takes it."
    )
    max_attempts: int = Field(
        3, ge=1, description="Failed attempts after which an image is refused."
    )
    decode_seconds: float = Field(30.0, ge=1, description="Time limit for reading one file.")
    decode_megabytes: int = Field(
        512, ge=64, description="Memory limit, above its base, of the process that reads files."
    )
    keep_refused_days: float | None = Field(
        None,
        gt=0,
        description="How long the originals of refused images are kept. Default: for ever.",
    )
    keep_originals_days: float | None = Field(
        None,
        gt=0,
        description="How long the originals of scored images are kept, from their latest score. "
        "Default: for ever.",
    )
    webhook_url: str | None = Field(
        None,
        description="`http://…` or `https://…` that is told of every study when it is flagged. "
        "Default: nobody is told.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="With it every webhook is signed (HMAC-SHA256); at least 16 characters.",
    )
    baseline: str | None = Field(
        None,
        description="Days that later ones are held against, as `2026-01-05/2026-02-01`. "
        "Default: the first 28 days with films.",
    )
    drift_notice: float = Field(
        0.1, gt=0, description="Population stability index from which a change is told."
    )
    drift_alarm: float = Field(
        0.25, gt=0, description="Population stability index from which a change is an alarm."
    )
    drift_films: int = Field(
        50, ge=10, description="Of fewer films no population stability index is judged."
    )
    least_ppv: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of flagged studies that readers must confirm; it is an alarm if the "
        "whole 95 % interval lies below.",
    )
    viewer_url: str | None = Field(
        None,
        description="Address of a study in the site's own viewer, with `{study_instance_uid}` or "
        "`{accession_number}` where they belong. Default: no link.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe message that is logged."
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is not an IANA time zone") from error
        return name

    @field_validator("receive_calling", "receive_peers", "trusted_proxies", "hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("webhook_url")
    @classmethod
    def _http(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "http://none")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("no http:// or https:// address without a user's name")
        # Raises ValueError for a port that is none.
        _ = parts.port
        return url

    @field_validator("baseline")
    @classmethod
    def _days(cls, baseline: str | None) -> str | None:
        if baseline is not None:
            first, last = _first_and_last(baseline)
            if not 0 <= (last - first).days < 366:
                raise ValueError("the last day is before the first, or more than a year behind it")
        return baseline

    @field_validator("viewer_url")
    @classmethod
    def _viewer(cls, template: str | None) -> str | None:
        return None if template is None else check_template(template)

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("READFIRST_WEBHOOK_URL needs READFIRST_WEBHOOK_SECRET")
        return self

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.drift_notice > self.drift_alarm:
            raise ValueError("READFIRST_DRIFT_NOTICE is above READFIRST_DRIFT_ALARM")
        return self

    @property
    def baseline_days(self) -> tuple[date, date] | None:
        """First and last day of `baseline`."""
        return None if self.baseline is None else _first_and_last(self.baseline)

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def inbox_path(self) -> Path:
        """The drop folder, absolute."""
        return (self.inbox or self.home / "inbox").absolute()

    @property
    def home_path(self) -> Path:
        """The home folder, absolute."""
        return self.home.absolute()

    @property
    def store_path(self) -> Path:
        """Where originals are kept, by sha256."""
        return self.home_path / "store"

    @property
    def prepared_path(self) -> Path:
        """Where model-ready images and thumbnails are kept."""
        return self.home_path / "prepared"

    @property
    def unpacking_path(self) -> Path:
        """Where archives are unpacked, each only for as long as it is taken in."""
        return self.home_path / "unpacking"

    @property
    def ensembles_path(self) -> Path:
        """Where the site keeps ensembles beside the shipped ones."""
        return self.home_path / "ensembles"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use. It may hold a password: never log it."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home_path / 'readfirst.db'}"

    @property
    def broker_socket(self) -> Path:
        """The unix socket of the embedded Valkey."""
        path = self.home_path / "valkey" / "valkey.sock"
        if len(str(path).encode()) <= MAX_SOCKET_PATH:
            return path
        return short_socket(self.home_path)

    @property
    def broker(self) -> str:
        """The broker's URL in use: the configured one, else the embedded Valkey."""
        if self.broker_url:
            return self.broker_url.get_secret_value()
        return f"redis+socket://{self.broker_socket}"

    @property
    def max_wait(self) -> timedelta:
        """`max_wait_hours` as a duration."""
        return timedelta(hours=self.max_wait_hours)

    @property
    def stat_folder_names(self) -> frozenset[str]:
        """`stat_folders`, each in small letters."""
        return frozenset(filter(None, (n.strip().casefold() for n in self.stat_folders.split(","))))

    def quiet_before(self, now: datetime) -> datetime:
        """A study of which no file came in later than this is quiet."""
        return now - timedelta(seconds=self.quiet_seconds)

    def overdue(self, now: datetime) -> Overdue:
        """What has waited for longer than `max_wait`."""
        return Overdue(now - self.max_wait, self.max_wait)

    @property
    def lease(self) -> timedelta:
        """`lease_seconds` as a duration."""
        return timedelta(seconds=self.lease_seconds)


def _first_and_last(days: str) -> tuple[date, date]:
    """Of ISO 8601's `first/last`. Raises ValueError."""
    first, _, last = days.partition("/")
    return date.fromisoformat(first), date.fromisoformat(last)


def short_socket(home: Path) -> Path:
    """A socket path for homes whose own path is too long for one."""
    import hashlib
    import tempfile

    digest = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"readfirst-{digest}" / "valkey.sock"


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises Misconfigured with one line for each fault."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"READFIRST_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise Misconfigured("\n".join(faults)) from error

"""Settings of places: folders, database, broker, time zone."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr

from readfirst.files.short_socket import broker_socket
from readfirst.settings.fields import Folder, MustBe, OptionalFolder, SettingsGroup


def check_zone(name: str) -> str:
    """The name of a time zone. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError("no time zone") from error
    return name


def check_database_url(url: SecretStr | None) -> SecretStr | None:
    """A SQLAlchemy URL of SQLite or PostgreSQL; an empty one is none. Raises ValueError."""
    if url:
        # Not needed by whoever keeps the default.
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            kind = make_url(url.get_secret_value()).get_backend_name()
        except ArgumentError as error:
            raise ValueError("no URL") from error
        if kind not in ("sqlite", "postgresql"):
            raise ValueError("another kind of database")
    return url


def check_broker_url(url: SecretStr | None) -> SecretStr | None:
    """A URL of Redis or Valkey; an empty one is none. Raises ValueError."""
    if url:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("redis", "rediss", "redis+socket"):
            raise ValueError("another kind of broker")
        if parts.scheme != "redis+socket":
            _check_redis_url(url.get_secret_value())
    return url


def _check_redis_url(url: str) -> None:
    """Raises ValueError for a port, a number of a database or an option that is none."""
    # Not needed by whoever keeps the default.
    import redis

    database = urlsplit(url).path.strip("/")
    if database and not database.isdecimal():
        raise ValueError("no number of a database")
    redis.Redis.from_url(url).close()


def check_home(home: Path) -> Path:
    """A path whose name is text: a database's URL takes no other. Raises ValueError."""
    str(home).encode()
    return home


class HomeSettings(SettingsGroup):
    """Folders, database, broker and time zone."""

    home: Annotated[Folder, AfterValidator(check_home)] = Field(
        Path("var"), description="Folder for everything that ReadFirst keeps."
    )
    inbox: OptionalFolder = Field(
        None, description="The drop folder. Default: `inbox` in the home folder."
    )
    database_url: Annotated[
        SecretStr | None,
        AfterValidator(check_database_url),
        MustBe(
            "a URL as sqlite:////folder/file.db or postgresql+psycopg://user:password@host/name"
        ),
    ] = Field(
        None,
        description="SQLAlchemy URL of SQLite or PostgreSQL (`postgresql+psycopg://…`). "
        "Default: a SQLite file in the home folder.",
    )
    database_owner_url: Annotated[
        SecretStr | None,
        AfterValidator(check_database_url),
        MustBe("a URL as postgresql+psycopg://owner:password@host/name"),
    ] = Field(
        None,
        description="SQLAlchemy URL of the same PostgreSQL database by the role that owns its "
        "tables, for `readfirst migrate` alone. Default: one role for all.",
    )
    broker_url: Annotated[
        SecretStr | None,
        AfterValidator(check_broker_url),
        MustBe("a URL as redis://:password@host:6379/0"),
    ] = Field(
        None,
        description="`redis://…` of a Redis or Valkey server. "
        "Default: the embedded Valkey that `readfirst up` starts.",
    )
    time_zone: Annotated[
        str, AfterValidator(check_zone), MustBe("an IANA time zone, as Europe/Madrid")
    ] = Field("UTC", description="IANA zone of the site, as `Europe/Madrid`.")

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
        """The folder of originals, by sha256."""
        return self.home_path / "store"

    @property
    def prepared_path(self) -> Path:
        """The folder of model inputs and thumbnails."""
        return self.home_path / "prepared"

    @property
    def unpacking_path(self) -> Path:
        """The folder in which archives are unpacked, each only for as long as it is taken in."""
        return self.home_path / "unpacking"

    @property
    def ensembles_path(self) -> Path:
        """The folder of the site's own ensembles, beside the shipped ones."""
        return self.home_path / "ensembles"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use. It may hold a password: never log it."""
        if self.database_url:
            return self.database_url.get_secret_value()
        # Not needed by whoever has a database of their own.
        from sqlalchemy.engine import URL

        # A URL of its parts: `?`, `%` and `#` in a path are not what they are in a URL.
        url = URL.create("sqlite", database=str(self.home_path / "readfirst.db"))
        return url.render_as_string(hide_password=False)

    @property
    def broker_socket(self) -> Path:
        """The unix socket of the embedded Valkey."""
        return broker_socket(self.home_path)

    @property
    def broker(self) -> str:
        """The broker's URL in use: the configured one, else the embedded Valkey."""
        if self.broker_url:
            return self.broker_url.get_secret_value()
        return f"redis+socket://{self.broker_socket}"

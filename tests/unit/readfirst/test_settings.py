from datetime import date, time
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import EnvSettingsSource

from readfirst.errors import Misconfigured
from readfirst.settings import Environment, Settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"READFIRST_{name.upper()}", raising=False)


def test_the_defaults_need_nothing_else(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.inbox_path == tmp_path / "var" / "inbox"
    assert settings.database == f"sqlite:///{tmp_path / 'var' / 'readfirst.db'}"
    assert settings.broker.startswith("redis+socket://")
    assert settings.host == "127.0.0.1"


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_NIGHTLY_AT", "03:30")
    monkeypatch.setenv("READFIRST_TIME_ZONE", "Europe/Madrid")
    settings = load_settings()
    assert settings.nightly_at == time(3, 30)
    assert settings.zone.key == "Europe/Madrid"


@pytest.mark.parametrize("capitals", [True, False])
def test_the_environment_says_what_it_says_to_pydantic(
    monkeypatch: pytest.MonkeyPatch, *, capitals: bool
) -> None:
    assert Environment(Settings)() == EnvSettingsSource(Settings)() == {}
    for number, name in enumerate(Settings.model_fields):
        variable = f"READFIRST_{name}"
        monkeypatch.setenv(variable.upper() if capitals else variable, f"{number or ''}")
    values = Environment(Settings)()
    assert values == EnvSettingsSource(Settings)()
    assert values.keys() == Settings.model_fields.keys()


def test_a_dotenv_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("READFIRST_PORT=9000\nOTHER=1\n")
    assert load_settings().port == 9000


def test_lists_stand_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_RECEIVE_CALLING", "WARD-7, PACS 1,")
    monkeypatch.setenv("READFIRST_RECEIVE_PEERS", "")
    settings = load_settings()
    assert settings.receive_calling == ("WARD-7", "PACS 1")
    assert settings.receive_peers == ()


def test_folders_of_stat_are_a_list_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().stat_folder_names == {"stat"}
    monkeypatch.setenv("READFIRST_STAT_FOLDERS", "STAT, Notfall ,,")
    settings = load_settings()
    assert settings.stat_folders == ("STAT", "Notfall")
    assert settings.stat_folder_names == {"stat", "notfall"}
    monkeypatch.setenv("READFIRST_STAT_FOLDERS", "")
    assert load_settings().stat_folder_names == set()


def test_empty_addresses_of_servers_mean_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a compose file gives them where the site sets none."""
    default = load_settings()
    monkeypatch.setenv("READFIRST_DATABASE_URL", "")
    monkeypatch.setenv("READFIRST_BROKER_URL", "")
    assert load_settings().database == default.database
    assert load_settings().broker == default.broker


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECEIVE_AE_TITLE", "LONGER THAN SIXTEEN"),
        ("RECEIVE_AE_TITLE", " "),
        ("PORT", "many"),
        ("TIME_ZONE", "Mars/Base"),
        ("PRECISION", "float8"),
        ("BATCH_SIZE", "0"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"READFIRST_{name}", value)
    with pytest.raises(Misconfigured, match=f"READFIRST_{name}"):
        load_settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


def test_secrets_do_not_show() -> None:
    settings = Settings(database_url=SecretStr("postgresql+psycopg://u:hush@h/d"))
    assert "hush" not in repr(settings)
    assert "hush" in settings.database


def test_the_days_of_the_baseline_are_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_BASELINE", "2026-01-05/2026-02-01")
    assert load_settings().baseline_days == (date(2026, 1, 5), date(2026, 2, 1))
    for odd in (
        "2026-01-05",
        "2026-02-01/2026-01-05",
        "2024-01-01/2026-01-01",
        "soon",
        "9999-12-31/9999-12-31",
    ):
        monkeypatch.setenv("READFIRST_BASELINE", odd)
        with pytest.raises(Misconfigured, match="BASELINE"):
            load_settings()


def test_a_change_is_told_before_it_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_DRIFT_NOTICE", "0.3")
    with pytest.raises(Misconfigured) as mistake:
        load_settings()
    assert str(mistake.value) == (
        "READFIRST_DRIFT_NOTICE is 0.3; it must be at most READFIRST_DRIFT_ALARM, which is 0.25."
    )

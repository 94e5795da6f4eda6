"""Whatever is wrong with a setting, one plain sentence says so."""

import sys
from pathlib import Path
from typing import get_args

import pytest

from cli import main
from readfirst.settings import Settings
from readfirst.settings.faults import must_be

FILE = "the path of a file"
FOLDER = "the path of a folder"
HOST = "an address or a name without a port, as 127.0.0.1"
NETWORKS = "addresses or networks, with commas between them, as 10.1.2.3,10.2.0.0/16"
SECRET = "hush-hush"
HIDDEN = "not valid"

#: An escalation by mail.
MAIL = {
    "escalate_after_minutes": "30",
    "page_url": "https://page.example",
    "smtp_host": "mail.example",
    "mail_from": "a@mail.example",
    "mail_to": "b@mail.example",
}

#: For every setting a wrong value, and what is said of it after "it must be".
WRONG: dict[str, tuple[str, str]] = {
    "home": ("", FOLDER),
    "inbox": (" ", FOLDER),
    "database_url": (
        f"mysql://user:{SECRET}@host/name",
        "a URL as sqlite:////folder/file.db or postgresql+psycopg://user:password@host/name",
    ),
    "database_owner_url": (
        f"mysql://user:{SECRET}@host/name",
        "a URL as postgresql+psycopg://owner:password@host/name",
    ),
    "broker_url": (f"redis://:{SECRET}@host:port/0", "a URL as redis://:password@host:6379/0"),
    "time_zone": ("Mars/Base", "an IANA time zone, as Europe/Madrid"),
    "stat_folders": (
        "stat,urgent/night",
        "names of folders without slashes, with commas between them, as stat,urgent",
    ),
    "settle_seconds": ("0", "at least 0.1"),
    "incomplete_seconds": ("1e400", "at most 86400"),
    "scan_seconds": ("soon", "a number from 0.5 to 86400"),
    "watch": ("always", "auto, events or polling"),
    "min_free_megabytes": ("-1", "at least 0"),
    "receive": ("perhaps", "true or false"),
    "receive_host": ("http://here", HOST),
    "receive_port": ("65536", "at most 65535"),
    "receive_ae_title": (
        "LONGER THAN SIXTEEN",
        "1 to 16 ASCII characters, without a backslash and without spaces around them",
    ),
    "receive_calling": (
        "WARD-7,LONGER THAN SIXTEEN",
        "AE titles of at most 16 characters, with commas between them, as WARD-7,PACS",
    ),
    "receive_peers": ("10.1.2.3,nobody", NETWORKS),
    "receive_associations": ("257", "at most 256"),
    "receive_megabytes": ("1.5", "a whole number from 1 to 1048576"),
    "receive_tls_certificate": ("", FILE),
    "receive_tls_key": ("", FILE),
    "receive_tls_ca": ("", FILE),
    "hl7_port": ("65536", "at most 65535"),
    "hl7_host": ("http://here", HOST),
    "hl7_peers": ("10.1.2.3,nobody", NETWORKS),
    "hl7_connections": ("0", "at least 1"),
    "hl7_kilobytes": ("1e9", "a whole number from 1 to 65536"),
    "hl7_seconds": ("0", "at least 0.1"),
    "hl7_tls_certificate": ("", FILE),
    "hl7_tls_key": ("", FILE),
    "hl7_tls_ca": ("", FILE),
    "hl7_accession": ("obr-18", "accession, placer or filler"),
    "hl7_urgent": ("S,as soon", "codes of priorities, with commas between them, as S,STAT,A,ASAP"),
    "mwl_host": ("http://here", HOST),
    "mwl_port": ("0", "at least 1"),
    "mwl_ae_title": (
        "LONGER THAN SIXTEEN",
        "1 to 16 ASCII characters, without a backslash and without spaces around them",
    ),
    "mwl_calling_ae_title": (
        "LONGER THAN SIXTEEN",
        "1 to 16 ASCII characters, without a backslash and without spaces around them",
    ),
    "hl7_keep_days": ("0", "at least 1"),
    "connections": ("7", "at least 16"),
    "log_megabytes": ("0", "at least 1"),
    "log_files": ("1001", "at most 1000"),
    "batch_size": ("9" * 5000, "a whole number from 1 to 512"),
    "prepare_workers": ("", "a whole number from 1 to 64"),
    "nightly_at": ("25:00", "a time of day, as 02:00"),
    "nightly_until": ("six", "a time of day, as 06:00"),
    "nightly_films_an_hour": ("0", "at least 1"),
    "fetch_per_hour": ("0", "at least 1"),
    "fetch_priors": ("21", "at most 20"),
    "fetch_priors_per_day": ("0", "at least 1"),
    "fetch_every_seconds": ("0", "at least 1"),
    "fetch_look_back_minutes": ("-1", "at least 0"),
    "second_look": ("0", "above 0"),
    "sweep_seconds": ("nan", "a number from 1 to 86400"),
    "lease_seconds": ("4", "at least 5"),
    "max_attempts": ("0", "at least 1"),
    "decode_seconds": ("3601", "at most 3600"),
    "decode_megabytes": ("63", "at least 64"),
    "precision": ("float8", "auto, float32 or bfloat16"),
    "scope": ("", FILE),
    "max_wait_hours": ("0", "above 0"),
    "prevalence": ("0", "at least 0.00001"),
    "quiet_seconds": ("-inf", "at least 0"),
    "result_finding_codes": (
        "RID5350^pneumonia",
        "1 to 8 codes as RID5350^pneumonia^RADLEX, with commas between them",
    ),
    "prior_after_days": ("-1", "at least 0"),
    "mode": ("loud", "live or silent"),
    "hide_ai_until_verdict": ("perhaps", "true or false"),
    "viewer_url": (
        f"https://pacs.example/{{patient_id}}?key={SECRET}",
        "an address as https://pacs.example/viewer?study={study_instance_uid}; only "
        "{study_instance_uid} and {accession_number} may be filled in",
    ),
    "host": ("127.0.0.1:8080/", HOST),
    "port": ("many", "a whole number from 0 to 65535"),
    "auth": ("never", "auto or required"),
    "language": ("fr", "auto, de or en"),
    "session_idle_minutes": ("0", "above 0"),
    "session_hours": ("an hour", "a number above 0 and at most 8784"),
    "lockout_failures": ("5.5", "a whole number from 1 to 1000"),
    "lockout_minutes": ("inf", "at most 527040"),
    "tls_certificate": ("", FILE),
    "tls_key": ("", FILE),
    "trusted_proxies": ("everybody", NETWORKS),
    "hosts": (
        "reading.example:8080",
        "names without ports, with commas between them, as reading.example,10.1.2.3",
    ),
    "dicomweb_origins": (
        "https://viewer.example/ohif",
        "origins without paths, with commas between them, as https://viewer.example:3000",
    ),
    "upload_megabytes": ("0", "at least 1"),
    "escalate_after_minutes": ("0", "at least 1"),
    "escalate_studies": ("all", "flagged, stat or both"),
    "escalate_by": ("pager", "mail, webhook or both"),
    "page_url": (
        "https://page.example/?x=1",
        "an http:// or https:// address, as https://readfirst.hospital.example",
    ),
    "smtp_host": ("mail.example:25", HOST),
    "smtp_port": ("0", "at least 1"),
    "smtp_security": ("ssl", "starttls, tls or none"),
    "smtp_user": ("two words", "a name without spaces, of ASCII characters"),
    "smtp_password": (SECRET * 200, "at most 1024 characters"),
    "smtp_password_file": ("", FILE),
    "mail_from": (
        "ReadFirst <readfirst@hospital.example>",
        "an address, as readfirst@hospital.example",
    ),
    "nightly_mail_to": (
        "nobody",
        "addresses, with commas between them, as a@hospital.example,b@hospital.example",
    ),
    "mail_to": (
        "a@hospital.example,nobody",
        "addresses, with commas between them, as a@hospital.example,b@hospital.example",
    ),
    "webhook_url": (
        f"https://user:{SECRET}@host/",
        "an http:// or https:// address without a user's name",
    ),
    "hl7_applications": (
        "READFIRST",
        "four names with | between them, the first not empty, as READFIRST|RAD|RIS|HOSP",
    ),
    "oru_template": ("", FILE),
    "webhook_secret": (
        SECRET,
        "at least 16 characters long, or whsec_ and base64 of at least 16 bytes",
    ),
    "baseline": (
        "2026-02-01/2026-01-05",
        "two days of at most one year, the earlier one first, as 2026-01-05/2026-02-01, "
        "from 1900-01-01 to 2200-01-01",
    ),
    "drift_notice": ("0", "above 0"),
    "drift_alarm": ("101", "at most 100"),
    "drift_films": ("9", "at least 10"),
    "least_ppv": ("1", "below 1"),
    "least_verdicts": ("0", "at least 1"),
    "keep_refused_days": ("1000000", "at most 36525"),
    "keep_originals_days": ("never", "a number above 0 and at most 36525"),
    "log_level": ("loud", "debug, info, warning or error"),
}
NUMBERS = [
    name
    for name, field in Settings.model_fields.items()
    if {int, float} & {field.annotation, *get_args(field.annotation)}
]
#: Others, of which more can be wrong than one thing.
MORE = [
    ("database_url", f"nonsense {SECRET}"),
    ("database_owner_url", f"nonsense {SECRET}"),
    ("database_url", f"postgresql+psycopg://user:{SECRET}@host:port/name"),
    ("broker_url", f"amqp://user:{SECRET}@host"),
    ("time_zone", "Europe"),
    ("time_zone", "../../etc/passwd"),
    ("time_zone", ""),
    ("time_zone", "z" * 5000),
    ("time_zone", "a\udce9"),
    ("log_level", "a\udce9"),
    ("host", ""),
    ("host", "[/red] :fire: [bold]"),
    ("receive_ae_title", "WARD\n7"),
    ("nightly_at", "two"),
    ("baseline", "soon"),
    ("baseline", "9999-12-31/9999-12-31"),
    ("webhook_url", f"ftp://host/{SECRET}"),
    ("webhook_url", f"https://[{SECRET}"),
    ("viewer_url", f"javascript:{SECRET}"),
    ("receive_peers", "10.0.0.0/99"),
]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"READFIRST_{name.upper()}", raising=False)


def said_by_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **wrong: str
) -> list[str]:
    """The lines on stderr, of a command that ends with exit code 2."""
    for name, value in wrong.items():
        monkeypatch.setenv(f"READFIRST_{name.upper()}", value)
    monkeypatch.setattr(sys, "argv", ["readfirst", "doctor"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    for foreign in ("Input should", "type=", "Value error", "pydantic", "errors.", SECRET):
        assert foreign not in output.err
    return output.err.splitlines()


def test_there_is_a_wrong_value_for_every_setting() -> None:
    assert set(WRONG) == set(Settings.model_fields)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_told_in_one_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    value, wanted = WRONG[name]
    (line,) = said_by_a_command(monkeypatch, capsys, **{name: value})
    setting = f"READFIRST_{name.upper()}"
    quoted = {"": "empty", " ": "' '"}.get(value, value if len(value) <= 80 else f"{value[:80]}…")
    quoted = HIDDEN if SECRET in value else quoted
    assert line == f"{setting} is {quoted}; it must be {wanted}."


@pytest.mark.parametrize(("name", "value"), MORE)
def test_other_faults_of_it_are_told_alike(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = said_by_a_command(monkeypatch, capsys, **{name: value})
    assert line.startswith(f"READFIRST_{name.upper()} is ")
    assert line.endswith(f"; it must be {must_be(Settings.model_fields[name])}.")


def test_what_looks_like_markup_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = said_by_a_command(monkeypatch, capsys, log_level="[/red] :fire:")
    assert line.startswith("READFIRST_LOG_LEVEL is [/red] :fire:; it must be ")


def test_several_faults_are_several_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said_by_a_command(monkeypatch, capsys, port="many", max_attempts="0", home="")
    assert set(lines) == {
        "READFIRST_PORT is many; it must be a whole number from 0 to 65535.",
        "READFIRST_MAX_ATTEMPTS is 0; it must be at least 1.",
        "READFIRST_HOME is empty; it must be the path of a folder.",
    }


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (
            {"webhook_url": f"https://host/{SECRET}"},
            "READFIRST_WEBHOOK_SECRET is not set; READFIRST_WEBHOOK_URL needs it.",
        ),
        (
            {"oru_template": "nowhere.jinja"},
            "READFIRST_ORU_TEMPLATE: The template nowhere.jinja cannot be read: No such file or "
            "directory.",
        ),
        (
            {"nightly_at": "02:00", "nightly_until": "02:00"},
            "READFIRST_NIGHTLY_AT and READFIRST_NIGHTLY_UNTIL are the same time; leave the second "
            "out to let a night end when nothing is left.",
        ),
        (
            {"nightly_until": "06:00+01:00"},
            "READFIRST_NIGHTLY_UNTIL names a zone; it must be a time of day in the site's own, as "
            "02:00.",
        ),
        (
            {"nightly_mail_to": "a@mail.example", "smtp_host": "mail.example"},
            "READFIRST_PAGE_URL, READFIRST_MAIL_FROM are not set; READFIRST_NIGHTLY_MAIL_TO needs "
            "them.",
        ),
        (
            {"escalate_after_minutes": "30", "smtp_host": "mail.example"},
            "READFIRST_PAGE_URL, READFIRST_MAIL_FROM, READFIRST_MAIL_TO are not set; "
            "READFIRST_ESCALATE_AFTER_MINUTES needs them.",
        ),
        (
            {"escalate_after_minutes": "30", "escalate_by": "webhook", "page_url": "http://here"},
            "READFIRST_WEBHOOK_URL is not set; READFIRST_ESCALATE_AFTER_MINUTES needs it.",
        ),
        (
            MAIL | {"hide_ai_until_verdict": "true"},
            "READFIRST_ESCALATE_STUDIES must be stat with READFIRST_HIDE_AI_UNTIL_VERDICT: an "
            "escalation of flagged studies would tell what is hidden.",
        ),
        (
            MAIL | {"smtp_user": "readfirst"},
            "READFIRST_SMTP_USER and its password belong together: set both or neither.",
        ),
        (
            MAIL | {"smtp_user": "me", "smtp_password": SECRET, "smtp_security": "none"},
            "READFIRST_SMTP_SECURITY is none; a password needs starttls or tls.",
        ),
        (
            {"drift_notice": "0.3"},
            "READFIRST_DRIFT_NOTICE is 0.3; it must be at most READFIRST_DRIFT_ALARM, "
            "which is 0.25.",
        ),
    ],
)
def test_settings_that_do_not_fit_are_told_in_one_sentence(
    chosen: dict[str, str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said_by_a_command(monkeypatch, capsys, **chosen) == [sentence]


def test_a_dotenv_file_that_is_no_text_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".env").write_bytes(b"READFIRST_HOME=\xe9\n")
    (line,) = said_by_a_command(monkeypatch, capsys)
    assert line == "The file .env is no text in UTF-8; it must be one."


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_a_lower_and_an_upper_bound(name: str) -> None:
    rules = Settings.model_fields[name].metadata
    assert any(hasattr(rule, "le") or hasattr(rule, "lt") for rule in rules)
    assert any(hasattr(rule, "ge") or hasattr(rule, "gt") for rule in rules)

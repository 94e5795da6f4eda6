"""Foreign text on terminals and in spreadsheets."""

import csv
import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from cli.common.console import PrintableConsole
from readfirst.logs import configure_logs
from readfirst.printable import one_line, printable, spreadsheet_text

#: A text, and as a terminal shows it in one line.
SHOWN = [
    ("film.dcm", "film.dcm"),
    ("Núñez 山田\u3000太郎 \u200dक्", "Núñez 山田\u3000太郎 \u200dक्"),
    ("esc\x1b[31mred", r"esc\x1b[31mred"),
    ("bell\a back\b", r"bell\x07 back\x08"),
    ("title\x9d0;x\x9c", r"title\x9d0;x\x9c"),
    ("caf\udce9.dcm", r"caf\xe9.dcm"),
    ("half \ud800", r"half \ud800"),
    ("two\nlines\r\t", r"two\x0alines\x0d\x09"),
    ("gpj\u202egpj.exe\u2069", r"gpj\u202egpj.exe\u2069"),
    ("\x7f\u2028", r"\x7f\u2028"),
]


@pytest.mark.parametrize(("text", "escaped"), SHOWN)
def test_what_a_terminal_would_obey_is_written_out(text: str, escaped: str) -> None:
    assert one_line(text) == escaped
    assert printable("a\nb\tc\x1b") == "a\nb\tc\\x1b"


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_written(text: str) -> None:
    escaped = one_line(text)
    escaped.encode()
    assert one_line(escaped) == escaped
    assert len(escaped.splitlines()) <= 1


@pytest.mark.parametrize("start", [*"=+-@\t\r\n＝＋－＠", " =", "\u3000="])
def test_no_cell_is_a_formula(start: str) -> None:
    assert spreadsheet_text(f"{start}HYPERLINK(1)").startswith("'")
    assert spreadsheet_text("a=1") == "a=1"
    assert spreadsheet_text("=\x1b[2J") == r"'=\x1b[2J"


@pytest.mark.parametrize(("text", "escaped"), [SHOWN[2], *SHOWN[4:7]])
def test_a_console_shows_it_so_wherever_it_comes_from(text: str, escaped: str) -> None:
    out = io.StringIO()
    console = PrintableConsole(file=out, force_terminal=True, width=200, color_system=None)
    console.print(text, markup=False)
    console.print(Text(text))
    assert out.getvalue().splitlines() == [escaped, escaped]


def test_a_log_line_at_a_terminal_obeys_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import structlog

    root = logging.getLogger()
    before, level, config = root.handlers, root.level, structlog.get_config()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    try:
        configure_logs("info")
        structlog.get_logger().warning("left", file="esc\x1b]0;title\x07")
        logging.getLogger("other").warning("a %s", "esc\x1b[2J")
    finally:
        root.handlers, root.level = before, level
        structlog.configure(**config)
    escaped = capsys.readouterr().err
    assert "\x1b]0" not in escaped
    assert "\x1b[2J" not in escaped
    assert r"esc\x1b]0;title\x07" in escaped


def test_a_row_of_a_spreadsheet_is_read_as_it_was_written() -> None:
    out = io.StringIO()
    csv.writer(out).writerow([spreadsheet_text("one\ntwo, three")])
    assert next(csv.reader(io.StringIO(out.getvalue()))) == ["one\ntwo, three"]

"""Texts of others, for a terminal and for a spreadsheet."""

import csv
import io
import json
import re
from itertools import product

import pytest
from rich.text import Text

from cli.common.console import PrintableConsole, print_json, print_table
from readfirst.printable import printable, printable_json, spreadsheet_text

#: By which a terminal is steered, and a text shown as another.
STEERING = [
    "\x1b[31mred", "\x1b]0;title\x07", "\x9b31m", "a\rb", "\x08", "\x7f", "\u202eabc", "\u2066x",
    "\u2028", "\x0b", "\x00", "\ud800",
]  # fmt: skip
SIGNS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize("text", STEERING)
def test_nothing_that_steers_a_terminal_is_printable(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not STEERS.search(printable(text))
    assert json.loads(printable_json(json.dumps(text, ensure_ascii=False))) == text
    PrintableConsole(width=80).print(Text(text), text, f"[bold]{'x'}[/bold]")
    print_table(text, (text,), [(text,), (Text(text),)])
    assert not STEERS.search(capsys.readouterr().out)


def test_json_for_a_program_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [text for text in STEERING if text != "\ud800"]
    print_json(rows)
    out = capsys.readouterr().out
    assert not STEERS.search(out)
    assert json.loads(out) == rows


@pytest.mark.parametrize(
    "text", ["Díaz", "Γιώργος", "山田\tx\ny", "نام\u200cخانوادگی", "a=b", "5-3"]
)
def test_plain_texts_stay_as_they_are(text: str) -> None:
    assert printable(text) == text
    assert spreadsheet_text(text) == text


def cells(text: str, separator: str) -> list[str]:
    """The cells of a file with one text, as a spreadsheet of a site parts them."""
    out = io.StringIO()
    csv.writer(out).writerow(["1", spreadsheet_text(text), "2"])
    rows = csv.reader(io.StringIO(out.getvalue()), delimiter=separator)
    return [cell for row in rows for cell in row]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("before", ["", " ", "\u3000", "\ufeff", '"', "x;", "x;  ", 'x;"', "x\t",
                                    "\t", "x\n", "x\r", "x\r\n", "\n", "\r", ";\n;"])  # fmt: skip
def test_no_cell_is_a_formula_however_a_spreadsheet_parts_them(before: str, separator: str) -> None:
    for sign, rest in product(SIGNS, ("1", "cmd|'/C calc'!A0;y", '1"')):
        for cell in cells(f"{before}{sign}{rest}", separator):
            begins = cell.strip(' \t\r\n\u3000\ufeff"')[:1]
            assert begins not in SIGNS, (before, sign, cell)

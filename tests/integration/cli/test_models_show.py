"""`readfirst models show`, with the shipped ensemble."""

from pathlib import Path

from typer.testing import CliRunner

from cli import app


def test_the_figures_of_an_ensemble_are_printed_without_brackets(tmp_path: Path) -> None:
    environment = {"COLUMNS": "200", "READFIRST_HOME": str(tmp_path)}
    table = CliRunner().invoke(app, ["models", "show", "2.0"], env=environment).output
    figures = table.partition("\n{")[0]
    assert "members: vgg16: views: 1" in figures
    assert "zoom 1.25, mirrored False" in figures
    assert "{'" not in figures

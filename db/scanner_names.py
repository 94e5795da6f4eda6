"""Scanners by maker, model and station, as films name them."""

from sqlalchemy import ColumnElement, func

from db.tables import Image

SCANNER = (Image.manufacturer, Image.manufacturer_model_name, Image.station_name)
UNKNOWN_SCANNER = "unknown scanner"
SEPARATOR = " · "


def scanner_name(*names: str | None) -> str:
    """Maker, model and station as people read them."""
    return SEPARATOR.join(part for part in names if part) or UNKNOWN_SCANNER


def is_of_scanner(name: str) -> ColumnElement[bool]:
    """Images of the scanner that `scanner_name` calls so."""
    # Each part that is not empty, with a separator behind it.
    parts = [func.coalesce(func.nullif(part, "").concat(SEPARATOR), "") for part in SCANNER]
    written = parts[0].concat(parts[1]).concat(parts[2])
    return written == ("" if name == UNKNOWN_SCANNER else name + SEPARATOR)

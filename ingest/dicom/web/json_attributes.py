"""The attributes of a file in the DICOM JSON Model (PS3.18 F.2), bounded."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom.dataset import FileDataset

from ingest.dicom.dicom_file import read_elements, transfer_syntax
from ingest.dicom.zero_tail import open_written
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: Most characters of one attribute, longer ones are left out; and of all, more is refused. A table
#: of greys has 65,536 entries of two bytes.
MOST_OF_ONE, MOST_OF_ALL = 256 * 1024, 4 * 1024**2
#: PS3.6: of JSON the character set is UTF-8, whatever that of the file is (PS3.18 F.2.2).
UTF_8 = {"vr": "CS", "Value": ["ISO_IR 192"]}
SPECIFIC_CHARACTER_SET, AVAILABLE_TRANSFER_SYNTAX_UID = "00080005", "00083002"


def json_attributes(path: Path) -> bytes:
    """Return the attributes before the pixels, as one object of JSON.

    Attributes that are too long, or that cannot be read, are left out; so are group lengths. Raises
    Refused as `ingest.dicom.dicom_file.read_elements`, and where all of them are too much.
    """
    with warnings.catch_warnings(), open_written(path) as dicom:
        # As in `ingest.dicom.header`.
        warnings.simplefilter("ignore")
        dataset = read_elements(dicom, None)
        syntax = {"vr": "UI", "Value": [str(transfer_syntax(dicom, dataset))]}
        own = {SPECIFIC_CHARACTER_SET: UTF_8, AVAILABLE_TRANSFER_SYNTAX_UID: syntax}
        members = dict(_members(dataset)) | {tag: json.dumps(each) for tag, each in own.items()}
    content = ",".join(f'"{tag}":{members[tag]}' for tag in sorted(members))
    if len(content) > MOST_OF_ALL:
        raise Refused(RefusalCode.TOO_LARGE, f"{len(content)} characters before the pixels")
    return f"{{{content}}}".encode()


def _members(dataset: FileDataset) -> Iterator[tuple[str, str]]:
    """The attributes by their tags, each as JSON."""
    for tag in sorted(dataset.keys()):
        if tag.element == 0:
            continue
        try:
            # Infinite and other numbers that are none are no JSON.
            text = json.dumps(_attribute(dataset, tag), allow_nan=False)
        except MemoryError:
            raise
        except Exception:  # noqa: S112 - as in `ingest.dicom.elements`: pydicom raises many kinds
            continue
        if len(text) <= MOST_OF_ONE:
            yield f"{tag:08X}", text


def _attribute(dataset: FileDataset, tag: Any) -> dict[str, Any]:
    attribute: dict[str, Any] = dataset[tag].to_json_dict(None, 0)
    return attribute

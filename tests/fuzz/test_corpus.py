"""Files made to harm are refused by a code or shown, in time and within the memory limit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest.reader.reader_process import Reader
from tests.fixtures.worker import READER_LIMITS
from tests.fuzz.hostile_archives import hostile_archives
from tests.fuzz.hostile_dicom import hostile_dicom, odd_uids
from tests.fuzz.hostile_pictures import hostile_pictures, polyglots
from tests.fuzz.results import SHOWN, UNPACKED, cpu_seconds, peak_megabytes, result_of
from tests.support.files import a_dicom_file

#: The limit of memory for one file.
_, MEGABYTES = READER_LIMITS
#: For so long, reading one may keep the processor busy.
CPU_SECONDS = 15.0
#: A good film is read after so many: what a file leaves behind stays until then.
FILES_TO_A_LOOK = 10
#: What these must end as; of the others any end is right.
ENDS = {
    "deep-sequences": "dicom_unreadable",
    "deep-sequences-without-end": "dicom_unreadable",
    "deflate-bomb": "too_large",
    "gigapixels": "too_large",
    "frames-without-end": "too_large",
    "no-rows": "dicom_unreadable",
    "a-value-of-four-gigabytes": "truncated",
    "gigapixels-in-jpeg": "pixels_unreadable",
    "gigapixels-in-jpeg-2000": "pixels_unreadable",
    "tiles-without-end-in-jpeg-2000": "pixels_unreadable",
    "uid-climbing": SHOWN,
    "uid-nul": SHOWN,
    "name-very-long": SHOWN,
    "png-bomb": "too_large",
    "png-bomb-with-alpha": "too_large",
    "png-of-gigapixels": "too_large",
    "tiff-bomb": "too_large",
    "tiff-of-gigapixels": "too_large",
    "tiff-in-a-circle": SHOWN,
    "tiff-that-points-outside": "truncated",
    "webp-as-large-as-can-be": "too_large",
    "bmp-of-gigapixels": "too_large",
    "jpeg-of-gigapixels": "too_large",
    "exif-in-a-circle": SHOWN,
    "archive": UNPACKED,
    "archive-of-overlapping-bombs": "archive_too_large",
    "archive-of-many-entries": "archive_too_large",
    "archive-in-archive": "archive_without_images",
}


@pytest.mark.parametrize("corpus", [hostile_dicom, hostile_pictures, hostile_archives])
def test_what_is_made_to_harm_is_shown_or_refused(
    corpus: Callable[[], Iterator[tuple[str, bytes]]], reader: Reader, tmp_path: Path
) -> None:
    path, good = tmp_path / "film", a_dicom_file(tmp_path / "good.dcm")
    failures = []
    grey = reader.display(good)
    base = peak_megabytes(reader)
    files = list(corpus())
    for number, (name, content) in enumerate(files, start=1):
        path.write_bytes(content)
        pid, begun = reader.pid, cpu_seconds(reader)
        outcome = result_of(path, reader)
        if reader.pid == pid and cpu_seconds(reader) - begun > CPU_SECONDS:
            failures.append(f"{name}: {cpu_seconds(reader) - begun:.0f} s")
        if outcome.what != ENDS.get(name, outcome.what) or outcome.what == "decoder_timeout":
            failures.append(f"{name}: {outcome.what}")
        if peak_megabytes(reader) - base > MEGABYTES:
            failures.append(f"{name}: {peak_megabytes(reader):.0f} MiB")
        is_looked_at = number % FILES_TO_A_LOOK == 0 or number == len(files)
        if is_looked_at and not np.array_equal(reader.display(good), grey):
            failures.append(f"{name}, or a file before it: the reader is not as it was")
        if len(list(tmp_path.iterdir())) != 2:
            failures.append(f"{name}: files are left")
    assert not failures, "\n".join(failures)


def test_what_is_dicom_and_something_else_is_read_as_dicom(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "film"
    for name, content in polyglots():
        if name.startswith("dicom-and-"):
            path.write_bytes(content)
            assert reader.header(path).kind == "dicom", name
            assert reader.display(path).shape == (48, 64), name


def test_a_uid_that_is_a_trick_names_nothing(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "film"
    for name, content in odd_uids():
        if name.startswith("uid-"):
            path.write_bytes(content)
            header = reader.header(path)
            for uid in (header.sop_instance_uid, header.study_instance_uid):
                assert uid is None or set(uid) <= set("0123456789."), name
                assert uid is None or len(uid) <= 64, name

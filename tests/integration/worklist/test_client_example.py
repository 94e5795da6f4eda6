"""The client of the documents, against a server with workers."""

import re
import subprocess
import sys
from pathlib import Path

from ingest.inbox.claim import claim
from ingest.reader.reader_process import Reader
from readfirst.samples import FOLDER
from tests.browser.site import Site, a_site
from tests.support.serving import served
from tests.support.waiting import TIMEOUT, wait_until

DOCUMENT = Path(__file__).parents[3] / "docs/reference/api.md"


def test_the_client_of_the_documents_does_what_it_says(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(import os, time\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 20
    (tmp_path / "film.dcm").write_bytes((FOLDER / "study-02.dcm").read_bytes())
    with (
        Reader(TIMEOUT, 512) as reader,
        a_site(tmp_path / "home", reader) as site,
        served(site.settings) as (address, _),
    ):
        site.arrive(FOLDER / "study-01.dcm", probability=0.04)
        client = [sys.executable, "-c", code]
        with subprocess.Popen(
            client,
            cwd=tmp_path,
            env={"READFIRST": address},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            try:
                take_in(site)
                output, _ = running.communicate(timeout=TIMEOUT)
            finally:
                running.kill()
    assert running.returncode == 0, output
    assert " 0.04 " in output
    assert re.search(r"^scored 0\.97 None$", output, re.MULTILINE)
    assert output.endswith("event: verdict\n")


def take_in(site: Site) -> None:
    """Take in the file that is uploaded, once it is there."""
    folder = site.settings.inbox_path / "upload"
    wait_until(lambda: any(folder.iterdir()))
    (path,) = folder.iterdir()
    claimed = claim(site.settings.inbox_path, path)
    assert claimed is not None
    site.worker.take_in(claimed)
    site.score(0.97)

"""The statements that the pages send which are asked for most: so many, however much there is."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from tests.fixtures.worklist import NOW
from tests.support.statements import statements
from tests.support.studies import a_header, a_scored_image

#: The line of the audit log, and what asks whether anybody has to log in, are among them.
MOST = {"/": 21, "/rows": 19, "/studies/1.0": 37}


def add_studies(database: Database, first: int, last: int) -> None:
    """Studies of different sites, two of each patient, each with an accession number of its own."""
    with database.write() as session:
        for number in range(first, last):
            header = a_header(
                patient_id=f"P-{number // 2}",
                accession_number=f"A-{number}",
                institution_name=f"Site {number}",
            )
            at = NOW - timedelta(hours=number)
            probability = 0.9 if number % 2 else 0.1
            a_scored_image(session, at, probability=probability, study=f"1.{number}", header=header)


@pytest.mark.parametrize("path", MOST)
def test_a_page_sends_no_more_statements_for_many_studies_than_for_few(
    client: TestClient, database: Database, path: str
) -> None:
    counts = []
    for first, last in ((0, 2), (2, 12)):
        add_studies(database, first, last)
        # The first request also learns what stays as it is.
        assert client.get(path).status_code == 200
        with statements(client.app.state.database.engine) as sent:  # type: ignore[attr-defined]
            assert client.get(path).status_code == 200
        counts.append(len(sent))
    assert counts[1] <= counts[0]
    assert counts[0] <= MOST[path], "\n".join(sent)

"""A small FHIR R4 server for tests: transactions with conditional requests.

It reads every resource by the models of fhir.resources, and keeps it by its identifier.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fhir.resources.R4B.bundle import Bundle

Json = dict[str, Any]
MEDIA_TYPE = "application/fhir+json"


class FhirStore:
    """A server's resources, by type and identifier; and every request that came.

    token: that it wants; None for everybody. refusal: the words by which it refuses transactions.
    """

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.refusal: str | None = None
        self.version = "4.0.1"
        self.resources: dict[tuple[str, str], Json] = {}
        self.transactions = 0
        self.address = ""

    def transact(self, content: bytes) -> Json:
        """Take a transaction, or nothing of it. Raises ValueError for one that is not valid."""
        bundle = Bundle.model_validate_json(content)
        if bundle.type != "transaction" or not bundle.entry:
            raise ValueError("no transaction")
        entries = json.loads(content)["entry"]
        keys = [self._key(entry) for entry in entries]
        ids = {
            entry["fullUrl"]: f"{key[0]}/{self.resources.get(key, {}).get('id', f'{number}-new')}"
            for number, (entry, key) in enumerate(zip(entries, keys, strict=True))
        }
        for entry, key in zip(entries, keys, strict=True):
            if key in self.resources and entry["request"]["method"] == "POST":
                continue
            text = json.dumps(entry["resource"])
            for name, reference in ids.items():
                text = text.replace(name, reference)
            identity = ids[entry["fullUrl"]].split("/")[1]
            self.resources[key] = json.loads(text) | {"id": identity}
        self.transactions += 1
        return {"resourceType": "Bundle", "type": "transaction-response"}

    def _key(self, entry: Json) -> tuple[str, str]:
        request = entry["request"]
        kind, _, query = request["url"].partition("?")
        (identifier,) = parse_qs(query or request["ifNoneExist"])["identifier"]
        first = entry["resource"]["identifier"][0]
        is_its_own = f"{first['system']}|{first['value']}" == identifier
        if entry["resource"]["resourceType"] != kind or not is_its_own:
            raise ValueError("the request is of another resource")
        return kind, identifier


@contextmanager
def a_fhir_server(token: str | None = None) -> Iterator[FhirStore]:
    """Serve on a port of loopback that is free."""
    store = FhirStore(token)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(store))
    store.address = f"http://127.0.0.1:{server.server_address[1]}/r4"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(store: FhirStore) -> type[BaseHTTPRequestHandler]:
    class FhirHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            statement = {"resourceType": "CapabilityStatement", "fhirVersion": store.version}
            self._answer(200 if path == "/r4/metadata" else 404, statement)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if store.token and self.headers.get("Authorization") != f"Bearer {store.token}":
                self._answer(401, _outcome("Who are you?"))
            elif store.refusal is not None:
                self._answer(422, _outcome(store.refusal))
            elif self.path != "/r4" or self.headers["Content-Type"] != MEDIA_TYPE:
                self._answer(400, _outcome("No transaction."))
            else:
                try:
                    self._answer(200, store.transact(content))
                except ValueError as error:
                    self._answer(400, _outcome(str(error)))

        def _answer(self, status: int, resource: Json) -> None:
            content = json.dumps(resource).encode()
            self.send_response(status)
            self.send_header("Content-Type", MEDIA_TYPE)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return FhirHandler


def _outcome(text: str) -> Json:
    issue = {"severity": "error", "code": "processing", "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}

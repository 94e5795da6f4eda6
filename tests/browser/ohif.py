"""The viewer OHIF on a port of its own, before a ReadFirst on another one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.requirements import require

#: By `make node_modules/.ohif/ready`.
BUILT = Path(__file__).parents[2] / "node_modules/.ohif/package/dist"
#: The configuration in the documents, and where it names the address of ReadFirst.
GUIDE = Path(__file__).parents[2] / "docs/how-to/open-studies-in-a-viewer.md"
ADDRESS = "https://readfirst.example"
#: Nobody has to click away what OHIF says to people who come for the first time.
QUIET = {"investigationalUseDialog": {"option": "never"}, "maxNumberOfWebWorkers": 2}


class OhifServer(ThreadingHTTPServer):
    """Serves the files of OHIF, and its page for each address that is no file."""

    daemon_threads = True
    configuration = b""

    @property
    def origin(self) -> str:
        """As a browser says it."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def configure(self, readfirst: str) -> None:
        """Take the configuration of the documents, with this address of ReadFirst."""
        guide = GUIDE.read_text()
        script = guide.split("```js\n")[1].split("```")[0].replace(ADDRESS, readfirst)
        quiet = f"Object.assign(window.config, {json.dumps(QUIET)});"
        self.configuration = f"{script}\n{quiet}".encode()


class _Handler(SimpleHTTPRequestHandler):
    server: OhifServer

    def do_GET(self) -> None:
        """Answer with the configuration, a file, or the page."""
        path = self.path.split("?")[0]
        if path == "/app-config.js":
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.send_header("Content-Length", str(len(self.server.configuration)))
            self.end_headers()
            self.wfile.write(self.server.configuration)
            return
        if not (BUILT / path.lstrip("/")).is_file():
            self.path = "/index.html"
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def ohif_server() -> Iterator[OhifServer]:
    """A server on a free port; it needs `configure` before a page is opened."""
    require("ohif", (BUILT / "index.html").is_file())
    with OhifServer(("127.0.0.1", 0), partial(_Handler, directory=str(BUILT))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

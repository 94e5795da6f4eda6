"""A small mail server for tests: SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH (RFC 4954).

It is written here, of sockets alone: it takes mails, and can be told to misbehave.
"""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default

import trustme


@dataclass
class Mailbox:
    """The mails that came, and the rules by which the server takes them.

    security: `starttls`, `tls` or `none`. login: name and password that it wants. replies: of the
    next mails in place of 250.
    """

    port: int = 0
    security: str = "starttls"
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    replies: list[str] = field(default_factory=list)
    refused: frozenset[str] = frozenset()
    mails: list[Message] = field(default_factory=list)
    receivers: list[list[str]] = field(default_factory=list)
    #: Whether each mail came encrypted.
    encrypted: list[bool] = field(default_factory=list)


class MailboxServer(socketserver.ThreadingTCPServer):
    """Serves one mailbox."""

    allow_reuse_address = True
    daemon_threads = True
    mailbox: Mailbox


class Session(socketserver.StreamRequestHandler):
    """A connection."""

    server: MailboxServer

    def setup(self) -> None:
        """Begin TLS at once where the mailbox wants that."""
        self.is_encrypted = False
        if self.server.mailbox.security == "tls":
            self._encrypt()
        super().setup()

    def handle(self) -> None:
        """Talk until the client leaves."""
        self.named: list[str] = []
        self.is_known = self.server.mailbox.login is None
        with suppress(OSError):
            self._say("220 mail.example ESMTP")
            while line := self.rfile.readline():
                verb, _, rest = line.decode().strip().partition(" ")
                if not self._answer(verb.upper(), rest):
                    return

    def finish(self) -> None:
        """Close, also where the client has gone."""
        with suppress(OSError):
            super().finish()
        if self.is_encrypted:
            # It took the place of the server's own, which the server closes.
            self.request.close()

    def _answer(self, verb: str, rest: str) -> bool:
        box = self.server.mailbox
        if verb == "EHLO":
            offers = ["AUTH PLAIN"] if box.login else []
            if box.security == "starttls" and not self.is_encrypted:
                offers.append("STARTTLS")
            lines = ["mail.example", *offers]
            for line in lines[:-1]:
                self._say(f"250-{line}")
            self._say(f"250 {lines[-1]}")
        elif verb == "STARTTLS":
            self._say("220 go ahead")
            self._encrypt()
            super().setup()
        elif verb == "AUTH":
            login = base64.b64decode(rest.split()[-1]).decode().split("\0")[1:]
            self.is_known = box.login is None or tuple(login) == box.login
            self._say("235 ok" if self.is_known else "535 name or password is wrong")
        elif verb == "MAIL":
            self.named = []
            self._say("250 ok" if self.is_known else "530 log in first")
        elif verb == "RCPT":
            address = rest.partition("<")[2].partition(">")[0]
            if address in box.refused:
                self._say("550 nobody here is called so")
            else:
                self.named.append(address)
                self._say("250 ok")
        elif verb == "DATA":
            self._say("354 go on")
            self._take()
        elif verb == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._say("250 ok")
        return True

    def _take(self) -> None:
        box, lines = self.server.mailbox, []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        reply = box.replies.pop(0) if box.replies else "250 taken"
        if reply.startswith("250"):
            box.mails.append(message_from_bytes(b"".join(lines), policy=default))
            box.receivers.append(self.named)
            box.encrypted.append(self.is_encrypted)
        self._say(reply)

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def _encrypt(self) -> None:
        context = self.server.mailbox.tls
        assert context is not None
        try:
            self.request = context.wrap_socket(self.request, server_side=True)
        except OSError:
            # The client does not trust this server, and has gone.
            self.request.close()
            raise
        self.is_encrypted = True


def authority_and_context(name: str = "127.0.0.1") -> tuple[trustme.CA, ssl.SSLContext]:
    """A new authority, and the TLS of a server of this name that it vouches for."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return authority, context


@contextmanager
def mail_server(mailbox: Mailbox) -> Iterator[Mailbox]:
    """Serve a mailbox on a free port, which it names."""

    class Quiet(MailboxServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes in the middle is what some tests are about."""

    with Quiet(("127.0.0.1", 0), Session) as server:
        server.mailbox = mailbox
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()

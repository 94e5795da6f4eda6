"""A request to another system by HTTP: one deadline for all of it, and followed nowhere."""

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request. trusted: authorities and certificates, where the URL is of https."""

    method: str
    url: str
    content: bytes
    headers: Mapping[str, str]
    trusted: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, of which no more is kept than was wanted."""

    status: int
    content: bytes


def exchange(request: HttpRequest, deadline: float, most: int = 0) -> HttpAnswer:
    """Make a request, of whose answer at most so many bytes are read.

    deadline: seconds for all of it, from the look-up of the name on, however slowly the other side
    goes on. Raises TimeoutError, OSError, ValueError, httpx2.HTTPError and httpx2.InvalidURL.
    """
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(_Lookups(max_workers=1))
        return runner.run(_exchange(request, deadline, most))


async def _exchange(request: HttpRequest, deadline: float, most: int) -> HttpAnswer:
    connections: list[Any] = []

    async def note_connection(event: str, about: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            connections.append(about["return_value"])

    try:
        # Proxies and passwords of the environment are meant for others.
        async with (
            asyncio.timeout(deadline),
            httpx2.AsyncClient(
                verify=request.trusted, trust_env=False, timeout=None, follow_redirects=False
            ) as client,
            client.stream(
                request.method,
                request.url,
                content=request.content,
                headers=request.headers,
                extensions={"trace": note_connection},
            ) as answer,
        ):
            return HttpAnswer(answer.status_code, await _beginning(answer, most))
    finally:
        # The client leaves it open where the deadline ends the handshake of TLS.
        for connection in connections:
            await connection.aclose()


async def _beginning(answer: httpx2.Response, most: int) -> bytes:
    read = b""
    if most:
        async for chunk in answer.aiter_bytes():
            read += chunk
            if len(read) > most:
                break
    return read[:most]


class _Lookups(ThreadPoolExecutor):
    """The thread that looks a name up. A look-up cannot be stopped; nobody waits for its end."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        super().shutdown(wait=False, cancel_futures=True)

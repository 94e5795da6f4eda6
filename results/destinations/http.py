"""A request to a destination by HTTP, and what its answer means for the next one."""

import base64
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import httpx2
from pydantic import AfterValidator, Field

from readfirst import __version__
from readfirst.http_client import HttpAnswer, HttpRequest, exchange
from results.destinations.kind import AbsolutePath, SendingFailed
from results.destinations.tls import TlsAddress, client_context, password, token

#: Bytes of an answer that are read; what says why something was not taken is far shorter.
MOST_OF_ANSWER = 1024 * 1024


def check_url(url: str) -> str:
    """An HTTP address without a user's name. Raises ValueError."""
    parts = urlsplit(url)
    # Raises ValueError for a port that is none.
    _ = parts.port
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError("must be an http:// or https:// address without a user's name")
    if parts.query or parts.fragment:
        raise ValueError("must be an address without ? and #")
    return url.rstrip("/")


class HttpAddress(TlsAddress):
    """An address that is reached by HTTP, with or without a token or a password."""

    url: Annotated[str, AfterValidator(check_url)]
    token_file: AbsolutePath | None = Field(
        None, description="File whose first line is the bearer token that is shown."
    )
    user: str | None = Field(
        None,
        min_length=1,
        max_length=256,
        pattern="^[^:]*$",
        description="User name, without a colon.",
    )
    password_file: AbsolutePath | None = Field(
        None, description="File whose first line is the password of that user."
    )
    seconds: Annotated[float, Field(ge=1, le=120)] = Field(
        30.0, description="Seconds for all of a request."
    )


def request(
    address: HttpAddress,
    method: str,
    path: str,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """Make a request. path: behind the address's URL. Raises SendingFailed.

    At most `MOST_OF_ANSWER` bytes of the answer are kept. A destination that is down, leads
    elsewhere, or does not know us is no good for the next object either; other answers are the
    caller's to judge.
    """
    sent_headers = {
        "User-Agent": f"ReadFirst/{__version__}",
        **(headers or {}),
        **_authorization(address),
    }
    url, target = address.url + path.partition("?")[0], address.url + path
    try:
        answer = exchange(
            HttpRequest(
                method=method,
                url=target,
                content=content,
                headers=sent_headers,
                trusted=client_context(address),
            ),
            address.seconds,
            MOST_OF_ANSWER,
        )
    except TimeoutError as error:
        raise SendingFailed(f"{url} did not answer within {address.seconds:g} s.") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise SendingFailed(f"{url} cannot be reached: {error or type(error).__name__}.") from error
    if 300 <= answer.status < 400:
        raise SendingFailed(f"{url} leads elsewhere (status {answer.status}). Give that address.")
    if answer.status in (401, 403):
        raise SendingFailed(
            f"{url} does not let us in (status {answer.status}): look at token or password."
        )
    if answer.status == 404:
        raise SendingFailed(f"There is nothing at {url} (status 404): look at the address.")
    if answer.status == 429 or answer.status >= 500:
        raise SendingFailed(f"{url} cannot take anything now (status {answer.status}).")
    return answer


def _authorization(address: HttpAddress) -> dict[str, str]:
    if address.token_file is not None:
        return {"Authorization": f"Bearer {token('token_file', address.token_file)}"}
    if address.user is None:
        return {}
    if address.password_file is None:
        raise SendingFailed("user needs password_file.")
    pair = f"{address.user}:{password('password_file', address.password_file)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

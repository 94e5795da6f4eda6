"""An answer that takes long, as a stream of events, ends with the leave to see it."""

import time
from collections.abc import Awaitable, Callable

from starlette.types import Message, Send

#: Seconds between two looks whether somebody is still let in.
LOOK_EVERY = 30.0


class Lasting:
    """Sends an answer on while `still_in` holds; it is asked again every `LOOK_EVERY` seconds."""

    def __init__(self, send: Send, still_in: Callable[[], Awaitable[bool]]) -> None:
        self._send = send
        self._still_in = still_in
        self._next_look = time.monotonic() + LOOK_EVERY
        self._ended = False

    async def __call__(self, message: Message) -> None:
        """Pass one message of an answer on, or end it."""
        if self._ended:
            return
        if message.get("more_body") and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY
            self._ended = not await self._still_in()
        if self._ended:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await self._send(message)

"""The end of a long answer, as of a stream of events, when its session ends."""

import time
from collections.abc import Awaitable, Callable

from starlette.types import Message, Send

#: Seconds between two checks of a session.
CHECK_EVERY = 2.0


class SessionExpiry:
    """Sends an answer on while `is_valid` says so; it is asked every `check_every` seconds."""

    def __init__(
        self, send: Send, is_valid: Callable[[], Awaitable[bool]], check_every: float = CHECK_EVERY
    ) -> None:
        self._send = send
        self._is_valid = is_valid
        self._check_every = check_every
        self._next_check = time.monotonic() + check_every
        self._ended = False

    async def __call__(self, message: Message) -> None:
        """Pass one message of an answer on, or end it."""
        if self._ended:
            return
        if message.get("more_body") and time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + self._check_every
            self._ended = not await self._is_valid()
        if self._ended:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await self._send(message)

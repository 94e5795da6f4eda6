"""The answers of the process that reads files, from its pipe."""

import os
import select
import time

#: No header is longer (bytes); a child that says more has gone wrong.
LONGEST_LINE = 1024 * 1024
#: In place of a request: nothing more is asked of the last file. There is no answer.
LEAVE = b"\n"


class AnswerPipe:
    """Reads a pipe up to a deadline.

    Raises TimeoutError, EOFError when the writer is gone, ValueError for a line without an end.
    """

    def __init__(self, pipe: int, deadline: float) -> None:
        self._pipe = pipe
        # `select` knows no descriptors above 1023.
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)
        self._deadline = deadline
        self._buffer = bytearray()

    def line(self) -> bytes:
        """The next line, without its end."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_LINE:
                raise ValueError
            self._more(65536)
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line

    def exactly(self, size: int) -> bytes:
        """The next so many bytes."""
        while len(self._buffer) < size:
            self._more(size - len(self._buffer))
        return bytes(self._buffer)

    def _more(self, most: int) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0 or not self._poll.poll(left * 1000):
            raise TimeoutError
        read = os.read(self._pipe, min(most, 1 << 20))
        if not read:
            raise EOFError
        self._buffer += read

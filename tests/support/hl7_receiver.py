"""A receiver of HL7 v2 messages for tests, by `hl7.mllp`: it answers as a test wants."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import hl7
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

#: A message that came to what is answered: bytes of a block; None to hang up.
Answer = Callable[[hl7.Message], bytes | None]


class Hl7Receiver:
    """A receiver. messages: that came, in order. connections: that were opened."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.messages: list[hl7.Message] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        """Take the messages of a connection."""
        self.connections += 1
        try:
            while True:
                block = await reader.readblock()
                message = hl7.parse(block.decode())
                self.messages.append(message)
                content = self.answer(message)
                if content is None:
                    break
                writer.writeblock(content)
                await writer.drain()
        except (EOFError, OSError):
            pass
        finally:
            writer.close()


def acknowledges(code: str, text: str = "", more: str = "") -> Answer:
    """Answer with this code. more: further segments."""

    def answer(message: hl7.Message) -> bytes:
        control_id = str(message.segment("MSH")[10])
        header = "MSH|^~\\&|RIS|HOSP|READFIRST|RAD|20260301||ACK^R01^ACK|9|P|2.5.1"
        return f"{header}\rMSA|{code}|{control_id}|{text}\r{more}".encode()

    return answer


@contextmanager
def an_hl7_receiver(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Hl7Receiver]:
    """Listen on a port of loopback that is free, in a thread."""
    receiver = Hl7Receiver(answer)
    started, loop = threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def run() -> None:
        server = await start_hl7_server(
            receiver.serve, "127.0.0.1", 0, encoding="utf-8", ssl=context
        )
        receiver.port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()
        server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()

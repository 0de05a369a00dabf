"""A model in a process of its own, OpenAI-compatible: ``python -m tests.bench.token_server PORT``.

Each request gets a new file of so many tokens, at so many a second, as it asks for: ``TOKENS=2000 RATE=200
FILE=a.txt``. Every tenth token is the time at which it was sent, ``@ns@`` of the machine's monotonic clock, so
that whoever reads it knows its age. It costs as little as may be: it takes the processors of what is measured.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time

import orjson
import uvloop

MARKED = 10
_ASKED = re.compile(r"TOKENS=(\d+) RATE=(\d+) FILE=(\S+)")


def _chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: %b\n\n" % orjson.dumps(body)


def _piece(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    body = orjson.loads(await reader.readexactly(int(length[1]))) if length else {}
    said = "\n".join(str(message["content"]) for message in body.get("messages", []))
    asked = list(_ASKED.finditer(said))[-1]
    tokens, rate, path = int(asked[1]), int(asked[2]), asked[3]
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    writer.write(_piece(_chunk(f"{path}\n````text\n")))
    start = time.monotonic()
    for number in range(tokens):
        delay = start + number / rate - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        if writer.is_closing():
            return
        if number % MARKED == 0:
            text = f"@{time.monotonic_ns()}@"
        else:
            text = "\n" if number % MARKED == 5 else " word"
        writer.write(_piece(_chunk(text)))
    writer.write(_piece(_chunk("\n````\n")) + _piece(_chunk("", "stop")))
    writer.write(_piece(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    await writer.drain()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            await _answer(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port: int) -> None:
    """Serves until it is killed."""
    server = await asyncio.start_server(_serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))

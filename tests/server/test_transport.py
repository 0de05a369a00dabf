"""The short way of data frames: the same messages as without it, however the bytes arrive."""

from __future__ import annotations

import asyncio

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from server.transport import RoomTransport, frame, text_frame
from tests.server.wires import Recorder, accepted, attached, masked

STREAM = (
    masked(b"")
    + masked(b"one")
    + masked("text é👋".encode(), opcode=1)
    + masked(b"ping", opcode=9)
    + masked(b"x" * 125, mask=b"\x00\x00\x00\x00")
    + masked(b"y" * 126)
    + masked(b"frag", final=False)
    + masked(b"", opcode=10)
    + masked(b"men", opcode=0, final=False)
    + masked(b"ted", opcode=0)
    + masked(b"z" * 300)
)
MESSAGES: list[bytes | str] = [b"", b"one", "text é👋", b"x" * 125, b"y" * 126, b"fragmented", b"z" * 300]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_a_frame_is_what_websockets_reads(length: int) -> None:
    for framed, opcode in ((frame(b"x" * length), Opcode.BINARY), (text_frame("x" * length), Opcode.TEXT)):
        reader = StreamReader()
        reader.feed_data(framed)
        parser = Frame.parse(reader.read_exact, mask=False)
        with pytest.raises(StopIteration) as done:
            next(parser)
        parsed = done.value.value
        assert (parsed.opcode, parsed.data, parsed.fin) == (opcode, b"x" * length, True)


async def test_messages_arrive_whole_and_in_order() -> None:
    async with attached() as (protocol, transport, receiver):
        protocol.data_received(STREAM)
        assert receiver.messages == MESSAGES
        assert transport.written == b"\x8a\x04ping"


async def test_every_way_to_split_the_stream_in_two_gives_the_same_messages() -> None:
    async with attached() as (protocol, transport, receiver):
        for cut in range(len(STREAM) + 1):
            receiver.messages.clear()
            transport.written = b""
            protocol.data_received(STREAM[:cut])
            protocol.data_received(STREAM[cut:])
            assert receiver.messages == MESSAGES, f"cut at {cut}"
            assert transport.written == b"\x8a\x04ping"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 129])
async def test_a_stream_in_small_pieces_gives_the_same_messages(size: int) -> None:
    async with attached() as (protocol, _, receiver):
        for start in range(0, len(STREAM), size):
            protocol.data_received(STREAM[start : start + size])
        assert receiver.messages == MESSAGES


@pytest.mark.parametrize("size", [1000, 65_536, 70_001, 300_000])
async def test_a_large_frame_in_pieces_is_whole_and_what_follows_it_too(size: int) -> None:
    stream = masked(b"a" * 200_000) + masked(b"b") + masked(b"c" * 70_000) + masked(b"d")
    async with attached() as (protocol, _, receiver):
        for start in range(0, len(stream), size):
            protocol.data_received(stream[start : start + size])
        assert receiver.messages == [b"a" * 200_000, b"b", b"c" * 70_000, b"d"]


async def test_every_split_between_what_comes_before_and_after_the_handover_gives_the_same_messages() -> None:
    for cut in range(0, len(STREAM) + 1, 3):
        async with accepted() as (protocol, _):
            protocol.data_received(STREAM[:cut])
            receiver = Recorder()
            protocol.attach(receiver, 1000)
            protocol.data_received(STREAM[cut:])
            assert receiver.messages == MESSAGES, f"cut at {cut}"


async def test_much_that_comes_before_the_handover_is_not_read_on_until_it() -> None:
    async with accepted() as (protocol, transport):
        protocol.data_received(masked(b"x" * 200_000))
        reading = [transport.reading]
        receiver = Recorder()
        protocol.attach(receiver, 1000)
        reading.append(transport.reading)
        assert reading == [False, True]
        assert receiver.messages == [b"x" * 200_000]


async def test_a_connection_that_was_lost_before_the_handover_is_reported_at_once() -> None:
    async with accepted() as (protocol, _):
        protocol.connection_lost(None)
        receiver = Recorder()
        protocol.attach(receiver, 1000)
        assert receiver.told == ["lost"]


async def test_a_client_that_closes_before_the_handover_is_reported() -> None:
    async with accepted() as (protocol, _):
        protocol.data_received(masked(b"last") + masked((1000).to_bytes(2, "big"), opcode=8))
        receiver = Recorder()
        protocol.attach(receiver, 1000)
        assert (receiver.messages, receiver.told) == ([b"last"], ["lost"])


# Ends


def close_code(written: bytes) -> int:
    """The code of the close frame that was written last."""
    at = written.rindex(b"\x88")
    return int.from_bytes(written[at + 2 : at + 4], "big")


async def test_the_end_carries_a_code_and_a_reason_that_fits() -> None:
    async with attached() as (protocol, transport, receiver):
        protocol.end(1013, "é" * 200)
        assert close_code(transport.written) == 1013
        assert transport.written[4:].decode() == "é" * 60
        assert receiver.told == ["lost"]
        protocol.end(1000, "again")
        assert transport.written.count(b"\x88") == 1


async def test_nothing_is_written_or_delivered_after_the_end() -> None:
    async with attached() as (protocol, transport, receiver):
        protocol.data_received(masked(b"begun")[:5])
        protocol.end(1008, "enough")
        before = transport.written
        protocol.write(frame(b"late"))
        protocol.data_received(masked(b"begun")[5:] + masked(b"more"))
        assert (transport.written, receiver.messages) == (before, [])


async def test_a_client_that_answers_the_close_ends_the_connection() -> None:
    async with attached() as (protocol, transport, _):
        protocol.end(1008, "enough")
        assert not transport.closed
        protocol.data_received(masked((1008).to_bytes(2, "big"), opcode=8))
        assert transport.closed


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x82\x05hello", 1002),
        (b"\xc2\x85\0\0\0\0hello", 1002),
        (masked(b"hello", opcode=3), 1002),
        (masked(b"hello", opcode=0), 1002),
        (masked(b"x" * 126, opcode=9), 1002),
        (masked(b"x" * 2000), 1009),
        (b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"\0\0\0\0", 1009),
    ],
)
async def test_what_breaks_the_protocol_is_answered_with_its_code(data: bytes, code: int) -> None:
    async with attached(max_size=1000) as (protocol, transport, receiver):
        protocol.data_received(masked(b"fine") + data + masked(b"never delivered"))
        assert receiver.messages == [b"fine"]
        assert receiver.told == ["lost"]
        assert close_code(transport.written) == code
        # The socket is read on for a moment, so that the client gets the reason and not a reset.
        assert transport.ended
        assert not transport.closed
        protocol.data_received(b"whatever else" * 100)
        assert transport.written.count(b"\x88") == 1


async def test_text_that_is_not_utf8_ends_the_connection() -> None:
    async with attached() as (protocol, transport, receiver):
        protocol.data_received(masked(b"\xff\xfe", opcode=1))
        assert close_code(transport.written) == 1007
        assert receiver.messages == []


class Ender(Recorder):
    """Ends the connection at the second message."""

    def __init__(self, protocol: RoomTransport) -> None:
        super().__init__()
        self.protocol = protocol

    def received(self, data: bytes | str) -> None:
        super().received(data)
        if len(self.messages) == 2:
            self.protocol.end(1008, "enough")


async def test_a_receiver_may_end_the_connection_in_the_middle_of_what_came() -> None:
    async with accepted() as (protocol, transport):
        receiver = Ender(protocol)
        protocol.attach(receiver, 1000)
        protocol.data_received(masked(b"1") + masked(b"2") + masked(b"3") + masked(b"4")[:4])
        protocol.data_received(masked(b"4")[4:] + masked((1008).to_bytes(2, "big"), opcode=8))
        assert receiver.messages == [b"1", b"2"]
        assert transport.closed


# Writing


async def test_a_full_buffer_pauses_and_an_empty_one_resumes() -> None:
    async with attached() as (protocol, transport, receiver):
        assert transport.high == 1000
        protocol.pause_writing()
        protocol.resume_writing()
        assert receiver.told == ["paused", "resumed"]


async def test_the_process_says_goodbye_before_it_closes() -> None:
    async with attached() as (protocol, transport, receiver):
        protocol.shutdown()
        assert receiver.told == ["leaving", "lost"]
        assert close_code(transport.written) == 1012


async def test_every_probe_is_answered_by_whatever_is_heard_next() -> None:
    async with attached() as (protocol, transport, _):
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        protocol.probe(first)
        protocol.probe(second)
        assert transport.written.count(b"\x89\x05probe") == 2
        assert not first.done()
        protocol.data_received(masked(b"probe", opcode=10))
        assert first.done()
        assert second.done()


async def test_a_client_that_answers_no_ping_is_cut_off() -> None:
    async with attached() as (protocol, transport, _):
        protocol.keepalive_timeout()
        assert transport.aborted

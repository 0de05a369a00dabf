"""More than 20,000 bad frames over every dialect: nothing escapes, nobody else notices, memory stays flat."""

from __future__ import annotations

import asyncio
import gc
import logging
from pathlib import Path
from random import Random
from typing import Any

import pytest

from collab.errors import MalformedMessage
from collab.ids import ClientId, FileId
from collab.session import YSession
from collab.wire import sync_update
from server.messages.events import Error
from server.textmode import TextSession, control_request
from tests.collab.replicas import Replica, Setup
from tests.integration.fuzz.frames import packed_frames, text_frames, y_frames
from tests.server.wired_clients import Client, room_with, turn
from tests.server.wires import accepted, attached, masked

MIB = 1024 * 1024


def resident() -> int:
    """Bytes of memory that the process has."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def test_twelve_thousand_frames_to_a_session_raise_nothing_but_malformed() -> None:
    random = Random(1)
    setup = Setup()
    session = YSession(setup.room, setup.member(acknowledged=True), setup.limits, setup.clock)
    refused = 0
    start = 0
    for number, frame in enumerate(y_frames(random, 12_000)):
        if number == 4_000:
            start = resident()
        if number % 1_000 == 0:
            # A room in which nobody leaves rubbish for ever, as the limits see to.
            setup = Setup()
        if number % 20 == 0:
            session = YSession(setup.room, setup.member(acknowledged=True), setup.limits, setup.clock)
        try:
            session.receive(frame)
        except MalformedMessage:
            refused += 1
        setup.room.turn()
        session.probe.clear()
    assert refused > 3_000
    assert resident() - start < 32 * MIB


@pytest.mark.parametrize("packed", [False, True])
def test_four_thousand_frames_of_the_native_dialect_are_requests_or_answered_with_an_error(packed: bool) -> None:
    random = Random(2)
    session = TextSession(packed=packed)
    frames: list[Any] = [*(packed_frames(random, 4_000) if packed else text_frames(random, 4_000))]
    session.receive(frames[0])
    start = resident()
    errors = [answer for answer in map(session.receive, frames) if isinstance(answer, Error)]
    assert len(errors) > 2_000
    assert all(error.code and error.message and len(error.message) < 2_000 for error in errors)
    assert resident() - start < 32 * MIB


def test_a_frame_of_the_other_kind_is_answered_with_an_error() -> None:
    assert isinstance(TextSession(packed=False).receive(b"\x80"), Error)
    assert isinstance(TextSession(packed=True).receive("{}"), Error)


def test_a_thousand_control_messages_are_requests_or_answered_with_an_error() -> None:
    for text in text_frames(Random(3), 1_000):
        control_request(text)


async def test_four_thousand_frames_to_a_live_room_leave_another_client_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    random = Random(4)
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    with caplog.at_level(logging.ERROR):
        async with room_with(1) as (host, (watcher,)):
            watcher.send(sync_update(watcher.replica.create(file="w", text="")))
            frames = y_frames(random, 4_000)
            for fuzzer in range(400):
                async with accepted() as (protocol, transport):
                    client = Client(1_000 + fuzzer, host, protocol, transport)
                    await client.connection.opened()
                    for _ in range(10):
                        protocol.data_received(masked(next(frames)))
                    await turn()
                watcher.send(sync_update(watcher.replica.insert(fuzzer, "w", file="w")))
                await turn()
                watcher.take()
            assert host.connections() == 1
            assert host.document.text(FileId("w")) == "w" * 400
            assert watcher.replica.read("w") == "w" * 400
            assert not watcher.transport.closed
            assert b"\x88" not in watcher.transport.written
    assert escaped == []
    assert [record.getMessage() for record in caplog.records] == []


async def test_four_thousand_broken_streams_end_their_connection_and_nothing_else() -> None:
    random = Random(5)
    good = b"".join(
        masked(random.randbytes(random.randint(0, 200)), opcode=random.choice([1, 2, 9])) for _ in range(20)
    )
    start = 0
    for number in range(4_000):
        if number == 1_000:
            start = resident()
        data = bytearray(good[: random.randint(1, len(good))])
        for _ in range(random.randint(1, 5)):
            data[random.randrange(len(data))] = random.randrange(256)
        async with attached(max_size=10_000) as (protocol, transport, receiver):
            feed(random, protocol, bytes(data))
            assert receiver.told in ([], ["lost"])
            if receiver.told:
                assert transport.ended or transport.closed or b"\x88" in transport.written
    assert resident() - start < 32 * MIB


def feed(random: Random, protocol: Any, data: bytes) -> None:
    """Gives a stream in pieces of random sizes."""
    at = 0
    while at < len(data):
        size = random.randint(1, 400)
        protocol.data_received(data[at : at + size])
        at += size


def test_a_fuzzed_room_can_still_be_read() -> None:
    setup = Setup()
    member = setup.member()
    setup.send(member, Replica(7).create(file="kept", text="é👋"))
    session = YSession(setup.room, member, setup.limits, setup.clock)
    for frame in y_frames(Random(6), 500):
        try:
            session.receive(frame)
        except MalformedMessage:
            continue
        setup.room.turn()
    document = setup.room.document
    texts = {file: document.text(file) for file in document.listing().files}
    assert texts[FileId("kept")] == "é👋"
    copy = document.fork(ClientId(99))
    assert {file: copy.text(file) for file in copy.listing().files} == texts

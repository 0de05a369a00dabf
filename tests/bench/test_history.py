"""What versions cost: bytes in the store, time, and how long the event loop is held up meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collab.editor import Editor
from collab.ids import FileId, PersonId
from collab.io.sqlite import SqliteStore
from collab.origin import ImportOrigin
from collab.ports import Store
from server.host import RoomHost
from tests.collab.replicas import HandClock
from tests.server.history.worlds import ANN, ROOM, Process, write

pytestmark = pytest.mark.bench

LINES = 10_000
CHANGED = 50


def lines(seed: int, count: int = LINES) -> list[str]:
    words = random.Random(seed)
    names = ["value", "count", "index", "result", "buffer", "request", "session", "total"]
    return [
        f"    {words.choice(names)}_{words.randrange(99)} = {words.choice(names)}({words.randrange(10_000)})\n"
        for _ in range(count)
    ]


def edit(host: RoomHost, seed: int, path: str = "a.py") -> None:
    """Changes a word in CHANGED lines."""
    chosen = random.Random(seed)
    text = host.document.text(FileId(f"id-{path}"))
    starts = [0]
    for line in text.split("\n")[:-2]:
        starts.append(starts[-1] + len(line) + 1)
    places = sorted(chosen.sample(starts, CHANGED))

    def change(editor: Editor) -> None:
        editor.splices(FileId(f"id-{path}"), [(at + 4, at + 6, f"x{chosen.randrange(99)}") for at in places])

    host.change(change, ImportOrigin(PersonId("Ann")))


class Blocks:
    """The longest time for which the loop did nothing else, in ms: of its own work (``longest``), and by the
    clock, with what it waited for other threads and, where the machine is busy, other processes.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self.by_clock = 0.0

    async def watch(self) -> None:
        last, last_clock = time.thread_time(), time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now, clock = time.thread_time(), time.perf_counter()
            self.longest = max(self.longest, (now - last) * 1000)
            self.by_clock = max(self.by_clock, (clock - last_clock) * 1000)
            last, last_clock = now, clock

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.watch())
        await asyncio.sleep(0.01)
        self.longest = self.by_clock = 0.0
        try:
            yield
        finally:
            task.cancel()


async def test_a_version_of_a_large_file(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "pairloom.db")
    one = Process(store, HandClock())  # type: ignore[arg-type]
    blocks = Blocks()
    async with one.running(), one.hub.held(ROOM) as host:
        write(host, "a.py", "".join(lines(1)))
        first = await one.history.save(ROOM, "first", ANN)
        sizes, times, longest, by_clock = [], [], [], []
        for seed in range(20):
            edit(host, seed)
            async with blocks.watching():
                begun = time.perf_counter()
                saved = await one.history.save(ROOM, f"v{seed}", ANN)
                times.append((time.perf_counter() - begun) * 1000)
            sizes.append(saved.stored_bytes)
            longest.append(blocks.longest)
            by_clock.append(blocks.by_clock)
        begun = time.perf_counter()
        text = await one.history.reading.text(ROOM, "v19", "a.py")
        reading = (time.perf_counter() - begun) * 1000
        assert text == host.document.text(FileId("id-a.py"))
        begun = time.perf_counter()
        found = await one.history.reading.comparison(ROOM, "first", "v19", None)
        comparing = (time.perf_counter() - begun) * 1000
        assert found.files[0].added > CHANGED
    print(
        f"\nfile: {len(text):,} characters, first version {first.stored_bytes:,} bytes"
        f"\n{CHANGED} changed lines: {sorted(sizes)[10]:,} bytes (at most {max(sizes):,}); "
        f"{sorted(times)[10]:.1f} ms until stored; longest block {sorted(longest)[10]:.1f} ms "
        f"(at most {max(longest):.1f}), by the clock {sorted(by_clock)[10]:.1f} ms"
        f"\nread after 20 differences: {reading:.1f} ms; compare with the first: {comparing:.1f} ms"
    )
    assert max(sizes) < 2_000
    assert sorted(longest)[10] < 5


async def test_a_room_of_many_files(tmp_path: Path) -> None:
    async def open_store() -> Store:
        return await SqliteStore.open(tmp_path / "pairloom.db")

    one = Process(await open_store(), HandClock())  # type: ignore[arg-type]
    blocks = Blocks()
    async with one.running(), one.hub.held(ROOM) as host:
        for number in range(2_000):
            write(host, f"src/{number}.py", "".join(lines(number, 50)))
        async with blocks.watching():
            begun = time.perf_counter()
            first = await one.history.save(ROOM, "first", ANN)
            making = (time.perf_counter() - begun) * 1000
        first_block, first_clock = blocks.longest, blocks.by_clock
        write(host, "src/7.py", "".join(lines(7, 51)))
        async with blocks.watching():
            second = await one.history.save(ROOM, "second", ANN)
    print(
        f"\n2,000 files of 50 lines: {first.stored_bytes:,} bytes in {making:.0f} ms, longest block "
        f"{first_block:.1f} ms (by the clock {first_clock:.1f}); then one changed: {second.stored_bytes:,} bytes, "
        f"longest block {blocks.longest:.1f} ms (by the clock {blocks.by_clock:.1f})"
    )
    assert second.stored_bytes < 1_500


async def test_a_restore_of_a_large_file(tmp_path: Path) -> None:
    one = Process(await SqliteStore.open(tmp_path / "pairloom.db"), HandClock())  # type: ignore[arg-type]
    blocks = Blocks()
    async with one.running(), one.hub.held(ROOM) as host:
        write(host, "a.py", "".join(lines(1)))
        await one.history.save(ROOM, "first", ANN)
        for seed in range(10):
            edit(host, seed)
        begun = time.perf_counter()
        async with blocks.watching():
            done = await one.history.restore(ROOM, "first", None, ANN)
        took = (time.perf_counter() - begun) * 1000
        assert done.paths == ["a.py"]
        assert host.document.text(FileId("id-a.py")) == "".join(lines(1))
    print(
        f"\nrestore of a file of {LINES:,} lines in which {10 * CHANGED} differ: {took:.0f} ms until stored, "
        f"longest block {blocks.longest:.1f} ms (by the clock {blocks.by_clock:.1f})"
    )

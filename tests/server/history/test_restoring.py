"""Restores: what was there, through the door of changes, after a version of what is there now."""

from __future__ import annotations

import pytest

from collab.errors import NotFound, TryLater
from collab.undo import undo
from server.history.service import History
from server.history.settings import HistorySettings
from tests.server.history.worlds import ANN, ROOM, process, read, write


async def test_the_whole_room_is_as_it_was_and_that_can_be_undone() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "first\n")
        await one.history.save(ROOM, "then", ANN)
        write(host, "a.txt", "second\n")
        write(host, "b.txt", "new\n")
        done = await one.history.restore(ROOM, "then", None, ANN)
        assert (done.change, done.paths, done.version.name) == ("c1", ["a.txt", "b.txt"], "then")
        assert read(host) == {"a.txt": "first\n"}
        assert one.doors.titles == ["Restored the room to version then."]
        update, _ = undo(one.doors.ledgers[0], host.document)
        assert update is not None
        host.document.apply([update])
        assert read(host) == {"a.txt": "second\n", "b.txt": "new\n"}


async def test_what_was_there_and_what_came_of_it_are_versions() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "first\n")
        await one.history.save(ROOM, "then", ANN)
        write(host, "a.txt", "second\n")
        await one.history.restore(ROOM, "then", None, ANN)
        versions = await one.versions()
        assert [(version.cause, version.by) for version in versions] == [
            ("named", "Ann"),
            ("work", ""),
            ("restore", "Ann"),
        ]
        assert await one.history.reading.text(ROOM, versions[1].id, "a.txt") == "second\n"


async def test_one_file_alone() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "first\n")
        write(host, "b.txt", "first\n")
        await one.history.save(ROOM, "then", ANN)
        write(host, "a.txt", "second\n")
        write(host, "b.txt", "second\n")
        done = await one.history.restore(ROOM, "then", "a.txt", ANN)
        assert done.paths == ["a.txt"]
        assert read(host) == {"a.txt": "first\n", "b.txt": "second\n"}


async def test_what_is_so_already_is_no_change() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "first\n")
        saved = await one.history.save(ROOM, "then", ANN)
        for file in ("a.txt", None):
            done = await one.history.restore(ROOM, saved.version, file, ANN)
            assert (done.change, done.paths) == (None, [])
        assert await one.causes() == ["named"]


async def test_a_file_that_the_version_lacks_is_named() -> None:
    async with process() as one:
        await one.history.save(ROOM, "then", ANN)
        with pytest.raises(NotFound, match="has no file 'a'"):
            await one.history.restore(ROOM, "then", "a", ANN)
        with pytest.raises(NotFound, match="no version 'other'"):
            await one.history.restore(ROOM, "other", None, ANN)


async def test_without_a_door_nothing_is_restored() -> None:
    async with process() as one:
        history = History(one.hub, one.clock, one.hub._random, HistorySettings())
        one.hub.on_loaded(history.attach)
        await one.history.save(ROOM, "then", ANN)
        with pytest.raises(TryLater, match="cannot restore"):
            await history.restore(ROOM, "then", None, ANN)

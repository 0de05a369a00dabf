"""What differs between versions, and what happened since somebody left."""

from __future__ import annotations

from collab.ids import ClientId, ConnectionId, PersonId
from server.caller import Caller
from server.history.activity import DEFAULT_MS
from server.history.seen import KIND, MOST_PEOPLE
from server.messages.history import DiffLine
from tests.server.history.worlds import ANN, ROOM, process, write


def caller(name: str) -> Caller:
    return Caller(ConnectionId("c1"), PersonId(name), name, "#000000", ClientId(5), native=True)


async def test_what_differs_between_two_versions() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "one\ntwo\n")
        await one.history.save(ROOM, "first", ANN)
        write(host, "a.txt", "one\n2\n")
        write(host, "b.txt", "new\n")
        await one.history.save(ROOM, "second", ANN)
        found = await one.history.reading.comparison(ROOM, "first", "second", None, 7)
        assert [(file.path, file.kind) for file in found.files] == [("a.txt", "changed"), ("b.txt", "added")]
        assert found.files[0].hunks[0].lines == [
            DiffLine(mark="same", text="one"),
            DiffLine(mark="gone", text="two"),
            DiffLine(mark="new", text="2"),
        ]
        assert found.id == 7


async def test_what_differs_between_a_version_and_now() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "one\n")
        write(host, "b.txt", "one\n")
        saved = await one.history.save(ROOM, "first", ANN)
        write(host, "a.txt", "two\n")
        write(host, "b.txt", "two\n")
        found = await one.history.reading.comparison(ROOM, "first", None, "b.txt")
        assert (found.base, found.to) == (saved.version, None)
        assert [file.path for file in found.files] == ["b.txt"]


async def test_activity_since_a_moment() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        one.clock.now = 1_000
        write(host, "a.txt", "one\n")
        await one.history.save(ROOM, "first", ANN)
        one.clock.now = 2_000
        write(host, "b.txt", "two!\n")
        await one.history.save(ROOM, "second", ANN)
        report = await one.history.reports.report(ROOM, 1_500_000, ANN)
        assert [version.name for version in report.versions] == ["second"]
        assert [(file.path, file.by[0].author.author, file.by[0].inserted) for file in report.files] == [
            ("b.txt", "Ann", 5)
        ]


async def test_activity_of_what_has_no_version_yet() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        one.clock.now = 1_000
        write(host, "a.txt", "one\n")
        await one.history.save(ROOM, "first", ANN)
        one.clock.now = 2_000
        write(host, "a.txt", "")
        report = await one.history.reports.report(ROOM, 1_500_000, ANN)
        assert [(file.path, file.by) for file in report.files] == [("a.txt", [])]


async def test_activity_since_the_asker_left() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        assert host.watch is not None
        one.clock.now = 1_000
        host.watch.gone(caller("Ann"))
        one.clock.now = 2_000
        host.watch.gone(caller("Ben"))
        host.watch.gone(caller(""))
        report = await one.history.reports.report(ROOM, None, ANN)
        assert (report.last_seen_ms, report.since_ms, report.now_ms) == (1_000_000, 1_000_000, 2_000_000)
        assert (await host.records(KIND)).keys() == {"Ann", "Ben"}


async def test_activity_of_a_day_for_who_was_never_here() -> None:
    async with process() as one:
        one.clock.now = 1_000_000
        report = await one.history.reports.report(ROOM, None, ANN)
        assert (report.last_seen_ms, report.since_ms) == (None, 1_000_000_000 - DEFAULT_MS)


async def test_only_so_many_people_are_remembered() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        assert host.watch is not None
        for number in range(MOST_PEOPLE + 5):
            one.clock.now += 1
            host.watch.gone(caller(f"p{number}"))
        await one.history.reports.report(ROOM, None, ANN)
        people = await host.records(KIND)
        assert len(people) == MOST_PEOPLE
        assert "p4" not in people
        assert "p5" in people


async def test_whose_connection_ends_as_the_process_stops_has_not_left() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        assert host.watch is not None
        one.history.leave()
        host.watch.gone(caller("Ann"))
        assert await host.records(KIND) == {}

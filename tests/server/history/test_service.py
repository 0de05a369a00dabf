"""When versions are made, and of what."""

from __future__ import annotations

from contextlib import suppress

import pytest

from collab.errors import InvalidInput, LimitExceeded, NotFound, StoreError
from collab.history.version import KIND, PACKS
from collab.ids import FileId, PersonId, RoomId
from collab.origin import ImportOrigin
from server.history.service import TICK_SECONDS
from tests.collab.replicas import HandClock
from tests.server.history.worlds import (
    ANN,
    DAY_MS,
    ROOM,
    Kept,
    Process,
    begin_job,
    end_job,
    enter,
    process,
    read,
    write,
)

ORIGIN = ImportOrigin(PersonId("Ann"))


async def text_of(process: Process, version: str, path: str = "a.txt") -> str:
    return await process.history.reading.text(ROOM, version, path)


async def test_work_gets_a_version_once_the_interval_is_over() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        enter(host)
        write(host, "a.txt", "hello")
        await one.work(299)
        write(host, "a.txt", "hello!")
        await one.work(0)
        assert await one.causes() == []
        await one.work(2)
        (made,) = await one.versions()
        assert (made.cause, made.number, made.files, made.changed) == ("work", 1, 1, 1)
        assert await text_of(one, made.id) == "hello!"


async def test_a_room_that_nobody_is_in_gets_a_version_when_its_edits_have_ended() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "hello")
        await one.work(TICK_SECONDS)
        assert await one.causes() == []
        await one.work(TICK_SECONDS)
        assert await one.causes() == ["work"]


async def test_where_nothing_changes_no_version_is_made() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "hello")
        await one.work()
        write(host, "a.txt", "other")
        write(host, "a.txt", "hello")
        await one.work()
        await one.work()
        assert await one.causes() == ["work"]


async def test_a_room_stays_loaded_until_its_changes_have_a_version() -> None:
    async with process() as one:
        async with one.hub.held(ROOM) as host:
            write(host, "a.txt", "hello")
        assert host.held == 1
        await one.work()
        assert host.held == 0


async def test_without_an_interval_only_jobs_and_names_make_versions() -> None:
    async with process(interval=0) as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "hello")
        await one.work(10_000)
        assert host.held == 1
        assert await one.causes() == []
        await one.history.save(ROOM, "mine", ANN)
        begin_job(host)
        await one.idle()
        assert await one.causes() == ["named", "job_started"]


async def test_a_job_begins_with_a_version_of_what_was_there_before_its_first_change() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "before")
        begin_job(host)
        write(host, "a.txt", "by the job")
        await one.idle()
        end_job(host)
        write(host, "a.txt", "after")
        await one.idle()
        started, ended = await one.versions()
        assert (started.cause, started.job, ended.cause, ended.job) == ("job_started", "j1", "job_ended", "j1")
        assert await text_of(one, started.id) == "before"
        assert await text_of(one, ended.id) == "by the job"


async def test_a_job_that_never_began_has_no_version() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        end_job(host)
        await one.idle()
        assert await one.causes() == []


async def test_a_job_that_goes_on_elsewhere_begins_once() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        begin_job(host)
        await one.idle()
        assert host.watch is not None
        host.watch.begun.clear()
        begin_job(host)
        await one.idle()
        end_job(host)
        await one.idle()
        begin_job(host)
        await one.idle()
        assert await one.causes() == ["job_started", "job_ended", "job_started"]


async def test_a_name_makes_a_version_even_where_nothing_has_changed() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "hello")
        first = await one.history.save(ROOM, "  before the   demo ", ANN)
        second = await one.history.save(ROOM, "again", ANN)
        assert (first.name, first.by, first.changed) == ("before the demo", "Ann", 1)
        assert (second.name, second.changed) == ("again", 0)
        assert await text_of(one, "again") == "hello"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b"])
async def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    async with process() as one:
        with pytest.raises(InvalidInput, match="1 to 200"):
            await one.history.save(ROOM, name, ANN)


async def test_the_room_is_told_of_each_version() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        told: list[object] = []
        host.said = told.append  # type: ignore[method-assign,assignment]
        saved = await one.history.save(ROOM, "mine", ANN)
        assert [message.version for message in told] == [saved]  # type: ignore[attr-defined]


async def test_files_that_come_go_and_move_are_in_versions() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "a")
        write(host, "b.txt", "b")
        await one.history.save(ROOM, "two", ANN)
        host.change(lambda editor: editor.delete(FileId("id-a.txt")), ORIGIN)
        host.change(lambda editor: editor.rename(FileId("id-b.txt"), "c.txt"), ORIGIN)
        await one.history.save(ROOM, "one", ANN)
        _, two = await one.history.reading.files(ROOM, "two")
        version, rest = await one.history.reading.files(ROOM, "one")
        assert [file.path for file in two] == ["a.txt", "b.txt"]
        assert [(file.path, file.length) for file in rest] == [("c.txt", 1)]
        assert version.changed == 2
        with pytest.raises(NotFound, match=r"has no file 'a\.txt'"):
            await text_of(one, "one")


async def test_a_version_that_is_not_there_is_named() -> None:
    async with process() as one:
        with pytest.raises(NotFound, match="no version 'v9'"):
            await text_of(one, "v9")


async def test_after_a_restart_only_what_has_changed_since_is_stored() -> None:
    store, clock = Kept(), HandClock()
    large = "".join(f"line {number}\n" for number in range(2_000))
    async with process(store, clock) as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", large)
        write(host, "b.txt", large)
        await one.history.save(ROOM, "first", ANN)
    async with process(store, clock) as two, two.hub.held(ROOM) as host:
        write(host, "c.txt", "new")
        second = await two.history.save(ROOM, "second", ANN)
        assert second.changed == 1
        assert second.stored_bytes < 200
        assert await text_of(two, "first") == large
        assert await text_of(two, "second", "b.txt") == large


async def test_after_a_restart_what_changed_without_a_version_is_found() -> None:
    store, clock = Kept(), HandClock()
    async with process(store, clock, interval=0) as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "first")
        await one.history.save(ROOM, "first", ANN)
        write(host, "a.txt", "second")
    async with process(store, clock) as two:
        await two.history.save(ROOM, "second", ANN)
        assert await text_of(two, "second") == "second"


async def test_the_end_of_the_process_is_the_end_of_the_work() -> None:
    store, clock = Kept(), HandClock()
    async with process(store, clock) as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "hello")
    async with process(store, clock) as two:
        assert await two.causes() == ["work"]


async def test_old_versions_are_thinned_out_and_the_others_can_still_be_read() -> None:
    async with process() as one, one.hub.held(ROOM) as host:
        texts = {}
        for number in range(12):
            write(host, "a.txt", "".join(f"{number if line == number else 0} {line}\n" for line in range(400)))
            write(host, f"{number}.txt", f"file {number}\n" * 300)
            one.clock.now += 20
            name = "kept" if number == 3 else ""
            if name:
                await one.history.save(ROOM, name, ANN)
            else:
                await one.work()
            texts[(await one.versions())[-1].id] = read(host)
        before = await one.versions()
        one.clock.now += 2 * DAY_MS / 1000
        write(host, "a.txt", "the end")
        await one.work()
        texts[(await one.versions())[-1].id] = read(host)
        after = await one.versions()
        assert len(after) < len(before)
        assert [v.name for v in after if v.name] == ["kept"]
        for version in after:
            found = {}
            _, files = await one.history.reading.files(ROOM, version.id)
            for file in files:
                found[file.path] = await text_of(one, version.id, file.path)
            assert found == texts[version.id]
        packs = {version.pack.id for version in after if version.pack is not None}
        assert (await one.store.records(ROOM, PACKS)).keys() == packs


async def test_a_pack_whose_version_was_never_stored_is_forgotten() -> None:
    store, clock = Kept(), HandClock()
    async with process(store, clock, interval=0) as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "".join(f"{number * number}\n" for number in range(2_000)))
        saved = await one.history.save(ROOM, "first", ANN)
        await host.durable()
        # As if the process had ended before it stored the version.
        await store.put_record(ROOM, KIND, saved.version, None)
    async with process(store, clock) as two:
        again = await two.history.save(ROOM, "again", ANN)
        assert len(await store.records(ROOM, PACKS)) == 1
        assert again.changed == 1


async def test_versions_that_cannot_be_read_any_more_do_not_keep_new_ones_from_being_made() -> None:
    store, clock = Kept(), HandClock()
    text = "".join(f"{number * number}\n" for number in range(2_000))
    async with process(store, clock) as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", text)
        await one.history.save(ROOM, "first", ANN)
        (version,) = await one.versions()
        assert version.pack is not None
        await store.put_record(ROOM, version.pack.kind, version.pack.places[0], None)
    async with process(store, clock) as two, two.hub.held(ROOM) as host:
        write(host, "b.txt", "new")
        await two.history.save(ROOM, "second", ANN)
        assert await text_of(two, "second") == text
        write(host, "b.txt", "newer")
        await two.history.save(ROOM, "third", ANN)
        assert await text_of(two, "third", "b.txt") == "newer"


class Dying(Kept):
    """Takes so many records, and then none any more, as if the process had ended there."""

    def __init__(self, takes: int) -> None:
        super().__init__()
        self.takes = takes
        self.put = 0

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        self.put += 1
        if self.put <= self.takes:
            await super().put_record(room, kind, key, value, fence)


async def live_and_die(store: Dying) -> None:
    """Versions of small and large texts, most of which are thinned out then."""
    clock = HandClock()
    async with process(store, clock, interval=0) as one, one.hub.held(ROOM) as host:
        for number in range(4):
            write(host, "small.txt", f"text {number}")
            write(host, f"{number}.txt", "".join(f"{number * line * 7919}\n" for line in range(700)))
            clock.now += 30
            begin_job(host, f"j{number}")
            await one.idle()
        clock.now += 2 * DAY_MS / 1000
        with suppress(StoreError):
            # What has ended would not have come to see that its records are not there.
            await one.history.save(ROOM, "end", ANN)
        await host.durable()


async def test_whenever_the_process_ends_all_versions_that_are_listed_can_be_read() -> None:
    whole = Dying(1_000)
    await live_and_die(whole)
    assert 20 < whole.put < 200
    for takes in range(whole.put):
        store = Dying(takes)
        await live_and_die(store)
        store.takes = 1_000_000
        async with process(store) as two, two.hub.held(ROOM) as host:
            for version in await two.versions():
                _, files = await two.history.reading.files(ROOM, version.id)
                for file in files:
                    await text_of(two, version.id, file.path)
            await two.history.save(ROOM, "again", ANN)
            assert await text_of(two, "again", "3.txt") == read(host)["3.txt"]
            used = {version.pack.id for version in await two.versions() if version.pack is not None}
            assert (await host.records(PACKS)).keys() == used


async def test_a_room_whose_history_would_be_too_large_says_so() -> None:
    async with process(most_bytes=500) as one, one.hub.held(ROOM) as host:
        write(host, "a.txt", "".join(f"{number * number}\n" for number in range(2_000)))
        with pytest.raises(LimitExceeded, match="history_bytes"):
            await one.history.save(ROOM, "too large", ANN)
        await one.work()
        assert await one.causes() == []


async def test_the_oldest_go_when_history_takes_too_many_bytes() -> None:
    async with process(most_bytes=12_000) as one, one.hub.held(ROOM) as host:
        for number in range(20):
            write(host, f"{number % 3}.txt", "".join(f"{number * line * 7919}\n" for line in range(200)))
            await one.work()
        versions = await one.versions()
        assert 1 < len(versions) < 20
        assert sum(version.size for version in versions) <= 12_000
        assert read(host)["0.txt"] == await text_of(one, versions[-1].id, "0.txt")


async def test_a_deleted_room_has_no_history() -> None:
    async with process() as one:
        async with one.hub.held(ROOM) as host:
            write(host, "a.txt", "hello")
            await one.history.save(ROOM, "mine", ANN)
        await one.hub.delete(ROOM)
        await one.work()
        assert await one.store.records(ROOM, KIND) == {}
        assert await one.causes() == []

"""``pairloom migrate``: rooms from the embedded store to Redis, or back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rich.filesize import decimal

from collab.errors import StoreError
from collab.ids import RoomId
from collab.io.sqlite import SqliteStore
from collab.ports import RoomSummary, Store
from server.commands.copying import NotCopied, Target, copy_room
from server.commands.printing import CommandFailed, counted, progress, say
from server.commands.stores import SharedRooms, shared_rooms
from server.settings import Settings

Kind = Literal["sqlite", "redis"]
KINDS: Final = ("sqlite", "redis")
_SECONDS: Final = 120.0
"""For one command of Redis: the state of a large room goes in one piece."""


@dataclass(frozen=True, slots=True)
class Ends:
    """From where to where; the files are those of the embedded store, where that is an end."""

    source: Kind
    target: Kind
    source_file: Path | None = None
    target_file: Path | None = None


def ends(source: str, target: str, source_file: Path | None, target_file: Path | None) -> Ends:
    """What the command line names. Raises CommandFailed for what makes no sense."""
    if source not in KINDS or target not in KINDS:
        raise CommandFailed("--from and --to must each be sqlite or redis.", code=2)
    if source == target:
        raise CommandFailed(
            f"--from and --to are both {source}; rooms go from one kind of store to the other.", code=2
        )
    for option, file, kind in (("--from-database", source_file, source), ("--to-database", target_file, target)):
        if file is not None and kind == "redis":
            raise CommandFailed(f"{option} names a file, but that end is redis; leave it out.", code=2)
    return Ends(
        "sqlite" if source == "sqlite" else "redis",
        "sqlite" if target == "sqlite" else "redis",
        source_file,
        target_file,
    )


async def run(settings: Settings, way: Ends, rooms: Sequence[RoomId], *, overwrite: bool) -> int:
    """Copies the rooms, or all, with a line for each; returns the exit code.

    Raises CommandFailed when there is nothing to copy from, and StoreError when a store cannot be opened.
    """
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(shared_rooms(settings, seconds=_SECONDS))
        file = await stack.enter_async_context(_embedded(settings, way))
        source: Store = file if way.source == "sqlite" else shared.store
        target = Target(file) if way.target == "sqlite" else Target(shared.store, shared.store.compacting)
        return await _Migration(source, target, shared, way, overwrite).run(rooms)


class _Migration:
    """One run of the command."""

    def __init__(self, source: Store, target: Target, shared: SharedRooms, way: Ends, overwrite: bool) -> None:
        self._source = source
        self._target = target
        self._shared = shared
        self._way = way
        self._overwrite = overwrite
        self._failed = 0

    async def run(self, wanted: Sequence[RoomId]) -> int:
        found = {summary.room: summary for summary in await self._source.rooms()}
        there = {summary.room for summary in await self._target.store.rooms()}
        names = list(dict.fromkeys(wanted)) if wanted else sorted(found)
        if not names:
            say("There is no room to copy.")
            return 0
        if self._way.source == "redis" and (live := await self._shared.live_nodes()):
            say(
                f"{counted(len(live), 'node')} of this Redis {'is' if len(live) == 1 else 'are'} running "
                f"({', '.join(live.values())}): what people write from now on may be missing in the copy."
            )
        with progress() as bar:
            task = bar.add_task("Copying", total=len(names))
            for room in names:
                await self._one(room, found.get(room), there=room in there)
                bar.advance(task)
        say(f"Copied {counted(len(names) - self._failed, 'room')}; {self._failed:,} not copied.")
        return 1 if self._failed else 0

    async def _one(self, room: RoomId, summary: RoomSummary | None, *, there: bool) -> None:
        try:
            if summary is None:
                raise NotCopied(f"There is no such room in {self._way.source}; `pairloom rooms` lists them.")
            await self._refuse(room, there=there)
            copied = await copy_room(self._source, self._target, summary, replacing=there)
        except (NotCopied, StoreError) as error:
            self._failed += 1
            say(f"not copied  {room}  {error}")
            return
        parts = [counted(copied.entries, "edit")]
        parts += ["a checkpoint"] if copied.checkpoint else []
        parts += [counted(copied.records, "record"), decimal(copied.stored_bytes)]
        say(f"copied      {room}  {', '.join(parts)}; read back and equal")

    async def _refuse(self, room: RoomId, *, there: bool) -> None:
        """Raises NotCopied when the room may not be written in the target."""
        if there and not self._overwrite:
            raise NotCopied(f"It is in {self._way.target} already; --overwrite replaces it.")
        if self._way.target == "redis":
            live = await self._shared.live_nodes()
            [facts] = await self._shared.store.facts([room])
            holding = [live[node] for node in facts.nodes if node in live]
            if holding:
                raise NotCopied(
                    f"It is open on {', '.join(holding)}, which would mix what they hold with the copy. Close it "
                    "there (it is unloaded a minute after the last one has left), or stop the nodes."
                )


@asynccontextmanager
async def _embedded(settings: Settings, way: Ends) -> AsyncIterator[SqliteStore]:
    reading = way.source == "sqlite"
    path = (way.source_file if reading else way.target_file) or settings.database_path
    path = path.expanduser().absolute()
    if reading and not path.exists():
        raise CommandFailed(f"There is no embedded store at {path}; name its file with --from-database.")
    store = await SqliteStore.open(path)
    try:
        yield store
    finally:
        await store.close()

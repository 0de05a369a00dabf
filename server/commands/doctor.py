"""``pairloom doctor``: looks at everything that a server needs and at every room, and says what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Final, Protocol

from collab.errors import CollabError, StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.ports import RoomSummary, StoredRoom
from server.commands import facts
from server.commands.embedded import EmbeddedFile
from server.commands.findings import (
    Finding,
    Level,
    about_address,
    about_folder,
    about_model,
    about_redis,
    exit_code,
)
from server.commands.printing import counted, printable, progress, say
from server.commands.room_check import RECORD_KINDS, RoomFacts, about_room
from server.commands.stores import shared_rooms
from server.logs import SecretFilter
from server.settings import Settings

_WORDS: Final = {Level.OK: "ok", Level.NOTE: "note", Level.WRONG: "WRONG", Level.UNKNOWN: "unknown"}
_WIDTH: Final = 8
_SECONDS: Final = 10.0
"""After which a Redis counts as one that does not answer."""


class Readable(Protocol):
    """The part of a store that is looked at."""

    async def load(self, room: RoomId) -> StoredRoom:
        """See Store.load."""
        ...

    async def rooms(self) -> list[RoomSummary]:
        """See Store.rooms."""
        ...

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """See Store.records."""
        ...


async def run(settings: Settings, room: RoomId | None, *, as_json: bool) -> int:
    """Looks at everything, prints what was found, and returns the exit code. Nothing is changed."""
    found: list[Finding] = [Finding(Level.OK, "settings", "All settings can be read.")]
    found += about_address(await facts.address(settings), version("pairloom"))
    for one in await facts.models(settings):
        found += about_model(one)
    found += await (_embedded(settings, room) if settings.redis_url is None else _shared(settings, room))
    return report(found, settings.secrets(), as_json=as_json)


def report(found: Sequence[Finding], secrets: Sequence[str], *, as_json: bool) -> int:
    """Prints the findings and returns the exit code."""
    clean = SecretFilter(secrets).text
    code = exit_code(found)
    if as_json:
        rows = [
            {"level": f.level.value, "about": f.about, "message": clean(f.message), "remedy": clean(f.remedy)}
            for f in found
        ]
        say(json.dumps({"exit_code": code, "findings": rows}, indent=2))
        return code
    for finding in found:
        say(f"{_WORDS[finding.level]:<{_WIDTH}}{finding.about}: {printable(clean(finding.message))}")
        if finding.remedy:
            say(f"{'':<{_WIDTH}}{printable(clean(finding.remedy))}")
    wrong = sum(finding.level is Level.WRONG for finding in found)
    unknown = sum(finding.level is Level.UNKNOWN for finding in found)
    if wrong:
        say(f"{counted(wrong, 'thing')} {'is' if wrong == 1 else 'are'} wrong.")
    elif unknown:
        say(f"{counted(unknown, 'thing')} could not be checked; nothing was found to be wrong.")
    else:
        say("All is well.")
    return code


async def _embedded(settings: Settings, room: RoomId | None) -> list[Finding]:
    file = EmbeddedFile(settings.database_path)
    about = "embedded store"
    found = list(about_folder(facts.folder(file.path.parent)))
    if not file.exists:
        return [*found, Finding(Level.OK, about, f"{file.path} is not there yet; the first start makes it.")]
    owner = file.owner()
    used = f"{file.path} is in use by {owner}." if owner else f"{file.path} is not in use by a server."
    found.append(Finding(Level.OK, about, used))
    try:
        await file.check()
    except StoreError as error:
        return [*found, Finding(Level.WRONG, about, error.message)]
    found.append(
        Finding(Level.OK, about, 'Its file is sound. "Saved" means that it is on the disk of this machine.')
    )
    return found + await _rooms(file, room)


async def _shared(settings: Settings, room: RoomId | None) -> list[Finding]:
    async with shared_rooms(settings, seconds=_SECONDS, connect=False) as shared:

        async def nodes() -> tuple[str, ...]:
            return tuple(sorted((await shared.live_nodes()).values()))

        seen = await facts.redis(shared.link, nodes)
        found = list(about_redis(seen))
        if seen.problem:
            return found
        found += await _rooms(shared.store, room)
        return found + await _index(shared.unlisted)


async def _index(unlisted: Callable[[], Awaitable[list[str]]]) -> list[Finding]:
    try:
        missing = await unlisted()
    except StoreError as error:
        return [Finding(Level.UNKNOWN, "list of rooms", error.message)]
    if not missing:
        return []
    return [
        Finding(
            Level.WRONG,
            "list of rooms",
            f"It lacks {counted(len(missing), 'room')} that Redis has: {', '.join(missing[:5])}"
            f"{' and others' if len(missing) > 5 else ''}.",
            "Open each of them once, or write to it.",
        )
    ]


async def _rooms(store: Readable, wanted: RoomId | None) -> list[Finding]:
    """What is to be said of one room, or of all that have something wrong."""
    try:
        listed = [summary.room for summary in await store.rooms()]
    except StoreError as error:
        return [Finding(Level.WRONG, "list of rooms", error.message)]
    if wanted is not None and wanted not in listed:
        return [
            Finding(
                Level.UNKNOWN,
                f"room {wanted}",
                "There is no such room.",
                "`pairloom rooms` lists those there are.",
            )
        ]
    names = [wanted] if wanted is not None else listed
    found: list[Finding] = []
    well = 0
    with progress() as bar:
        task = bar.add_task("Verifying rooms", total=len(names))
        for name in names:
            try:
                looked = await _look(store, name)
            except StoreUnavailable as error:
                return [*found, Finding(Level.UNKNOWN, f"room {name}", error.message)]
            seen = await asyncio.to_thread(_about, looked)
            well += all(finding.level is not Level.WRONG for finding in seen)
            # Of a thousand rooms, those are worth a line of which there is something to say.
            found += [one for one in seen if wanted is not None or one.level is not Level.OK]
            bar.advance(task)
    if wanted is None:
        found.append(_sum(len(names), well))
    return found


def _sum(rooms: int, well: int) -> Finding:
    if not rooms:
        return Finding(Level.OK, "rooms", "There is none yet.")
    if well < rooms:
        return Finding(
            Level.WRONG, "rooms", f"{rooms - well:,} of {counted(rooms, 'room')} are damaged.", "See above."
        )
    return Finding(Level.OK, "rooms", f"{counted(rooms, 'room')}: all can be read and hold together.")


def _about(looked: RoomFacts) -> list[Finding]:
    return list(about_room(looked))


async def _look(store: Readable, room: RoomId) -> RoomFacts:
    """Reads a room; what cannot be read is a problem of it. Raises StoreUnavailable."""
    problems: list[str] = []
    stored: StoredRoom | None = None
    try:
        stored = await store.load(room)
    except StoreUnavailable:
        raise
    except CollabError as error:
        problems.append(error.message)
    records: dict[str, dict[str, bytes]] = {}
    for kind in RECORD_KINDS:
        try:
            records[kind] = await store.records(room, kind)
        except StoreUnavailable:
            raise
        except CollabError as error:
            problems.append(error.message)
    return RoomFacts(room, stored, records, problems)

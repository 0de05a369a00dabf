"""``pairloom import`` and ``pairloom export``: whole projects in and out of rooms."""

from __future__ import annotations

import asyncio
import hashlib
import platform
from pathlib import Path
from typing import Final

from collab.archive import read_zip
from collab.ids import RoomId
from collab.importing import LeftOut
from collab.limits import Limits
from server.commands.api import Api, ImportAnswer, reach
from server.commands.folders import batches, scan, write
from server.commands.printing import CommandFailed, counted, printable, progress, say, say_left_out
from server.settings import Settings

MOST_TITLE: Final = 200


async def import_folder(
    settings: Settings, folder: Path, room: RoomId, server: str | None, *, overwrite: bool
) -> None:
    """Brings the folder's text files into the room and says what was left out, and why.

    What others have changed since the last import or export is merged; with ``overwrite`` the folder's side is
    taken. Raises CommandFailed, and StoreError when the store cannot be opened.
    """
    _require_folder(folder)
    async with reach(settings, server) as api:
        await _import(api, folder, room, settings.limits(), overwrite=overwrite)


async def export_folder(
    settings: Settings, target: Path, room: RoomId, server: str | None, *, as_zip: bool, force: bool
) -> None:
    """Writes the room's files into a folder, or as one zip file.

    Raises CommandFailed when something is there already, or when a file could not be written.
    """
    _refuse_overwriting(target, as_zip=as_zip, force=force)
    async with reach(settings, server) as api:
        archive = await api.export_zip(room, None if as_zip else source_of(target))
    if as_zip:
        await asyncio.to_thread(_write_zip, archive, target)
        say(f"Exported room {room} to {target}, {len(archive):,} bytes.")
        return
    await asyncio.to_thread(_unpack, archive, target, room, settings.limits())


async def _import(api: Api, folder: Path, room: RoomId, limits: Limits, *, overwrite: bool) -> None:
    found = await asyncio.to_thread(scan, folder, limits)
    left_out = list(found.left_out)
    source, title = await asyncio.to_thread(lambda: (source_of(folder), _title(folder)))
    answers: list[ImportAnswer] = []
    change = None
    packed = batches(found, limits)
    with progress() as bar:
        task = bar.add_task(f"Importing into {room}", total=len(found.files))
        batch = await asyncio.to_thread(next, packed, None)
        while batch is not None:
            following = await asyncio.to_thread(next, packed, None)
            left_out += batch.left_out
            if batch.files:
                last = following is None
                answer = await api.import_zip(
                    room, batch.archive, source, title, change, overwrite=overwrite, last=last
                )
                answers.append(answer)
                change = answer.change or change
                left_out += answer.refused()
            bar.advance(task, batch.seen)
            batch = following
    _report(answers, left_out, room, change)


def _report(answers: list[ImportAnswer], left_out: list[LeftOut], room: RoomId, change: str | None) -> None:
    created, updated = sum(len(one.created) for one in answers), sum(len(one.updated) for one in answers)
    unchanged = sum(one.unchanged for one in answers)
    conflicts = [conflict for one in answers for conflict in one.conflicts]
    for path in sorted(path for one in answers for path in one.merged):
        say(f"merged    {printable(path)}  with what was changed in the room")
    for conflict in sorted(conflicts, key=lambda one: one.path):
        say(f"asked     {printable(conflict.path)}  {conflict.suggestion}  {printable(conflict.reason)}")
    say_left_out(left_out)
    # A file of which some lines are asked may be updated or not; it is counted once.
    done = {path for one in answers for path in (*one.created, *one.updated)}
    only_asked = len({conflict.path for conflict in conflicts} - done)
    say(
        f"Imported {counted(created + updated + unchanged + only_asked, 'file')} into room {room}: {created:,} "
        f"created, {updated:,} updated, {unchanged:,} unchanged; {len(left_out):,} left out."
    )
    if conflicts:
        say(
            f"The room is asked about {counted(len(conflicts), 'place')} that others have changed too; until that "
            "is answered, the room's side stands."
        )
    if change is not None:
        say(f"All of it can be undone in the room as the change {change}.")


def _title(folder: Path) -> str:
    return printable(f"Imported the folder {folder.resolve().name}")[:MOST_TITLE]


def source_of(folder: Path) -> str:
    """What a folder is called where imports remember what it had: the same as long as it stays where it is."""
    place = f"{platform.node()}\0{folder.resolve()}"
    return hashlib.blake2b(place.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def _unpack(archive: bytes, target: Path, room: RoomId, limits: Limits) -> None:
    # The server packed it: a room's file may be larger than one that is let in, and pack as well as it likes.
    files = read_zip(archive, _unpack_limits(limits), ratio=None)
    target.mkdir(parents=True, exist_ok=True)
    failed: list[LeftOut] = []
    written = 0
    with progress() as bar:
        task = bar.add_task(f"Exporting {room}", total=None)
        for outcome in write(target, files):
            if outcome is None:
                written += 1
            else:
                failed.append(outcome)
            bar.advance(task)
    say_left_out(failed)
    say(f"Exported {counted(written, 'file')} of room {room} to {target}.")
    if failed:
        raise CommandFailed(f"{counted(len(failed), 'file')} could not be written; see the lines above.")


def _unpack_limits(limits: Limits) -> Limits:
    whole = 4 * limits.document_bytes
    return Limits(file_bytes=whole, document_bytes=whole, files=10 * limits.files)


def _write_zip(archive: bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive)


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise CommandFailed(f"{folder} is no folder; give the project's folder.", code=2)


def _refuse_overwriting(target: Path, *, as_zip: bool, force: bool) -> None:
    if as_zip:
        if target.is_dir():
            raise CommandFailed(f"{target} is a folder; name the zip file to write.", code=2)
        if target.exists() and not force:
            raise CommandFailed(f"{target} is there already; name another file, or overwrite it with --force.")
        return
    if target.exists() and not target.is_dir():
        raise CommandFailed(f"{target} is a file; name a folder, or write a zip file with --zip.", code=2)
    if target.is_dir() and any(target.iterdir()) and not force:
        raise CommandFailed(
            f"{target} is not empty; name another folder, or write into it with --force, which overwrites "
            "files of the same name and leaves the others."
        )

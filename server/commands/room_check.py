"""What ``pairloom doctor`` makes of one room: whether its log, checkpoint and records hold together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from collab.compaction import build_checkpoint
from collab.errors import CollabError, CompactionRefused, MalformedMessage
from collab.history.chain import Chain
from collab.history.version import KIND as VERSION
from collab.history.version import PACKS, PackRef, read_versions
from collab.ids import RoomId
from collab.ledger import Ledger
from collab.ports import Checkpoint, StoredRoom
from collab.replay import Replay
from generation.book import JOB_KINDS, KEPT_KINDS, LEDGER, REDO, Book
from server.commands.findings import Finding, Level
from server.door.bases import PACKS as IMPORT_PACKS
from server.door.bases import SOURCES
from server.history.seen import KIND as SEEN
from server.owners import KIND as OWNERS
from server.owners import read_owners

RECORD_KINDS = (*KEPT_KINDS, OWNERS, VERSION, PACKS, SEEN, SOURCES, IMPORT_PACKS)
"""All kinds of records that a room has, but for texts of versions and imports: PACKS tell where these are."""

_RESTORE = "Restore the room from a backup, or export what can still be read and delete it."


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What the store has of one room. ``problems`` say what could not be read, with what to do."""

    room: RoomId
    stored: StoredRoom | None
    records: Mapping[str, Mapping[str, bytes]]
    problems: Sequence[str] = field(default_factory=tuple)


def about_room(facts: RoomFacts) -> Iterator[Finding]:
    """Replays the room. It takes time in proportion to its log."""
    about = f"room {facts.room}"
    wrong = [Finding(Level.WRONG, about, problem) for problem in facts.problems]
    stored = facts.stored
    if stored is not None:
        wrong += _gaps(about, stored)
        wrong += _log(about, stored)
    wrong += _records(about, facts.records)
    yield from wrong
    if stored is None or wrong:
        return
    checkpoint = f"a checkpoint of entry {stored.checkpoint.seq} and " if stored.checkpoint else ""
    count = len(stored.entries)
    yield Finding(
        Level.OK,
        about,
        f"{checkpoint}{count:,} {'entry' if count == 1 else 'entries'}, {sum(map(len, facts.records.values())):,} "
        "records: all can be read and hold together.",
    )
    if waiting := _waiting(stored):
        yield Finding(
            Level.NOTE,
            about,
            f"{waiting:,} {'update waits' if waiting == 1 else 'updates wait'} for an earlier one that never "
            "came. They are kept.",
            "Whoever made them brings the missing one when they open the room again in the same browser.",
        )


def _gaps(about: str, stored: StoredRoom) -> Iterator[Finding]:
    last = stored.checkpoint.seq if stored.checkpoint else 0
    for entry in stored.entries:
        if entry.seq != last + 1:
            yield Finding(Level.WRONG, about, f"After entry {last} of its log comes entry {entry.seq}.", _RESTORE)
        last = entry.seq


def _log(about: str, stored: StoredRoom) -> list[Finding]:
    """Whether checkpoint and entries decode, and whether a new checkpoint could be proved equal to them."""
    found: list[Finding] = []
    if stored.checkpoint is not None and (problem := _unusable(stored.checkpoint)):
        words = f"Its checkpoint of entry {stored.checkpoint.seq} cannot be used: {problem}"
        found.append(Finding(Level.WRONG, about, words, _RESTORE))
    found += [
        Finding(Level.WRONG, about, f"Entry {entry.seq} of its log cannot be used: {problem}", _RESTORE)
        for entry in stored.entries
        if (problem := _undecodable(entry.update))
    ]
    if found:
        return found
    try:
        build_checkpoint(stored)
    except CompactionRefused as error:
        return [Finding(Level.WRONG, about, error.message, _RESTORE)]
    return []


def _unusable(checkpoint: Checkpoint) -> str:
    """Why a room cannot be loaded from its checkpoint; empty if it can."""
    replay = Replay()
    try:
        replay.apply(checkpoint.state)
        # Raises for a state with a hole in a client's edits.
        replay.deleted()
        for update in checkpoint.pending:
            Replay().apply(update)
    except (MalformedMessage, RecursionError) as error:
        return _words(error)
    return ""


def _undecodable(update: bytes) -> str:
    try:
        Replay().apply(update)
    except (MalformedMessage, RecursionError) as error:
        return _words(error)
    return ""


def _waiting(stored: StoredRoom) -> int:
    """How many updates wait for a missing one."""
    replay = Replay()
    if stored.checkpoint is not None:
        replay.apply(stored.checkpoint.state)
    raw = [*(stored.checkpoint.pending if stored.checkpoint else ()), *(entry.update for entry in stored.entries)]
    return len(replay.apply_all(raw))


def _records(about: str, records: Mapping[str, Mapping[str, bytes]]) -> Iterator[Finding]:
    problems = list(Book.read({kind: records.get(kind, {}) for kind in JOB_KINDS}, interrupt=None).problems)
    for kind in (LEDGER, REDO):
        for key, value in records.get(kind, {}).items():
            try:
                Ledger.from_bytes(value)
            except CollabError as error:
                problems.append(f"{kind} {key}: {error.message}")
    try:
        read_owners(dict(records.get(OWNERS, {})))
    except CollabError as error:
        problems.append(error.message)
    versions, unread = read_versions(records.get(VERSION, {}))
    problems += unread
    for version in versions:
        try:
            Chain(versions).line(version)
        except CollabError as error:
            problems.append(f"version {version.id}: {error.message}")
    for key, value in records.get(PACKS, {}).items():
        try:
            PackRef.from_bytes(key, value)
        except CollabError as error:
            problems.append(error.message)
    for problem in dict.fromkeys(problems):
        yield Finding(
            Level.WRONG,
            about,
            f"A record cannot be read: {problem}",
            "The room's text is not touched by it; the job, suggestion or version that it is of is lost. It may "
            "come from a newer release: run that one.",
        )


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply."
    return error.message if isinstance(error, CollabError) else str(error)

"""Makes versions of a room, and thins out the old ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from collab.errors import KeepLost, LimitExceeded, StoreCorrupt
from collab.history.chain import Chain, Fold, children, tree_of
from collab.history.making import Before, changed_files, make_pack, next_tree
from collab.history.pack import Pack, merged
from collab.history.thinning import MOST_NAMED, Policy, thin, total
from collab.history.tree import Tree
from collab.history.version import MOST_PATHS, Cause, Touched, Version, VersionId
from collab.ids import FileId, JobId
from collab.ports import Clock
from server.history.shelf import Shelf
from server.history.watch import Capture, RoomWatch, read_some

ONLY_IF_CHANGED: Final = frozenset({"work", "import", "restore"})
"""Why a version is made of what has changed; where nothing has, none is made."""
_ROUNDS: Final = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a version is to be made, and under which id."""

    id: VersionId
    cause: Cause
    name: str = ""
    by: str = ""
    job: JobId | None = None


class Maker:
    """Makes versions; one at a time in each room, which the caller sees to."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock

    async def make(self, watch: RoomWatch, shelf: Shelf, taken: Capture, reason: Reason) -> Version | None:
        """Stores what was taken as a version; None if nothing has changed that is worth one.

        A reason whose version is there already gives that one. Raises LimitExceeded, KeepLost, StoreError; the
        caller then gives back what was taken.
        """
        token = _token(watch)
        if watch.token != token:
            # Another node may have made versions since.
            watch.known, watch.token, taken.all = False, token, True
        versions = await shelf.versions()
        if not watch.known:
            await shelf.tidy(versions)
        known = next((one for one in versions if one.id == reason.id), None)
        if known is not None or _begun_before(versions, reason):
            watch.give_back(taken)
            return known
        try:
            version, data = await self._build(watch, shelf, taken, reason, versions)
        except StoreCorrupt as error:
            if not versions:
                raise
            logger.error(
                "a version cannot build on the last one, so it is stored whole: %s",
                error.message,
                extra={"room": watch.host.room},
            )
            version, data = await self._build(watch, shelf, taken, reason, [], versions[-1].number + 1)
        watch.known = True
        if version is None:
            return None
        self._check_size(version, data, versions)
        if _token(watch) != token:
            raise KeepLost("Another server keeps this room now; ask again.")
        return await shelf.put(version, data)

    async def thin(self, shelf: Shelf) -> None:
        """Removes versions that have grown old. Raises StoreError."""
        for _ in range(_ROUNDS):
            versions = await shelf.versions()
            going = thin(self._policy, versions, self._clock.wall_ms())
            if not going:
                return
            # From the newest on, so that what the oldest holds, which is the most, is moved once.
            for version in reversed(going):
                await self._remove(shelf, versions, version)
            await shelf.tidy(versions)

    async def _build(
        self,
        watch: RoomWatch,
        shelf: Shelf,
        taken: Capture,
        reason: Reason,
        versions: list[Version],
        number: int = 1,
    ) -> tuple[Version | None, bytes | None]:
        last = versions[-1] if versions else None
        chain = Chain(versions)
        before: Before | None = None
        if last is not None:
            fold = await shelf.run(chain.tree(last))
            before = Before(await asyncio.to_thread(tree_of, fold), fold, chain.filled(last).number)
            number = last.number + 1
        tree = before.tree if before is not None else Tree()
        await _read_rest(watch, taken, tree, everything=taken.all or before is None)
        after, edited, changed = await asyncio.to_thread(_compared, tree, number, taken)
        if not changed and before is not None and reason.cause in ONLY_IF_CHANGED:
            return None, None
        data: bytes | None = None
        if changed or before is None:
            rows = [tree.rows[file] for file in edited if file in tree.rows]
            folds = await shelf.folds(chain, last, rows) if last is not None else {}
            data = await asyncio.to_thread(_packed, before, after, edited, taken, folds)
        return Version(
            reason.id,
            number,
            max(taken.at_ms, last.at_ms if last is not None else 0),
            reason.cause,
            reason.name,
            reason.by,
            reason.job,
            len(after.rows),
            len(changed),
            _touched(tree, after, changed, taken.by),
            last.id if last is not None else None,
        ), data

    def _check_size(self, version: Version, data: bytes | None, versions: list[Version]) -> None:
        most = self._policy.most_bytes
        named = [one for one in versions if one.cause == "named"]
        if version.cause == "named" and len(named) >= MOST_NAMED:
            raise LimitExceeded(
                f"The room has {len(named)} versions with a name, and may have no more.", field="name"
            )
        kept = total(named) if version.base is not None else 0
        if kept + len(data or b"") > most:
            raise LimitExceeded(
                f"The room's history would take more than {most:,} bytes (setting history_bytes), so no version "
                "was made."
            )

    async def _remove(self, shelf: Shelf, versions: list[Version], ident: VersionId) -> None:
        """Takes a version out of the list and the store; those that build on it get what it holds."""
        going = next(one for one in versions if one.id == ident)
        chain = Chain(versions)
        for child in children(versions, ident):
            moved = replace(child, base=going.base)
            if going.empty:
                shelf.put_again(moved)
            else:
                moved = await self._inherit(shelf, chain, going, child, moved)
            versions[versions.index(child)] = moved
        shelf.remove(going)
        versions.remove(going)

    async def _inherit(
        self, shelf: Shelf, chain: Chain, going: Version, child: Version, moved: Version
    ) -> Version:
        tree = await shelf.tree(chain, child)
        older = await shelf.pack(going)
        newer = None if child.empty else await shelf.pack(child)
        data = await asyncio.to_thread(_inherited, older, newer, tree)
        touched = {one.path: one for one in (*going.touched, *child.touched)}
        for one in going.touched:
            both = dict.fromkeys((*one.by, *touched[one.path].by))
            touched[one.path] = Touched(one.path, tuple(both))
        count = len(touched)
        if going.changed > len(going.touched) or child.changed > len(child.touched):
            count = max(count, going.changed, child.changed)
        moved = replace(moved, changed=count, touched=tuple(touched.values())[:MOST_PATHS])
        return await shelf.put(moved, data)


async def _read_rest(watch: RoomWatch, taken: Capture, before: Tree, *, everything: bool) -> None:
    document = watch.host.document
    waiting = set(taken.unread)
    taken.unread += [
        file
        for file in taken.paths
        if file not in taken.texts and file not in waiting and (everything or file not in before.rows)
    ]
    while not read_some(taken, document, before):  # noqa: ASYNC110 - work in pieces, not a wait
        await asyncio.sleep(0)


def _compared(before: Tree, number: int, taken: Capture) -> tuple[Tree, list[FileId], list[FileId]]:
    after, edited = next_tree(before, number, taken.paths, taken.texts)
    return after, edited, changed_files(before, after)


def _packed(
    before: Before | None, after: Tree, edited: list[FileId], taken: Capture, folds: Mapping[FileId, Fold]
) -> bytes:
    return make_pack(before, after, edited, taken.texts, folds).to_bytes()


def _inherited(older: Pack, newer: Pack | None, tree: Tree) -> bytes:
    if newer is None:
        return Pack(older.tree, {f: entry for f, entry in older.entries.items() if f in tree.rows}).to_bytes()
    return merged(older, newer, tree.rows.keys()).to_bytes()


def _touched(
    before: Tree, after: Tree, changed: list[FileId], by: Mapping[FileId, list[str]]
) -> tuple[Touched, ...]:
    return tuple(
        Touched((after.rows.get(file) or before.rows[file]).path, tuple(by.get(file, ())))
        for file in changed[:MOST_PATHS]
    )


def _begun_before(versions: list[Version], reason: Reason) -> bool:
    """Whether this is the start of a job that another node had begun, which has its version."""
    if reason.cause != "job_started":
        return False
    of_job = [one for one in versions if one.job == reason.job]
    return bool(of_job) and of_job[-1].cause == "job_started"


def _token(watch: RoomWatch) -> int:
    """The token under which this node makes the room's versions; 0 where no other could. Raises KeepLost."""
    if watch.host.keep is None:
        return 0
    keep = watch.host.keep()
    if keep is None:
        raise KeepLost("Another server keeps this room now; ask again in a moment.")
    return keep.token

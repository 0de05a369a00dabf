"""Text that somebody typed in a file which a job had made and has taken away meanwhile.

Whoever types in such a file and has not heard yet that it is gone writes beside letters that went with it. No
replica can show that text, as the file that it belongs to is no more. So it is told by its neighbours, however
late it comes, and put into a new file of the same name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from collab.document import Document, merge_updates
from collab.errors import MalformedMessage
from collab.ids import ClientId, FileId, JobId
from collab.ledger import Copy, Ledger
from collab.merge.edits import splice
from collab.merge.latest import Latest
from collab.merge.places import anchor_behind
from collab.merge.ranges import IdRanges
from collab.merge.structs import NOBODY, ItemId, Run, goes_on, read_structs
from collab.origin import ChangeOrigin, JobOrigin, PersonOrigin, UndoOrigin
from collab.ports import LogEntry
from collab.wire import IdRange, decode_state_vector, encode_state_vector, read_delete_set

LOST_AND_FOUND: Final = "recovered.txt"
"""The name of a new file, if nobody knows that of the one that is gone."""


@dataclass(frozen=True, slots=True)
class Stray:
    """Text that may be in no file. ``behind`` is the letter that it was typed behind, None at a file's start."""

    job: JobId
    ids: IdRange
    text: str
    behind: ItemId | None


@dataclass(slots=True)
class _Taken:
    """What a job wrote and what of that is gone, with the text that was typed beside it."""

    clients: set[ClientId] = field(default_factory=set)
    gone: IdRanges = field(default_factory=IdRanges)
    beside: IdRanges = field(default_factory=IdRanges)


class Strays:
    """Watches one room's log."""

    def __init__(self) -> None:
        self._jobs = Latest(_Taken)

    def remember(self, job: JobId, ledger: Ledger) -> None:
        """What a job of before has taken away again."""
        taken = self._jobs.of(job)
        taken.clients |= {item.ids.client for item in (*ledger.inserted, *ledger.dropped)}
        away = {item.file for item in ledger.away}
        taken.gone = taken.gone | IdRanges(item.ids for item in ledger.dropped if item.file in away)

    def see(self, entry: LogEntry) -> list[Stray]:
        """One more entry of the log; what of it may be in no file, once the document has it."""
        if isinstance(entry.origin, JobOrigin | UndoOrigin):
            self.learn(entry.origin.job, entry.update)
        elif isinstance(entry.origin, ChangeOrigin) and entry.origin.change:
            self.learn(JobId(entry.origin.change), entry.update)
        elif isinstance(entry.origin, PersonOrigin):
            return self.find(entry.update)
        return []

    def learn(self, job: JobId, update: bytes) -> None:
        """What a job, or its undo, has written and deleted."""
        taken = self._jobs.of(job)
        if goes_on(update) in taken.clients:
            return  # More of the job's own text, behind its own: nobody is in the way.
        try:
            structs, at = read_structs(update)
            gone, _ = read_delete_set(update, at)
        except MalformedMessage:
            return  # The document has judged it.
        taken.clients |= structs.keys()
        own = [ids for ids in gone if ids.client in taken.clients]
        if own:
            taken.gone = taken.gone | IdRanges(own)

    def find(self, update: bytes) -> list[Stray]:
        """What of a person's update was typed beside what a job has taken back."""
        if not any(taken.gone for taken in self._jobs.values()):
            return []
        try:
            structs, _ = read_structs(update)
        except MalformedMessage:
            return []
        found: list[Stray] = []
        for runs in structs.values():
            for run in runs:
                beside = self._beside(run) if run.alive else None
                if beside is not None:
                    job, taken = beside
                    taken.beside = taken.beside | IdRanges([run.ids])
                    if run.units:
                        found.append(Stray(job, run.ids, run.text, run.origin))
        return found

    def _beside(self, run: Run) -> tuple[JobId, _Taken] | None:
        near = [(run.origin_client, run.origin_clock), (run.right_client, run.right_clock)]
        if run.parent is not None:
            near.append(run.parent)
        ids = [IdRange(client, clock, 1) for client, clock in near if client != NOBODY]
        for job, taken in self._jobs.items():
            if any(taken.gone.touches(one) or taken.beside.touches(one) for one in ids):
                return job, taken
        return None


def in_no_file(document: Document, strays: Iterable[Stray]) -> list[Stray]:
    """Those whose text went with the file that it was typed in, now that the document has their updates."""
    return [stray for stray in strays if _fallen(document, stray.ids)]


def _fallen(document: Document, ids: IdRange) -> bool:
    """Whether all that is left of ids is that they were given: so it is with what is in a type that is gone.

    What somebody deleted in a text that is there keeps its place.
    """
    known = decode_state_vector(document.state_vector())
    if known.get(ids.client, 0) < ids.clock + ids.length:
        return False
    known[ids.client] = ids.clock
    structs, _ = read_structs(document.encode(encode_state_vector(known)))
    runs = structs.get(ids.client, ())
    return any(_is_bare(run) for run in runs if run.clock <= ids.clock < run.clock + run.length)


def _is_bare(run: Run) -> bool:
    neighbours = run.origin_client, run.right_client
    return not run.alive and neighbours == (NOBODY, NOBODY) and run.parent is None


class Shelters:
    """The new files of one room, one for each file that is gone."""

    def __init__(self) -> None:
        self._by_path: dict[tuple[JobId, str], Shelter] = {}

    def of(self, stray: Stray, ledger: Ledger) -> Shelter:
        """Where a stray belongs; ``ledger`` is that of its job."""
        for shelter in self._by_path.values():
            if stray.behind is not None and shelter.holds(stray.behind):
                return shelter
        path = _path_of(stray, ledger)
        if (stray.job, path) not in self._by_path:
            self._by_path[stray.job, path] = Shelter(_file_id(stray.job, path), path)
        return self._by_path[stray.job, path]


def _file_id(job: JobId, path: str) -> FileId:
    """The same on every node, so that there is one such file."""
    return FileId("f" + hashlib.blake2b(f"{job}\0{path}".encode(errors="replace"), digest_size=8).hexdigest())


def _writer(ids: IdRange) -> ClientId:
    """Under this id a stray is written, so that it is written once, whoever does it and however often it comes."""
    digest = hashlib.blake2b(f"{ids.client} {ids.clock} {ids.length}".encode(), digest_size=4).digest()
    return ClientId(int.from_bytes(digest, "big") or 1)


def _path_of(stray: Stray, ledger: Ledger) -> str:
    paths = {gone.file: gone.path for gone in ledger.removed}
    paths.update((gone.file, gone.path) for gone in ledger.away)
    for item in ledger.dropped:
        if item.file in paths and stray.behind is not None and _within(stray.behind, item.ids):
            return paths[item.file]
    return next(reversed(paths.values()), LOST_AND_FOUND)


def _within(item: ItemId, ids: IdRange) -> bool:
    return item[0] == ids.client and ids.clock <= item[1] < ids.clock + ids.length


@dataclass(slots=True)
class Shelter:
    """A new file for the strays of a file that is gone, and of which typed text each of its pieces is a copy."""

    file: FileId
    path: str
    copies: list[Copy] = field(default_factory=list)

    def take_in(self, document: Document, stray: Stray) -> tuple[bytes, list[Copy]] | None:
        """The update that puts a stray into the file, and what are copies in it; None if that was done before.

        It goes behind what it was typed behind, if that is there; else to the end. A file that somebody has
        deleted since is made anew.
        """
        client = _writer(stray.ids)
        if client in decode_state_vector(document.state_vector()):
            return None
        fork = document.fork(client)
        updates: list[bytes | None] = []
        if self.file not in fork.listing().files:
            self.copies.clear()
            updates.append(fork.edit(lambda editor: editor.create(self.file, self.path))[1].update)
        at = self._behind(fork, stray)
        ledger = Ledger()
        updates.append(splice(fork, self.file, [(at, at, stray.text)], ledger)[0])
        fork.close()
        made = [Copy(self.file, item.ids, (stray.ids,)) for item in ledger.inserted]
        self.copies += made
        return merge_updates([update for update in updates if update is not None]), made

    def holds(self, item: ItemId) -> bool:
        """Whether it has a copy of what had this id."""
        return self._copy(item) is not None

    def _copy(self, item: ItemId) -> ItemId | None:
        for copy in self.copies:
            for of in copy.of:
                if _within(item, of):
                    return copy.ids.client, copy.ids.clock + item[1] - of.clock
        return None

    def _behind(self, fork: Document, stray: Stray) -> int:
        copy = self._copy(stray.behind) if stray.behind is not None else None
        place = fork.resolve(self.file, anchor_behind(*copy)) if copy is not None else None
        return len(fork.text(self.file)) if place is None else place

"""What each person changed last, so that it can be undone for those whose editor cannot: over HTTP, in a terminal.

The room tells of every update that it applies, which costs next to nothing; nothing is decoded until somebody
undoes. Then the updates are replayed on a copy of the document as it was before them, which tells what the
person's last change inserted, and what it deleted, whose text the live document does not have any more. That is a
ledger, as a job has one, and ``collab.undo.undo`` takes it back whatever others have done since.

Only texts are undone so, not the creating, renaming or deleting of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from collab.delta import Delete, Delta, Insert, Retain
from collab.document import Applied, Document
from collab.errors import NotFound
from collab.ids import ClientId, FileId
from collab.ledger import Deleted, Ledger
from collab.merge.ranges import IdRanges
from collab.wire import IdRange, decode_state_vector, read_delete_set

GAP_MS: Final = 1_000
"""A pause this long ends a change."""
LONGEST_MS: Final = 10_000
"""A change that lasts longer is several."""
MOST_ENTRIES: Final = 1_000
MOST_BYTES: Final = 1_000_000
MOST_STATE: Final = 16_000_000
"""The state of a larger document is not kept, and nothing in it can be undone so."""
MOST_TURNS: Final = 100
"""So many of a person's undone changes can be redone."""
_TOGETHER: Final = 200
"""Updates of one transaction when nobody asks what each did (as ``collab.room.LOAD_TOGETHER``)."""
_SCRATCH: Final = ClientId(0)

Entry = tuple[int, str, int, bytes, tuple[ClientId, ...]]
"""Number, person, time in ms, update, and whose edits in it are not the person's."""


@dataclass(slots=True)
class _Stretch:
    """Updates in their order, and the document's state before them."""

    base: bytes
    entries: list[Entry] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class _Person:
    """The ledgers of one person's changes that were undone or redone, each with the number of when it was."""

    done: list[tuple[int, Ledger]] = field(default_factory=list)
    undone: list[Ledger] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    """Numbers of the entries that were undone or have done nothing; those before ``turned`` end a change."""
    turned: int = 0
    asked: tuple[list[int], Ledger] | None = None
    """What ``last`` found: the entries of the change and its ledger."""


class PersonChanges:
    """The last changes of the people in one room. Repeated undo walks back, redo forward, as in an editor.

    An undo: ``last``, ``collab.undo.undo`` with ``beside`` among the others, apply, ``undone``. A redo: likewise
    with ``next`` and ``redone``. Without an await in between.
    """

    def __init__(
        self,
        encode: Callable[[], bytes],
        aside: Ledger | None = None,
        *,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
        most_state: int = MOST_STATE,
    ) -> None:
        """``encode`` returns the document's state, now that of before the first ``record``; ``aside`` is what
        ``for_store`` gave before a restart.
        """
        self._encode = encode
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._most_state = most_state
        self._people: dict[str, _Person] = {}
        self._aside = aside if aside is not None else Ledger()
        self._number = 0
        self._older: _Stretch | None = None
        self._newer = self._begin()

    def record(self, person: str, at_ms: int, update: bytes, relayed: tuple[ClientId, ...] = ()) -> None:
        """Takes note of an update that the document has just applied; all of them, in this order.

        ``person`` is empty for those that are no person's change of their own: a job's, an undo's. ``relayed`` are
        clients whose edits in it are somebody else's.
        """
        self._number += 1
        newer = self._newer
        newer.entries.append((self._number, person, at_ms, update, relayed))
        newer.size += len(update)
        if len(newer.entries) >= self._most_entries or newer.size >= max(self._most_bytes, len(newer.base)):
            self._older, self._newer = newer, self._begin()
            oldest = newer.entries[0][0]
            for state in self._people.values():
                state.gone = {number for number in state.gone if number >= oldest}

    def last(self, person: str) -> Ledger | None:
        """The person's last change that is not undone; None if there is none, or it is too long ago."""
        state = self._people.setdefault(person, _Person())
        state.asked = None
        while True:
            numbers = self._last_numbers(person, state)
            if state.done and (not numbers or state.done[-1][0] > numbers[-1]):
                return state.done[-1][1]
            if not numbers:
                return None
            ledger = self._ledger(numbers)
            if not ledger.empty:
                state.asked = numbers, ledger
                return ledger
            state.gone.update(numbers)

    def next(self, person: str) -> Ledger | None:
        """What the person undid last and has not redone; None if there is nothing, or they have typed since."""
        state = self._people.get(person)
        if state is None or not state.undone:
            return None
        if any(number > state.turned for number in self._numbers(person)):
            self._forget_undone(state)
            return None
        return state.undone[-1]

    def undone(self, person: str, redo: Ledger) -> None:
        """What ``last`` returned is undone now; ``redo`` is the ledger of that."""
        state = self._people[person]
        if state.turned and any(number > state.turned for number in self._numbers(person)):
            self._forget_undone(state)
        if state.asked is not None:
            state.gone.update(state.asked[0])
            state.asked = None
        else:
            state.done.pop()
        state.undone.append(redo)
        state.turned = self._number
        self._bound(state.undone)

    def redone(self, person: str, ledger: Ledger) -> None:
        """What ``next`` returned is redone now; ``ledger`` is what undoes it again."""
        state = self._people[person]
        state.undone.pop()
        state.done.append((self._number, ledger))
        state.turned = self._number

    def beside(self, ledger: Ledger | None = None) -> list[Ledger]:
        """All ledgers but this one, for the undo of it or of a job."""
        found = [self._aside]
        for state in self._people.values():
            found += [item for item in (*state.undone, *(item for _, item in state.done)) if item is not ledger]
        return found

    def for_store(self) -> Ledger:
        """What other undos must know of these after a restart, when nothing of them can be redone any more."""
        kept = Ledger()
        for ledger in self.beside():
            kept.extend(ledger.aside())
        return kept

    # Inside

    def _begin(self) -> _Stretch:
        base = self._encode()
        return _Stretch(base if len(base) <= self._most_state else b"")

    def _bound(self, ledgers: list[Ledger]) -> None:
        while len(ledgers) > MOST_TURNS:
            self._aside.extend(ledgers.pop(0).aside())

    def _forget_undone(self, state: _Person) -> None:
        for ledger in state.undone:
            self._aside.extend(ledger.aside())
        state.undone.clear()

    def _stretches(self) -> list[_Stretch]:
        return [stretch for stretch in (self._older, self._newer) if stretch is not None and stretch.base]

    def _numbers(self, person: str) -> Iterable[int]:
        return (entry[0] for stretch in self._stretches() for entry in stretch.entries if entry[1] == person)

    def _last_numbers(self, person: str, state: _Person) -> list[int]:
        """The entries of the person's last change."""
        entries = [
            entry
            for stretch in self._stretches()
            for entry in stretch.entries
            if entry[1] == person and entry[0] not in state.gone
        ]
        change: list[Entry] = []
        for entry in entries:
            number, _, at_ms, _, _ = entry
            if change and (
                at_ms - change[-1][2] >= GAP_MS
                or at_ms - change[0][2] >= LONGEST_MS
                or change[-1][0] <= state.turned < number
            ):
                change = []
            change.append(entry)
        return [entry[0] for entry in change]

    def _ledger(self, numbers: list[int]) -> Ledger:
        """Replays what led to these entries, and notes what they did."""
        stretches = self._stretches()
        if len(stretches) > 1 and stretches[1].entries and stretches[1].entries[0][0] <= numbers[0]:
            del stretches[0]
        wanted = set(numbers)
        replay = _Replay(stretches[0].base)
        for stretch in stretches:
            for number, _, _, update, relayed in stretch.entries:
                if number > numbers[-1]:
                    break
                if number in wanted:
                    replay.note(update, relayed)
                else:
                    replay.follow(update)
        replay.close()
        return replay.ledger


class _Replay:
    """A copy of the document in which updates are applied again, to see what they did.

    A second copy stays behind: it has the text from before.
    """

    def __init__(self, base: bytes) -> None:
        self.ledger = Ledger()
        self._ahead = Document(_SCRATCH)
        self._ahead.watch_files()
        self._behind = Document(_SCRATCH)
        self._waiting: list[bytes] = [base]
        self._lagging: list[bytes] = []
        self._texts: dict[FileId, bytes] = {}
        """UTF-8 of the files that were looked at, as they are in the copy that is ahead."""

    def close(self) -> None:
        """Lets go of the copies."""
        self._ahead.close()
        self._behind.close()

    def follow(self, update: bytes) -> None:
        """Applies an update of which nothing is to be noted."""
        self._waiting.append(update)

    def note(self, update: bytes, relayed: tuple[ClientId, ...]) -> None:
        """Applies an update and notes in the ledger what it did."""
        for start in range(0, len(self._waiting), _TOGETHER):
            self._followed(self._ahead.apply(self._waiting[start : start + _TOGETHER]))
        self._lagging += self._waiting
        self._waiting = []
        applied = self._ahead.apply([update], track=True)
        if applied.update is not None:
            new = _inserted(applied)
            # What came and went at once has no text.
            deleted = tuple((IdRanges(_deleted(applied.update, self._ahead)) - IdRanges(new)).ranges())
            inserted = [ids for ids in new if ids.client not in relayed]
            for file, delta in applied.deltas.items():
                if all(isinstance(step, Retain) for step in delta):
                    continue  # All that came was deleted already.
                gone = self._changed(file, delta)
                # Ids that stand in another text are no matter: the list of items tells which are whose.
                for ids in inserted:
                    self.ledger.insert(file, ids)
                if gone and deleted:
                    self.ledger.deleted.append(Deleted(file, gone.decode(), deleted, deleted))
        self._lagging.append(update)

    def _followed(self, applied: Applied) -> None:
        for file, delta in applied.deltas.items():
            if file in self._texts:
                self._changed(file, delta)

    def _changed(self, file: FileId, delta: Delta) -> bytes:
        """Brings the text of a file forward; returns what was deleted of it."""
        if file not in self._texts:
            for start in range(0, len(self._lagging), _TOGETHER):
                self._behind.apply(self._lagging[start : start + _TOGETHER])
            self._lagging = []
            try:
                self._texts[file] = self._behind.text(file).encode()
            except NotFound:
                self._texts[file] = b""
        before = self._texts[file]
        after: list[bytes] = []
        gone: list[bytes] = []
        at = 0
        for step in delta:
            if isinstance(step, Insert):
                after.append(step.text.encode())
                continue
            (gone if isinstance(step, Delete) else after).append(before[at : at + step.length])
            at += step.length
        after.append(before[at:])
        self._texts[file] = b"".join(after)
        return b"".join(gone)


def _inserted(applied: Applied) -> list[IdRange]:
    before = decode_state_vector(applied.before)
    return [
        IdRange(client, before.get(client, 0), end - before.get(client, 0))
        for client, end in decode_state_vector(applied.after).items()
        if end > before.get(client, 0)
    ]


def _deleted(update: bytes, document: Document) -> tuple[IdRange, ...]:
    """What a transaction deleted, from its own update."""
    # A delete set without ranges is one zero, and the length of a range is never zero.
    if update.endswith(b"\0"):
        return ()
    rest = document.lacks(update)
    return tuple(read_delete_set(rest, 1)[0]) if rest[:1] == b"\0" else ()

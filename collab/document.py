"""A room's document: the only module that imports pycrdt's ``Doc``.

The shape (``files``: file id -> {path, text}) is a convention that any client can break, so readers skip
what is not well-formed and report it. Texts are addressed in code points; pycrdt's UTF-8 bytes and UTF-16
units stay inside. pycrdt's traps, and what holds them off here, are named where they matter: it has no
rollback, panics are ``BaseException``, and what a transaction changed can only be read inside the callback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast
from weakref import ref

import pycrdt
from pycrdt import Assoc as _Assoc
from pycrdt import Doc, Map, StickyIndex, Subscription, Text, TransactionEvent
from pycrdt._pycrdt import TextEvent as _TextEvent

from collab.delta import Delta, read_delta
from collab.editor import Editor
from collab.errors import InvalidPath, MalformedUpdate, NotFound
from collab.gaps import Intake
from collab.ids import ClientId, FileId, file_path
from collab.listing import File, FileIndex, Listing
from collab.merge.items import ItemIndex
from collab.merge.structs import Run
from collab.offsets import from_utf8, to_utf8, utf8_length, utf16_length
from collab.probe import Probe
from collab.stamps import Stamps
from collab.wire import decode_anchor, decode_state_vector, write_uint

T = TypeVar("T")
EMPTY_UPDATE = b"\0\0"
EMPTY_STATE = b"\0"
_BEHIND = b"\x41"
"""The last byte of a binary relative position that stays behind its item (an association of -1)."""
_LISTED_AT_ONCE = 100
_MOST_RUNS = 250_000
"""An index of more takes over 50 MB, and is built anew each time instead of being kept."""


@dataclass(slots=True)
class Applied:
    """What one transaction did.

    ``update`` is None if it changed nothing. ``before`` and ``after`` are state vectors. ``deltas`` and
    ``files_changed`` (files added, removed or renamed) are filled only after ``watch_files``; ``entries``
    names the files whose entry was added, removed, replaced or renamed.
    ``rejected`` holds the index and reason of each update that could not be decoded.
    """

    update: bytes | None = None
    before: bytes = EMPTY_STATE
    after: bytes = EMPTY_STATE
    deltas: dict[FileId, Delta] = field(default_factory=dict)
    files_changed: bool = False
    entries: set[FileId] = field(default_factory=set)
    rejected: list[tuple[int, str]] = field(default_factory=list)


class Document:
    """One Y.Doc and what Pairloom does with it. Never await between its calls inside ``edit``."""

    __slots__ = (
        "__weakref__",
        "_applied",
        "_deep",
        "_doc",
        "_encoded",
        "_files",
        "_index",
        "_intake",
        "_items",
        "_items_at",
        "_listing",
        "_native",
        "_probe",
        "_stale",
        "_state",
        "_subscription",
        "_track",
        "client_id",
        "stamps",
        "version",
    )

    def __init__(self, client_id: ClientId) -> None:
        self.client_id = client_id
        self.version = 0
        self.stamps = Stamps()
        """When each file changed; counted only after ``watch_files``."""
        self._doc: Doc[Any] = Doc(client_id=client_id)
        self._files: Map[Any] = self._doc.get("files", type=Map)
        self._applied = Applied()
        self._track = False
        self._encoded: bytes | None = None
        self._state: bytes | None = None
        self._listing: Listing | None = None
        self._probe = Probe(self._doc.get_update)
        self._index = FileIndex()
        self._items: ItemIndex | None = None
        self._items_at = 0
        self._stale: set[str] | None = None
        self._intake = Intake(partial(_state_of, ref(self)))
        self._native = self._doc._doc
        # pycrdt's own wrappers around a transaction and its event take as long as applying a keystroke;
        # a contract test holds what is relied on here. A bound method kept by pycrdt would keep the document
        # alive, and Python's collector does not see that cycle.
        self._subscription = self._native.observe(partial(_observed, ref(self)))
        self._deep: Subscription | None = None

    # Reading

    def state_vector(self) -> bytes:
        """The encoded state vector, cached until the next change."""
        if self._state is None:
            self._state = self._doc.get_state()
        return self._state

    def encode(self, state: bytes | None = None) -> bytes:
        """The whole state as one update (cached until the next change), or what ``state`` lacks of it.

        Raises MalformedUpdate if ``state`` is no state vector. Updates that wait for a missing one are
        not part of it: pycrdt leaves them out.
        """
        if state is None or state == EMPTY_STATE:
            if self._encoded is None:
                self._encoded = self._doc.get_update()
            return self._encoded
        with _malformed("state vector"):
            return self._doc.get_update(state)

    def lacks(self, update: bytes) -> bytes:
        """The part of ``update`` that is not in this document; its first byte is 0 if no edit is missing."""
        with _malformed("update"):
            return pycrdt.get_update(update, self.state_vector())

    def listing(self) -> Listing:
        """The room's files, cached until the next change that may concern them."""
        if self._listing is None:
            self._listing = self._list()
        return self._listing

    def listing_in_steps(self) -> Iterator[None]:
        """Does the work of the first ``listing``, much with thousands of files, in steps of a few milliseconds."""
        if self._stale is None and self._deep is not None:
            self._stale = set(self._files.keys())
            self._listing = None
        while self._stale is not None and len(self._stale) > _LISTED_AT_ONCE:
            for _ in range(_LISTED_AT_ONCE):
                self._index_entry(self._stale.pop(), self._index)
            yield

    def file(self, ref: str) -> File:
        """The file of this id, or shown under this path. Raises NotFound."""
        listing = self.listing()
        found = listing.files.get(FileId(ref)) or listing.by_path(ref)
        if found is None:
            raise NotFound(f"There is no file {ref[:200]!r}; ask for the list of files.", field="file")
        return found

    def text(self, file: FileId) -> str:
        """The text of a file. Raises NotFound."""
        return str(self._text(file))

    def runs(self, file: FileId) -> list[Run]:
        """The items of a file's text in their order, deleted ones too, until the next change. Raises NotFound.

        The first call costs time in proportion to the document; the index that it builds is kept, and the next
        one reads only what has changed since. Changes cost nothing until then.
        """
        item = decode_anchor(StickyIndex.new(self._text(file), 0, _Assoc.BEFORE).encode())
        return self._known_items().runs((item.client, item.clock))

    def forget_runs(self) -> None:
        """Drops what ``runs`` keeps, as for a room in which nobody works."""
        self._items = None

    def settings(self) -> dict[str, Any]:
        """The plain values of the room's ``settings`` map."""
        settings = self._settings()
        return {key: settings[key] for key in settings if isinstance(settings[key], str | int | float | bool)}

    @property
    def last_applied(self) -> Applied:
        """What the last transaction did, also if ``edit`` raised in the middle of it."""
        return self._applied

    # Changing

    def apply(self, updates: Sequence[bytes], *, track: bool = False) -> Applied:
        """Applies updates in one transaction, so that what they did is one update too.

        An update that cannot be decoded changes nothing and is listed in ``rejected``; the others are
        applied. What is behind a gap, or whose dependency is missing, is kept and comes in when that arrives, as
        with Yjs. With ``track`` the state vectors before and after are filled in.
        """
        applied = self._applied = Applied()
        self._track = track
        plan = self._intake.plan(updates)
        applied.rejected += plan.refused
        transaction = self._native.create_transaction()
        try:
            for index, ready in plan.steps:
                if reason := self._integrate(transaction, ready):
                    self._intake.refused(None if index is None else updates[index])
                    if index is not None:
                        applied.rejected.append((index, reason))
            transaction.commit()
        finally:
            transaction.drop()
        applied.rejected.sort()
        return applied

    def take(self, state: bytes) -> Applied:
        """Applies what a document encoded, without a look at it, as it has no gaps. Raises MalformedUpdate."""
        applied = self._applied = Applied()
        self._track = False
        transaction = self._native.create_transaction()
        try:
            reason = self._integrate(transaction, state)
            transaction.commit()
        finally:
            transaction.drop()
        if reason:
            raise MalformedUpdate(f"The state of a document cannot be decoded: {reason}.")
        return applied

    def copy(self, source: Document) -> Applied:
        """Takes what ``source`` has and this document lacks."""
        return self.take(source.encode(self.state_vector()))

    def _integrate(self, transaction: Any, update: bytes) -> str:
        """Applies an update that has no gap; what is wrong with it, if anything."""
        try:
            self._native.apply_update(transaction, update)
        except (ValueError, RuntimeError, OverflowError) as error:
            reason = str(error) or type(error).__name__
        except BaseException as error:
            if not is_panic(error):
                raise
            reason = "it cannot be decoded"
        else:
            return ""
        return reason

    def edit(self, change: Callable[[Editor], T]) -> tuple[T, Applied]:
        """Runs ``change`` with an Editor inside one transaction; returns its result and what changed.

        If ``change`` raises, what it did before stays (there is no rollback), so an Editor checks all its
        arguments before its first write.
        """
        applied = self._applied = Applied()
        self._track = True
        with self._doc.transaction():
            result = change(Editor(self, self._files))
        return result, applied

    def watch_files(self) -> None:
        """From now on ``Applied.deltas`` and ``files_changed`` are filled. Cannot be taken back."""
        if self._deep is None:
            self._listing = None
            # As with the transaction's event: pycrdt's own wrappers make objects of all that an event could tell.
            self._deep = self._files.integrated.observe_deep(partial(_observed_files, ref(self)))

    @property
    def watched(self) -> bool:
        """Whether changes of files are noted (``watch_files``)."""
        return self._deep is not None

    def fork(self, client_id: ClientId) -> Document:
        """A copy at this state that writes under another client id."""
        copy = Document(client_id)
        copy.copy(self)
        return copy

    def close(self) -> None:
        """Ends the observers, and lets go of what is kept beside the document."""
        self._subscription.drop()
        self._items = None
        if self._deep is not None:
            self._deep.drop()
            self._deep = None

    # Anchors

    def anchor(self, file: FileId, index: int) -> bytes:
        """A relative position that stays behind the character before code point ``index``.

        In Yjs' binary encoding of relative positions. Text inserted at the anchor later is after it.
        """
        text = self._text(file)
        content = str(text)
        at = to_utf8(content, index)
        if at and not content.isascii():
            before = content[index - 1]
            client, clock = self._probe.item_at(file, at - utf8_length(before))
            # A character beyond the basic plane takes two units, and the place is behind the second.
            return b"\0" + write_uint(client) + write_uint(clock + utf16_length(before) - 1) + _BEHIND
        return StickyIndex.new(text, at, _Assoc.BEFORE).encode()

    def resolve(self, file: FileId, anchor: bytes) -> int | None:
        """The code point index of an anchor now; None if its file or its place is not there.

        Raises MalformedUpdate if it is no anchor.
        """
        item = decode_anchor(anchor)
        try:
            text = self._text(file)
        except NotFound:
            return None
        # pycrdt panics on the id of an item that it does not know.
        if item.clock >= decode_state_vector(self.state_vector()).get(item.client, 0):
            return None
        content = str(text)
        with self._doc.transaction() as transaction, _malformed("anchor"):
            position = StickyIndex.decode(anchor).get_index(transaction)
            if content.isascii() or item.start:
                # The item may be one of another text.
                return position if position <= len(content) else None
            # Alone, its index is in mixed units; the difference tells whether the item is still there.
            ahead = anchor[-1:] != _BEHIND and (
                StickyIndex.decode(anchor[:-1] + _BEHIND).get_index(transaction) > position
            )
        offset = self._probe.offset_behind(file, item.client, item.clock)
        return None if offset is None else from_utf8(content, offset) - ahead

    # Inside

    def _settings(self) -> Any:
        return self._doc.get("settings", type=Map)

    def _text(self, file: FileId) -> Text:
        if file in self._files:
            entry = self._files[file]
            if isinstance(entry, Map) and "text" in entry:
                text = entry["text"]
                if isinstance(text, Text):
                    return text
        raise NotFound(f"There is no file with the id {file[:200]!r}.", field="file")

    def _known_items(self) -> ItemIndex:
        items = self._items
        if items is None or self._items_at != self.version:
            # Kept again only once it is whole.
            self._items = None
            if items is None:
                items = ItemIndex()
            items.integrate(self.encode(items.state_vector()))
            self._items_at = self.version
            if len(items) <= _MOST_RUNS:
                self._items = items
        return items

    def _list(self) -> Listing:
        index = self._index
        for key in list(self._files.keys()) if self._stale is None else self._stale:
            self._index_entry(key, index)
        # Without the deep observer nobody tells what has changed, so the next listing looks at all again.
        self._stale = None if self._deep is None else set()
        return index.listing()

    def _index_entry(self, key: str, index: FileIndex) -> None:
        if key not in self._files:
            index.remove(key)
            return
        entry = self._files[key]
        if not isinstance(entry, Map):
            index.refuse(key, f"files[{key!r}] is no map")
        elif "text" not in entry or not isinstance(entry["text"], Text):
            index.refuse(key, f"files[{key!r}] has no text")
        else:
            try:
                index.put(key, file_path(entry.get("path")))
            except InvalidPath as error:
                index.refuse(key, f"files[{key!r}]: {error.message}")

    def _touch(self, keys: Iterable[str]) -> None:
        self._listing = None
        if self._stale is not None:
            self._stale.update(keys)

    def _observed(self, event: TransactionEvent) -> None:
        applied = self._applied
        applied.update = event.update
        if self._track:
            applied.before = cast(Any, event).before_state
            applied.after = cast(Any, event).after_state
        self.version += 1
        self._encoded = None
        self._state = None
        if self._deep is None:
            self._listing = None
            self._index = FileIndex()

    def _observed_files(self, events: Iterable[object]) -> None:
        changed: list[FileId] = []
        for event in events:
            path = getattr(event, "path", [])
            if type(event) is _TextEvent and len(path) == 2 and path[1] == "text":
                self._applied.deltas[FileId(path[0])] = read_delta(cast(Any, event).delta)
                changed.append(FileId(path[0]))
            else:
                keys = path[:1] or list(getattr(event, "keys", ()))
                self._applied.files_changed = True
                self._applied.entries.update(keys)
                self._touch(keys)
                changed += map(FileId, keys)
        self.stamps.note(changed, entries=self._applied.files_changed)


def _state_of(document: ref[Document]) -> bytes:
    found = document()
    return EMPTY_STATE if found is None else found.state_vector()


def _observed(document: ref[Document], event: TransactionEvent) -> None:
    if (found := document()) is not None:
        found._observed(event)


def _observed_files(document: ref[Document], events: Iterable[object]) -> None:
    if (found := document()) is not None:
        found._observed_files(events)


def merge_updates(updates: Sequence[bytes]) -> bytes:
    """One update for several. Only for few: the time grows with the square of their number (pycrdt)."""
    return updates[0] if len(updates) == 1 else pycrdt.merge_updates(*updates)


def is_panic(error: BaseException) -> bool:
    """Whether this is a panic of pycrdt's Rust core, whose class pyo3 does not export."""
    return type(error).__name__ == "PanicException"


@contextmanager
def _malformed(what: str) -> Iterator[None]:
    """Turns what pycrdt raises for input that it cannot decode into MalformedUpdate."""
    try:
        yield
    except (ValueError, IndexError, RuntimeError, OverflowError) as error:
        raise MalformedUpdate(f"The {what} cannot be decoded: {error}.") from None
    except BaseException as error:
        if is_panic(error):
            raise MalformedUpdate(f"The {what} cannot be decoded.") from None
        raise

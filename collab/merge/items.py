"""The order of a text's items, the deleted ones included, read from a document's encoded state.

pycrdt tells no ids and hides deleted items. To put deleted text back exactly where it stood, whatever people
typed around it, one must know where its tombstones stand in the list of items. So this module decodes Yjs'
update format v1 and integrates one text's items by Yjs' rule (YATA). It costs time in proportion to the
document and is used only where a person waits for one answer: undo, and withdrawing a hunk.

Source: Yjs' ``Item.integrate`` and ``UpdateDecoderV1``; yrs' ``block.rs`` for the numbers of the contents.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from collab.document import Document
from collab.errors import MalformedMessage
from collab.ids import ClientId, FileId
from collab.merge.ranges import IdRanges
from collab.wire import (
    IdRange,
    decode_anchor,
    delete_set_update,
    read_bytes,
    read_delete_set,
    read_text,
    read_uint,
    write_bytes,
    write_uint,
)

ItemId = tuple[ClientId, int]

_HAS_ORIGIN, _HAS_RIGHT, _HAS_SUB, _CONTENT = 0x80, 0x40, 0x20, 0x1F
_GC, _SKIP = 0, 10


@dataclass(slots=True, eq=False)
class _Struct:
    id: ItemId
    length: int
    origin: ItemId | None
    right: ItemId | None
    parent: ItemId | None
    units: bytes | None
    linked: bool = False


@dataclass(slots=True, eq=False)
class _Link:
    """A part of a struct in the list; no origin of another struct points into its middle."""

    id: ItemId
    length: int
    origin: ItemId | None
    right_origin: ItemId | None
    units: bytes | None
    next: _Link | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbours in a text's list with consecutive ids, all alive or all deleted.

    ``units`` is their text in UTF-16-LE; empty for deleted ones, whose content may be collected. ``origin`` is
    what stood to the left when the first unit was written: always the last unit of a run, or None at the start.
    """

    ids: IdRange
    alive: bool
    units: bytes
    origin: ItemId | None

    @property
    def first(self) -> ItemId:
        """Id of the first unit."""
        return self.ids.client, self.ids.clock

    @property
    def last(self) -> ItemId:
        """Id of the last unit."""
        return self.ids.client, self.ids.clock + self.ids.length - 1


class State:
    """A document's encoded state, decoded."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._structs, self._deleted = _decode(document.encode())
        self._starts = {c: [s.id[1] for s in structs] for c, structs in self._structs.items()}

    def runs(self, file: FileId) -> list[Run]:
        """The items of a file's text in their order. Raises NotFound."""
        anchor = decode_anchor(self._document.anchor(file, 0))
        structs = self._of((anchor.client, anchor.clock))
        runs: list[Run] = []
        for link in _linked(structs, self._find):
            client, clock = link.id
            for part, dead in self._deleted.split(IdRange(client, clock, link.length)):
                units = b""
                if not dead and link.units is not None:
                    units = link.units[(part.clock - clock) * 2 : (part.clock - clock + part.length) * 2]
                origin = link.origin if part.clock == clock else (client, part.clock - 1)
                runs.append(Run(part, not dead, units, origin))
        return runs

    def _find(self, item: ItemId) -> _Struct | None:
        starts = self._starts.get(item[0])
        if not starts or (index := bisect_right(starts, item[1]) - 1) < 0:
            return None
        found = self._structs[item[0]][index]
        return found if item[1] < found.id[1] + found.length else None

    def _of(self, parent: ItemId) -> list[_Struct]:
        """The structs of one type. Only those without origins name their parent; the others inherit it."""
        children = []
        for structs in self._structs.values():
            for struct in structs:
                chain = [struct]
                while (
                    chain[-1].parent is None
                    and (origin := chain[-1].origin or chain[-1].right) is not None
                    and (next_ := self._find(origin)) is not None
                ):
                    chain.append(next_)
                for link in chain:
                    link.parent = chain[-1].parent or _NOWHERE
                if struct.parent == parent:
                    children.append(struct)
        return children


_NOWHERE: ItemId = (ClientId(-1), -1)


def _linked(structs: list[_Struct], find: Callable[[ItemId], _Struct | None]) -> Iterator[_Link]:
    """Integrates the structs of one type by Yjs' rule; yields them in the order of the list."""
    cuts: dict[ClientId, set[int]] = {}
    for struct in structs:
        if struct.origin is not None:
            cuts.setdefault(struct.origin[0], set()).add(struct.origin[1] + 1)
        if struct.right is not None:
            cuts.setdefault(struct.right[0], set()).add(struct.right[1])
    ordered_cuts = {client: sorted(clocks) for client, clocks in cuts.items()}
    starting: dict[ItemId, _Link] = {}
    ending: dict[ItemId, _Link] = {}
    head = _Link(_NOWHERE, 0, None, None, None)
    mine = {id(struct) for struct in structs}
    before: dict[int, _Struct] = {}
    previous: _Struct | None = None
    for struct in structs:
        if previous is not None and previous.id[0] == struct.id[0]:
            before[id(struct)] = previous
        previous = struct
    for wanted in structs:
        stack = [wanted]
        while stack:
            struct = stack[-1]
            if struct.linked:
                stack.pop()
                continue
            needs = [before.get(id(struct))]
            needs += [find(item) for item in (struct.origin, struct.right) if item is not None]
            missing = [need for need in needs if need is not None and id(need) in mine and not need.linked]
            if missing:
                stack += missing
                continue
            stack.pop()
            struct.linked = True
            left = head if struct.origin is None else ending.get(struct.origin, head)
            right = None if struct.right is None else starting.get(struct.right)
            left = _place(struct, left, right, head, ending)
            for link in _parts(struct, ordered_cuts.get(struct.id[0], [])):
                link.next, left.next, left = left.next, link, link
                starting[link.id] = link
                ending[link.id[0], link.id[1] + link.length - 1] = link
    at = head.next
    while at is not None:
        yield at
        at = at.next


def _place(struct: _Struct, left: _Link, right: _Link | None, head: _Link, ending: dict[ItemId, _Link]) -> _Link:
    """The link after which the struct belongs: Yjs' conflict resolution among concurrent neighbours."""
    conflicting: set[int] = set()
    passed: set[int] = set()
    other = left.next
    while other is not None and other is not right:
        passed.add(id(other))
        conflicting.add(id(other))
        if other.origin == struct.origin:
            if other.id[0] < struct.id[0]:
                left = other
                conflicting.clear()
            elif other.right_origin == struct.right:
                break
        else:
            source = head if other.origin is None else ending.get(other.origin, head)
            if id(source) not in passed:
                break
            if id(source) not in conflicting:
                left = other
                conflicting.clear()
        other = other.next
    return left


def _parts(struct: _Struct, cuts: list[int]) -> list[_Link]:
    client, clock = struct.id
    end = clock + struct.length
    links = []
    index = bisect_right(cuts, clock)
    at = clock
    origin = struct.origin
    while at < end:
        upto = min(cuts[index], end) if index < len(cuts) else end
        units = None if struct.units is None else struct.units[(at - clock) * 2 : (upto - clock) * 2]
        links.append(_Link((client, at), upto - at, origin, struct.right, units))
        origin = (client, upto - 1)
        at = upto
        index += 1
    return links


# Writing


@dataclass(frozen=True, slots=True)
class Placed:
    """Text to be put exactly between two neighbours of a text's list."""

    left: ItemId
    right: ItemId | None
    text: str


def placed_update(client: ClientId, clock: int, texts: list[Placed], deleted: list[IdRange]) -> bytes:
    """An update under ``client`` from ``clock`` that inserts ``texts`` in turn and deletes some ids.

    An item that names its present neighbours on both sides is integrated between them without any choice;
    pycrdt's own insert would jump over the deleted items there.
    """
    if not texts:
        return delete_set_update(deleted)
    out = [b"\x01", write_uint(len(texts)), write_uint(client), write_uint(clock)]
    for text in texts:
        out.append(bytes((4 | _HAS_ORIGIN | (_HAS_RIGHT if text.right else 0),)))
        out.append(write_uint(text.left[0]) + write_uint(text.left[1]))
        if text.right:
            out.append(write_uint(text.right[0]) + write_uint(text.right[1]))
        out.append(write_bytes(text.text.encode()))
    return b"".join(out) + delete_set_update(deleted)[1:]


# Reading


def _decode(update: bytes) -> tuple[dict[ClientId, list[_Struct]], IdRanges]:
    structs: dict[ClientId, list[_Struct]] = {}
    clients, at = read_uint(update, 0)
    for _ in range(clients):
        count, at = read_uint(update, at)
        number, at = read_uint(update, at)
        clock, at = read_uint(update, at)
        client = ClientId(number)
        row = structs.setdefault(client, [])
        for _ in range(count):
            struct, at = _struct(update, at, (client, clock))
            clock += struct.length
            row.append(struct)
    deleted, _ = read_delete_set(update, at)
    return structs, IdRanges(deleted)


def _struct(data: bytes, at: int, item: ItemId) -> tuple[_Struct, int]:
    info = data[at]
    at += 1
    if info & _CONTENT in {_GC, _SKIP}:
        length, at = read_uint(data, at)
        return _Struct(item, length, None, None, _NOWHERE, None), at
    origin = right = parent = None
    if info & _HAS_ORIGIN:
        origin, at = _item_id(data, at)
    if info & _HAS_RIGHT:
        right, at = _item_id(data, at)
    if origin is None and right is None:
        named, at = read_uint(data, at)
        if named:
            _, at = read_bytes(data, at)
            parent = _NOWHERE
        else:
            parent, at = _item_id(data, at)
        if info & _HAS_SUB:
            _, at = read_bytes(data, at)
            parent = _NOWHERE
    units, length, at = _content(info & _CONTENT, data, at)
    return _Struct(item, length, origin, right, parent, units), at


def _item_id(data: bytes, at: int) -> tuple[ItemId, int]:
    client, at = read_uint(data, at)
    clock, at = read_uint(data, at)
    return (ClientId(client), clock), at


def _content(kind: int, data: bytes, at: int) -> tuple[bytes | None, int, int]:
    """UTF-16-LE units of a string (None for other contents), the length in clocks, and where it ends."""
    if kind == 4:
        text, at = read_text(data, at)
        units = text.encode("utf-16-le")
        return units, len(units) // 2, at
    if kind == 1:
        length, at = read_uint(data, at)
        return None, length, at
    if kind in {2, 8}:
        length, at = read_uint(data, at)
        for _ in range(length):
            at = read_bytes(data, at)[1] if kind == 2 else _any(data, at)
        return None, length, at
    if kind in {3, 5}:
        at = read_bytes(data, at)[1]
    elif kind == 6:
        at = read_bytes(data, read_bytes(data, at)[1])[1]
    elif kind == 7:
        reference, at = read_uint(data, at)
        if reference in {3, 5}:
            at = read_bytes(data, at)[1]
        elif reference == 7:
            raise MalformedMessage("The document holds a weak link, which cannot be read.")
    elif kind == 9:
        at = _any(data, read_bytes(data, at)[1])
    else:
        raise MalformedMessage(f"The document holds a content of the unknown kind {kind}.")
    return None, 1, at


def _any(data: bytes, at: int) -> int:
    """Where lib0's ``any`` value at ``at`` ends."""
    kind = data[at]
    at += 1
    if kind in {127, 126, 121, 120}:
        return at
    if kind == 125:
        while data[at] & 0x80:
            at += 1
        return at + 1
    if kind in {124, 123, 122}:
        return at + (4 if kind == 124 else 8)
    if kind in {119, 116}:
        return read_bytes(data, at)[1]
    count, at = read_uint(data, at)
    for _ in range(count):
        if kind == 118:
            at = read_bytes(data, at)[1]
        at = _any(data, at)
    return at

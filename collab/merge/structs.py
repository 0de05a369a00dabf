"""Reads the structs of an update in Yjs' format v1, fast.

pycrdt tells nothing of what is in an update. Documents have thousands of structs and somebody waits, so the
usual ones (strings and deleted text) are read by one regular expression each, and numbers that come again, as
client ids do, are looked up.

Source: Yjs' ``UpdateDecoderV1``; yrs' ``block.rs`` for the numbers of the contents.
"""

from __future__ import annotations

import re
from typing import Final

from collab.errors import MalformedMessage
from collab.ids import ClientId
from collab.wire import IdRange, read_bytes, read_uint

ItemId = tuple[ClientId, int]

NOBODY: Final = ClientId(-1)
"""The client of an id that is not there."""
HAS_ORIGIN: Final = 0x80
HAS_RIGHT: Final = 0x40
STRING: Final = 4
HAS_SUB: Final = 0x20
_BOTH: Final = HAS_ORIGIN | HAS_RIGHT
CONTENT: Final = 0x1F
GC, DELETED, _TYPE, SKIP = 0, 1, 7, 10

_NO_ID: Final[ItemId] = (NOBODY, 0)
_UINT: Final = rb"([\x80-\xff]*[\x00-\x7f])"
_numbers: Final = re.compile(_UINT).findall
_three: Final = re.compile(_UINT * 3).match
_five: Final = re.compile(_UINT * 5).match
_NUMBER: Final = rb"[\x80-\xff]*[\x00-\x7f]"
_going_on: Final = re.compile(
    rb"\x01\x01(?P<client>%b)%b(?:\x84(?P=client)%b|\xc4(?P=client)(?:%b){3})(?P<size>%b)" % ((_NUMBER,) * 5),
    re.DOTALL,
).match


class Run:
    """Neighbours in a text's list with consecutive ids, all alive or all deleted.

    ``length`` counts UTF-16 units. ``origin_client`` and ``origin_clock`` name what stood to the left when the
    first unit was written: always the last unit of a run, or NOBODY at the start; ``right_…`` likewise to the
    right. ``parent`` is the id of the type that it belongs to, None where that is no list of items.
    """

    # Plain numbers instead of ids, as with tuples most of the time would go to the collector of cycles; and no
    # __init__, which takes three times as long as the assignments alone.
    __slots__ = (
        "_at",
        "_data",
        "_wide",
        "alive",
        "client",
        "clock",
        "length",
        "next",
        "origin_client",
        "origin_clock",
        "parent",
        "right_client",
        "right_clock",
    )
    client: ClientId
    clock: int
    length: int
    alive: bool
    origin_client: ClientId
    origin_clock: int
    right_client: ClientId
    right_clock: int
    parent: ItemId | None
    next: Run | None
    _data: bytes
    """ASCII, or UTF-16-LE if ``_wide``; the parts of a run that was cut share it."""
    _wide: bool
    _at: int

    @property
    def ids(self) -> IdRange:
        """The ids of all units."""
        return IdRange(self.client, self.clock, self.length)

    @property
    def first(self) -> ItemId:
        """Id of the first unit."""
        return self.client, self.clock

    @property
    def last(self) -> ItemId:
        """Id of the last unit."""
        return self.client, self.clock + self.length - 1

    @property
    def origin(self) -> ItemId | None:
        """What stood to the left when the first unit was written; None at the start."""
        return None if self.origin_client == NOBODY else (self.origin_client, self.origin_clock)

    @property
    def units(self) -> bytes:
        """The text in UTF-16-LE; empty for deleted ones, whose content is not kept, and for what is no text."""
        at, end = self._at, self._at + self.length
        if self._wide:
            return self._data[at * 2 : end * 2]
        return self._data[at:end].decode("ascii").encode("utf-16-le")

    @property
    def text(self) -> str:
        """The text; empty for deleted ones, and for what is no text. Half a character is U+FFFD."""
        return self.part(self.clock, self.length)

    def part(self, clock: int, length: int) -> str:
        """The text of some of its units."""
        at = self._at + clock - self.clock
        if self._wide:
            return self._data[at * 2 : (at + length) * 2].decode("utf-16-le", "replace")
        return self._data[at : at + length].decode("ascii")

    def cut(self, clock: int) -> Run:
        """Ends this run before ``clock``, which is inside of it; returns the rest, which follows it."""
        kept = clock - self.clock
        origin = self.client, clock - 1
        right = self.right_client, self.right_clock
        rest = _run(self.client, clock, self.length - kept, self.alive, origin, right, self.parent, self._data)
        rest._wide = self._wide
        rest._at = self._at + kept
        rest.next = self.next
        self.length = kept
        self.next = rest
        return rest

    def delete(self) -> None:
        """Marks it as deleted, and forgets its content."""
        self.alive = False
        self._data = b""


def head() -> Run:
    """What stands before the first run of a list."""
    return _run(NOBODY, 0, 0, False, _NO_ID, _NO_ID, None, b"")


def _run(
    client: ClientId,
    clock: int,
    length: int,
    alive: bool,
    origin: ItemId,
    right: ItemId,
    parent: ItemId | None,
    data: bytes,
) -> Run:
    run = Run()
    run.client = client
    run.clock = clock
    run.length = length
    run.alive = alive
    run.origin_client, run.origin_clock = origin
    run.right_client, run.right_clock = right
    run.parent = parent
    run.next = None
    run._data = data
    run._wide = True
    run._at = 0
    return run


class _Uints(dict[bytes, int]):
    """Encoded varUints and what they say."""

    def __missing__(self, encoded: bytes) -> int:
        value = shift = 0
        for byte in encoded:
            value |= (byte & 0x7F) << shift
            shift += 7
        self[encoded] = value
        return value


def goes_on(update: bytes) -> ClientId | None:
    """The client of an update that inserts one text behind another one of the same client, and does nothing else;
    None for any other update, and for some that are so.
    """
    found = _going_on(update)
    if found is None or update[-1:] != b"\0":
        return None
    size, _ = read_uint(found["size"], 0)
    return ClientId(read_uint(found["client"], 0)[0]) if found.end() + size + 1 == len(update) else None


def read_structs(update: bytes) -> tuple[dict[ClientId, list[Run]], int]:
    """The structs of an update, by client and clock, and where its delete set begins.

    Those that name no neighbour have a ``parent``; the others inherit it from theirs. Raises MalformedMessage.
    """
    structs: dict[ClientId, list[Run]] = {}
    uints = _Uints()
    try:
        clients, at = read_uint(update, 0)
        for _ in range(clients):
            count, at = read_uint(update, at)
            number, at = read_uint(update, at)
            clock, at = read_uint(update, at)
            row = structs.setdefault(ClientId(number), [])
            at = _read_client(update, at, ClientId(number), clock, count, row, uints)
    except (IndexError, UnicodeDecodeError):
        raise MalformedMessage("The update ends within a struct, or holds a text that is not UTF-8.") from None
    if at > len(update):
        raise MalformedMessage("The update ends within a struct.")
    return structs, at


def _read_client(
    data: bytes, at: int, client: ClientId, clock: int, count: int, row: list[Run], uints: _Uints
) -> int:
    """Reads ``count`` structs of one client from ``clock``, which begin at ``at``; returns where they end."""
    for _ in range(count):
        info = data[at]
        kind = info & CONTENT
        neighbours = info & _BOTH
        if not neighbours or kind not in {STRING, DELETED}:
            run, clock, at = _read_other(data, at, client, clock)
            if run is not None:
                row.append(run)
            continue
        found = (_five if neighbours == _BOTH else _three)(data, at + 1)
        if found is None:
            raise IndexError
        at = found.end()
        run = Run()
        run.client = client
        run.clock = clock
        if neighbours == HAS_RIGHT:
            run.origin_client, run.origin_clock = _NO_ID
            name, place, size = found.groups()
            run.right_client, run.right_clock = ClientId(uints[name]), uints[place]
        else:
            if neighbours == _BOTH:
                name, place, other, beside, size = found.groups()
                run.right_client = uints[other]  # type: ignore[assignment]
                run.right_clock = (
                    beside[0] & 0x7F | (beside[1] & 0x7F) << 7 | beside[2] << 14
                    if len(beside) == 3
                    else uints[beside]
                )
            else:
                name, place, size = found.groups()
                run.right_client, run.right_clock = _NO_ID
            run.origin_client = uints[name]  # type: ignore[assignment]
            run.origin_clock = (
                place[0] & 0x7F | (place[1] & 0x7F) << 7 | place[2] << 14 if len(place) == 3 else uints[place]
            )
        length = uints[size]
        run.alive = run._wide = False
        run._data = b""
        if kind == STRING:
            units = data[at : at + length]
            at += length
            if not units.isascii():
                units = units.decode().encode("utf-16-le")
                length = len(units) // 2
                run._wide = True
            run.alive = True
            run._data = units
        run.length = length
        run.parent = run.next = None
        run._at = 0
        row.append(run)
        clock += length
    return at


def _read_other(data: bytes, at: int, client: ClientId, clock: int) -> tuple[Run | None, int, int]:
    """Any struct at ``at`` (None for a gap), the clock behind it, and where it ends."""
    info = data[at]
    kind = info & CONTENT
    at += 1
    if kind in {GC, SKIP}:
        length, at = read_uint(data, at)
        run = None if kind == SKIP else _run(client, clock, length, False, _NO_ID, _NO_ID, None, b"")
        return run, clock + length, at
    origin = right = _NO_ID
    parent = None
    if info & HAS_ORIGIN:
        origin, at = read_id(data, at)
    if info & HAS_RIGHT:
        right, at = read_id(data, at)
    if not info & _BOTH:
        named, at = read_uint(data, at)
        if named:
            _, at = read_bytes(data, at)
        else:
            parent, at = read_id(data, at)
        if info & HAS_SUB:
            # A value of a map: those stand in no list.
            _, at = read_bytes(data, at)
            parent = None
    units = b""
    length = 1
    if kind == STRING:
        text, at = read_bytes(data, at)
        units = text.decode().encode("utf-16-le")
        length = len(units) // 2
    elif kind == DELETED:
        length, at = read_uint(data, at)
    else:
        length, at = other_content(kind, data, at)
    run = _run(client, clock, length, kind != DELETED, origin, right, parent, units)
    return run, clock + length, at


def read_id(data: bytes, at: int) -> tuple[ItemId, int]:
    """An item's id at ``at`` and where it ends. Raises MalformedMessage."""
    client, at = read_uint(data, at)
    clock, at = read_uint(data, at)
    return (ClientId(client), clock), at


def other_content(kind: int, data: bytes, at: int) -> tuple[int, int]:
    """The length in clocks of a content that is no text, and where it ends."""
    if kind in {2, 8}:
        length, at = read_uint(data, at)
        for _ in range(length):
            at = read_bytes(data, at)[1] if kind == 2 else _any(data, at)
        return length, at
    if kind in {3, 5}:
        at = read_bytes(data, at)[1]
    elif kind == 6:
        at = read_bytes(data, read_bytes(data, at)[1])[1]
    elif kind == _TYPE:
        reference, at = read_uint(data, at)
        if reference in {3, 5}:
            at = read_bytes(data, at)[1]
        elif reference == 7:
            raise MalformedMessage("The document holds a weak link, which cannot be read.")
    elif kind == 9:
        at = _any(data, read_bytes(data, at)[1])
    else:
        raise MalformedMessage(f"The document holds a content of the unknown kind {kind}.")
    return 1, at


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


class DeleteSet:
    """The delete set of a document as it grows; tells what of it is new."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, list[bytes]] = {}

    def changed(self, data: bytes, at: int) -> list[IdRange]:
        """The ranges of the delete set at ``at`` of ``data`` that were not in the last one as they are now."""
        numbers = _numbers(data, at)
        uints = _Uints()
        ranges: list[IdRange] = []
        index = 1
        for _ in range(uints[numbers[0]]):
            client, count = numbers[index], uints[numbers[index + 1]]
            index += 2
            part = numbers[index : index + 2 * count]
            index += 2 * count
            before = self._known.get(client)
            if before == part:
                continue
            self._known[client] = part
            # As encoded, since there may be thousands.
            new = set(zip(part[::2], part[1::2], strict=True))
            if before is not None:
                new.difference_update(zip(before[::2], before[1::2], strict=True))
            number = ClientId(uints[client])
            ranges += [IdRange(number, uints[clock], uints[length]) for clock, length in new]
        return ranges

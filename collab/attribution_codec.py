"""The table of who wrote what as bytes, for checkpoints and origins, and as plain values for people.

The bytes are one msgpack array of columns, in which neighbours differ little, so that most numbers take one byte:

    version, second from which times count,
    authors            [[kind, id, by], ...]
    runs               clients, runs of each; then for each run: ids passed over, length, author, seconds from the
                       first of the run before it (of the table's, for a client's first), seconds that it lasted
    copies             clients, copies of each; then for each: ids passed over, length, number of the client whose
                       text it is a copy of, clock there
    clients            that are copied

Nothing in it is believed before it is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import add, sub
from typing import Any, Final

import msgpack

from collab.attribution import Attribution, Author, Kind
from collab.attribution_rows import Rows
from collab.errors import StoreCorrupt
from collab.ids import MAX_CLIENT_ID, ClientId
from collab.ledger import Copy
from collab.wire import MAX_UINT, IdRange

VERSION: Final = 1
_KINDS: Final[tuple[Kind, ...]] = ("person", "job", "undo", "import", "change", "unknown")
_MAX_SECOND: Final = 2**40

Columns = list[list[int]]


def encode(table: Attribution) -> bytes:
    """The table as bytes; the same for tables with the same runs. Empty for an empty table."""
    if not table:
        return b""
    rows = sorted(table.rows(), key=lambda row: (row[0], row[1]))
    base = min((row[4] for row in rows), default=0)
    authors: dict[Author, int] = {}
    runs: Columns = [[] for _ in range(7)]
    clients, counts, passed, lengths, by, since, lasted = runs
    end = second = 0
    for client, clock, length, author, first, last in rows:
        if not clients or clients[-1] != client:
            clients.append(client)
            counts.append(0)
            end, second = 0, base
        counts[-1] += 1
        passed.append(clock - end)
        lengths.append(length)
        by.append(authors.setdefault(author, len(authors)))
        since.append(first - second)
        lasted.append(last - first)
        end, second = clock + length, first
    copies, copied_from = _copy_columns(table)
    named = [[_KINDS.index(author.kind), author.id, author.by] for author in authors]
    packed: bytes = msgpack.packb([VERSION, base, named, *runs, *copies, copied_from])
    return packed


def decode(data: bytes) -> Attribution:
    """The reverse of encode. Raises StoreCorrupt for anything else."""
    table = Attribution()
    if not data:
        return table
    try:
        version, base, named, *columns = msgpack.unpackb(data, strict_map_key=False)
        if version != VERSION:
            raise ValueError(f"it has the format {version!r}, and this version reads {VERSION}")
        authors = [_author(*one) for one in named]
        *numbers, copied_from = columns
        _check_numbers([[base], *numbers, copied_from])
        clients, counts, *runs = numbers[:7]
        copying, copy_counts, *copies = numbers[7:]
        _read_runs(table, base, authors, _by_client(clients, counts, runs))
        _read_copies(table, copied_from, _by_client(copying, copy_counts, copies))
    except (ValueError, TypeError, IndexError, OverflowError, msgpack.UnpackException) as error:
        raise StoreCorrupt(
            f"A stored table of who wrote what cannot be read: {error}. Restore a backup, or delete the room."
        ) from error
    return table


def pack_copies(copies: Iterable[Copy]) -> bytes:
    """What an origin carries: which of the ids in its update are copies of which others."""
    table = Attribution()
    for copy in copies:
        table.copy(copy.ids, copy.of)
    return encode(table)


def plain(table: Attribution) -> dict[str, object]:
    """The table as plain values, for JSON. Clocks and lengths in UTF-16 units, times in seconds since 1970.

    A run is [clock, length, number of the author in ``Attribution.authors``, first second, last second], a copy
    [clock, length, client that it is a copy of, clock there].
    """
    authors = {author: number for number, author in enumerate(table.authors())}
    clients: dict[str, list[list[int]]] = {}
    for client, clock, length, author, first, last in sorted(table.rows(), key=lambda row: (row[0], row[1])):
        clients.setdefault(str(client), []).append([clock, length, authors[author], first, last])
    copies: dict[str, list[list[int]]] = {}
    for client, copied in table.copies():
        row = [copied.clock, copied.length, copied.of_client, copied.of_clock]
        copies.setdefault(str(client), []).append(row)
    return {"version": VERSION, "clients": clients, "copies": copies}


def _copy_columns(table: Attribution) -> tuple[Columns, list[int]]:
    copies: Columns = [[] for _ in range(6)]
    clients, counts, passed, lengths, of_client, of_clock = copies
    numbers: dict[ClientId, int] = {}
    end = 0
    for client, copied in sorted(table.copies(), key=lambda one: (one[0], one[1].clock)):
        if not clients or clients[-1] != client:
            clients.append(client)
            counts.append(0)
            end = 0
        counts[-1] += 1
        passed.append(copied.clock - end)
        lengths.append(copied.length)
        of_client.append(numbers.setdefault(copied.of_client, len(numbers)))
        of_clock.append(copied.of_clock)
        end = copied.clock + copied.length
    return copies, list(numbers)


def _author(kind: object, identity: object, by: object) -> Author:
    if not (isinstance(kind, int) and isinstance(identity, str) and isinstance(by, str)) or kind < 0:
        raise ValueError("an author is none")
    return Author(_KINDS[kind], identity, by)


def _check_numbers(columns: Sequence[Any]) -> None:
    for column in columns:
        if not isinstance(column, list) or not {type(number) for number in column} <= {int}:
            raise ValueError("a column is no list of numbers")
        if column and not -_MAX_SECOND < min(column) <= max(column) <= MAX_UINT:
            raise ValueError("a number is too large")


def _by_client(clients: list[int], counts: list[int], columns: Columns) -> Iterator[tuple[ClientId, Columns]]:
    """Each client with its part of the columns."""
    if len(set(clients)) != len(clients) or any(not 0 <= client <= MAX_CLIENT_ID for client in clients):
        raise ValueError("its client ids are wrong")
    if len(clients) != len(counts) or {len(column) for column in columns} - {sum(counts)}:
        raise ValueError("its columns differ in length")
    if any(count < 1 for count in counts):
        raise ValueError("a client has nothing")
    at = 0
    for client, count in zip(clients, counts, strict=True):
        yield ClientId(client), [column[at : at + count] for column in columns]
        at += count


def _clocks(passed: list[int], lengths: list[int]) -> list[int]:
    """Where the runs begin that are so long, and lie so far behind the one before."""
    if min(passed) < 0 or min(lengths) < 1:
        raise ValueError("a run is wrong")
    ends = list(accumulate(map(add, passed, lengths)))
    if ends[-1] > MAX_UINT:
        raise ValueError("a run is too long")
    return list(map(sub, ends, lengths))


def _read_runs(
    table: Attribution, base: int, authors: list[Author], by_client: Iterator[tuple[ClientId, Columns]]
) -> None:
    for client, (passed, lengths, by, since, lasted) in by_client:
        first = list(accumulate(since, initial=base))[1:]
        last = list(map(add, first, lasted))
        if min(by) < 0 or max(by) >= len(authors) or min(lasted) < 0 or min(first) < 0 or max(last) >= _MAX_SECOND:
            raise ValueError("a run is wrong")
        table.load(client, Rows(_clocks(passed, lengths), lengths, by, first, last), authors)


def _read_copies(
    table: Attribution, copied_from: list[int], by_client: Iterator[tuple[ClientId, Columns]]
) -> None:
    if any(not 0 <= client <= MAX_CLIENT_ID for client in copied_from):
        raise ValueError("a copied client id is wrong")
    for client, (passed, lengths, numbers, of_clocks) in by_client:
        clocks = _clocks(passed, lengths)
        if min(numbers) < 0 or min(of_clocks) < 0 or max(map(add, of_clocks, lengths)) > MAX_UINT:
            raise ValueError("a copy is wrong")
        for clock, length, number, of_clock in zip(clocks, lengths, numbers, of_clocks, strict=True):
            of = IdRange(ClientId(copied_from[number]), of_clock, length)
            table.copy(IdRange(client, clock, length), [of])

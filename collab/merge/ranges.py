"""Arithmetic on sets of item ids, kept as ranges of clocks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from collab.ids import ClientId
from collab.wire import IdRange


class IdRanges:
    """A set of (client, clock) ids: sorted, disjoint, non-touching ranges per client."""

    __slots__ = ("_by_client", "_starts")

    def __init__(self, ranges: Iterable[IdRange] = ()) -> None:
        raw: dict[ClientId, list[tuple[int, int]]] = {}
        for item in ranges:
            if item.length > 0:
                raw.setdefault(item.client, []).append((item.clock, item.clock + item.length))
        self._by_client: dict[ClientId, list[tuple[int, int]]] = {}
        for client, spans in raw.items():
            spans.sort()
            merged = [spans[0]]
            for start, end in spans[1:]:
                if start <= merged[-1][1]:
                    merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
                else:
                    merged.append((start, end))
            self._by_client[client] = merged
        self._starts = {client: [s for s, _ in spans] for client, spans in self._by_client.items()}

    def __bool__(self) -> bool:
        return bool(self._by_client)

    def __len__(self) -> int:
        """How many ids (of text: UTF-16 units) the set holds."""
        return sum(end - start for spans in self._by_client.values() for start, end in spans)

    def ranges(self) -> list[IdRange]:
        """The set as ranges, by client and clock."""
        return [
            IdRange(client, start, end - start)
            for client, spans in sorted(self._by_client.items())
            for start, end in spans
        ]

    def has(self, client: ClientId) -> bool:
        """Whether any id of this client is in the set."""
        return client in self._by_client

    def touches(self, ids: IdRange) -> bool:
        """Whether any of these ids is in the set."""
        spans = self._by_client.get(ids.client)
        if spans is None:
            return False
        index = bisect_right(self._starts[ids.client], ids.clock + ids.length - 1) - 1
        return index >= 0 and spans[index][1] > ids.clock

    def parts(self, client: ClientId, clock: int, length: int) -> list[tuple[int, int, bool]]:
        """As ``split``, for many ids: each part as its clock, its length, and whether it is in the set."""
        spans = self._by_client.get(client)
        if spans is None:
            return [(clock, length, False)]
        parts: list[tuple[int, int, bool]] = []
        at, end = clock, clock + length
        index = max(bisect_right(self._starts[client], at) - 1, 0)
        while at < end and index < len(spans):
            start, stop = spans[index]
            if stop > at:
                if start >= end:
                    break
                if start > at:
                    parts.append((at, start - at, False))
                    at = start
                upto = min(stop, end)
                parts.append((at, upto - at, True))
                at = upto
            index += 1
        if at < end:
            parts.append((at, end - at, False))
        return parts

    def split(self, item: IdRange) -> list[tuple[IdRange, bool]]:
        """``item`` cut into parts that are wholly in the set (True) or wholly outside of it, in order."""
        client = item.client
        return [
            (IdRange(client, clock, length), inside)
            for clock, length, inside in self.parts(client, item.clock, item.length)
        ]

    def __or__(self, other: IdRanges) -> IdRanges:
        return IdRanges([*self.ranges(), *other.ranges()])

    def __and__(self, other: IdRanges) -> IdRanges:
        return IdRanges(part for item in self.ranges() for part, inside in other.split(item) if inside)

    def __sub__(self, other: IdRanges) -> IdRanges:
        return IdRanges(part for item in self.ranges() for part, inside in other.split(item) if not inside)

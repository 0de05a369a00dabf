"""What of an update may be applied: all that follows, without a gap, what is there.

Yjs keeps an edit aside while something that its author did before is missing. yrs 0.28 takes it in as soon as
its neighbours are there, so a server would show, and encode for others, what no browser does; a client that lost
its connection sends what it types next before it is asked for what was lost, and may be gone for good before it
answers. So each update is looked at before it is applied, and what is behind a gap is withheld.

Source: Yjs' ``integrateStructs``; the format of updates v1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from collab.errors import MalformedMessage
from collab.ids import ClientId
from collab.merge.spans import Span, read_spans
from collab.wire import IdRange, decode_state_vector, read_delete_set, read_uint, write_uint

_UINT: Final = rb"([\x80-\xff]{0,7}[\x00-\x7f])"
_typed: Final = re.compile(
    rb"\x01\x01" + _UINT * 2 + rb"(?:[\x84\x44]" + _UINT * 2 + rb"|\xc4" + _UINT * 4 + rb")([\x00-\x7f])",
    re.DOTALL,
).match
"""The head of an update that is one short text of one client, which names a neighbour: what people type."""


@dataclass(slots=True)
class Part:
    """What of an update can be applied."""

    ready: bytes | None
    """The update itself if that is all of it; None for nothing."""
    whole: bool
    news: bool
    """It holds edits that were not there before."""
    deletes: int = 0
    """How much of what it deletes is there."""


@dataclass(slots=True)
class _Section:
    """The edits of one client in an update."""

    client: ClientId
    start: int
    """Where its first struct begins."""
    spans: list[Span]
    taken: int = 0
    news: bool = False


_MOST_NAMES: Final = 1_000


class Reach:
    """How far the edits of each client reach in a document, as far as it had to be looked up."""

    __slots__ = ("_ends", "_names", "_read", "_state")

    def __init__(self, state: Callable[[], bytes]) -> None:
        """``state`` gives the document's state vector."""
        self._state = state
        self._read = b""
        self._ends: dict[ClientId, int] = {}
        self._names = _Names()

    def part(self, update: bytes) -> Part:
        """What of ``update`` can be applied now; it counts as applied then.

        An update that cannot be read, or that holds a type of content that is not known here, is left as it is:
        pycrdt refuses the one and knows the other.
        """
        if self._follows(update):
            return Part(update, whole=True, news=True)
        try:
            sections, end = read_spans(update)
            deleted, _ = read_delete_set(update, end)
        except MalformedMessage:
            return Part(update, whole=True, news=True)
        found = [_Section(client, start, spans) for client, start, spans in sections]
        while self._advance(found):
            pass
        news = any(section.news for section in found)
        deletes = sum(self._there(ids) for ids in deleted)
        whole = all(section.taken == len(section.spans) for section in found)
        ready = update if whole else _cut(update, found, end)
        # yrs may forget a deletion that it has kept aside.
        return Part(ready, whole and deletes == sum(ids.length for ids in deleted), news, deletes)

    def _there(self, ids: IdRange) -> int:
        """How many of these are there."""
        if self._has(ids.client, ids.clock + ids.length - 1):
            return ids.length
        return max(0, self._ends.get(ids.client, 0) - ids.clock)

    def forget(self) -> None:
        """An update of which a part was said to be ready was refused."""
        self._ends = {}
        self._read = b""

    def _follows(self, update: bytes) -> bool:
        """Whether it is one short text, and nothing else, that follows what is there; the hot path."""
        typed = _typed(update)
        if typed is None:
            return False
        name, first, one, at_one, left, at_left, right, at_right, size = typed.groups()
        length = size[0]
        end = typed.end() + length
        if update[end:] != b"\0" or not update[end - length : end].isascii():
            return False
        names, has = self._names, self._has
        client, clock = names[name], _uint(first)
        if not has(client, clock - 1):
            return False
        if one is not None:
            if not has(names[one], _uint(at_one)):
                return False
        elif not (has(names[left], _uint(at_left)) and has(names[right], _uint(at_right))):
            return False
        if clock + length > self._ends.get(client, 0):
            self._ends[client] = clock + length
        return True

    def _has(self, client: ClientId, clock: int) -> bool:
        """Whether an edit is there."""
        if clock < self._ends.get(client, 0):
            return True
        state = self._state()
        if state is not self._read:
            self._read = state
            ends = self._ends
            for known, end in decode_state_vector(state).items():
                if end > ends.get(known, 0):
                    ends[known] = end
        return clock < self._ends.get(client, 0)

    def _advance(self, sections: list[_Section]) -> bool:
        """Takes what follows, of every client in turn; whether there was anything."""
        advanced = False
        for section in sections:
            spans = section.spans
            while section.taken < len(spans):
                span = spans[section.taken]
                # Of what is there already nothing needs to be there.
                if not self._has(section.client, span.end - 1):
                    if span.gap or not self._has(section.client, span.clock - 1):
                        break
                    if not all(self._has(client, clock) for client, clock in span.needs):
                        break
                    self._ends[section.client] = span.end
                    section.news = True
                section.taken += 1
                advanced = True
        return advanced


@dataclass(slots=True)
class Plan:
    """What to apply, in order, each with the index of the update that it is (part of), None for one kept aside."""

    steps: list[tuple[int | None, bytes]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


class Intake:
    """What comes to a document: lets in what follows, and keeps the rest until it does."""

    __slots__ = ("_reach", "_withheld")

    def __init__(self, state: Callable[[], bytes]) -> None:
        """``state`` gives the document's state vector."""
        self._reach = Reach(state)
        self._withheld: dict[bytes, int] = {}
        """With how much of what they delete was there."""

    def plan(self, updates: Sequence[bytes]) -> Plan:
        """What of these updates, and of those kept aside, follows what is there."""
        plan = Plan()
        for index, update in enumerate(updates):
            if update[:1] >= b"\x80" and _claims_too_much(update):
                plan.refused.append((index, "it claims to hold more clients than it has bytes"))
                continue
            part = self._reach.part(update)
            if not part.whole:
                self._withheld[update] = part.deletes
            if part.ready is not None:
                plan.steps.append((index, part.ready))
        news = bool(self._withheld)
        while news:
            news = False
            for update, deletes in list(self._withheld.items()):
                part = self._reach.part(update)
                if part.ready is not None and (part.news or part.deletes > deletes):
                    plan.steps.append((None, part.ready))
                    news = news or part.news
                if part.whole:
                    del self._withheld[update]
                else:
                    self._withheld[update] = part.deletes
        return plan

    def refused(self, update: bytes | None) -> None:
        """The document could not decode what was planned for ``update``."""
        self._reach.forget()
        if update is not None:
            self._withheld.pop(update, None)


def _claims_too_much(update: bytes) -> bool:
    # yrs reserves memory for as many clients as an update says it has: seven bytes would cost half a gigabyte.
    try:
        count, _ = read_uint(update, 0)
    except MalformedMessage:
        return True
    return count > len(update)


def _cut(update: bytes, sections: list[_Section], end: int) -> bytes | None:
    """The update with what was taken alone, and all that it deletes; None if that is nothing."""
    kept = []
    for section in sections:
        taken = section.taken
        while taken and section.spans[taken - 1].gap:
            taken -= 1
        if taken:
            head = write_uint(taken) + write_uint(section.client) + write_uint(section.spans[0].clock)
            kept.append(head + update[section.start : section.spans[taken - 1].stop])
    if not kept and update[end:] == b"\0":
        return None
    return write_uint(len(kept)) + b"".join(kept) + update[end:]


def _uint(encoded: bytes) -> int:
    size = len(encoded)
    if size == 1:
        return encoded[0]
    if size == 2:
        return encoded[0] & 0x7F | encoded[1] << 7
    if size == 3:
        return encoded[0] & 0x7F | (encoded[1] & 0x7F) << 7 | encoded[2] << 14
    value = shift = 0
    for byte in encoded:
        value |= (byte & 0x7F) << shift
        shift += 7
    return value


class _Names(dict[bytes, ClientId]):
    """Encoded client ids, of which few come again and again, and what they say."""

    def __missing__(self, encoded: bytes) -> ClientId:
        if len(self) > _MOST_NAMES:
            self.clear()
        client = self[encoded] = ClientId(_uint(encoded))
        return client

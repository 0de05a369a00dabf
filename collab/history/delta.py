"""What makes one text of another, small enough to store: how much stays, how much goes, what comes.

A delta covers the whole text before, so that one that belongs to another text is noticed. Lengths are code points.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from collab.errors import MalformedMessage, StoreCorrupt
from collab.merge.three.lines import diff as line_hunks
from collab.merge.three.lines import split
from collab.wire import read_uint, write_uint

Step = int | str
"""Above 0: so many code points stay. Below 0: so many go. A text: it comes."""
Delta = tuple[Step, ...]

MOST_BYTES: Final = 512 * 1024 * 1024
"""A stored text or delta never has more; more would be damage."""
_STAY, _GO, _COME = 0, 1, 2
_PLAIN, _DEFLATED = b"\0", b"\1"


@dataclass(slots=True)
class _Steps:
    """Joins neighbours of one kind, and puts what comes before what goes."""

    steps: list[Step] = field(default_factory=list)
    coming: list[str] = field(default_factory=list)
    going: int = 0

    def stay(self, length: int) -> None:
        if not length:
            return
        self._settle()
        if self.steps and isinstance(last := self.steps[-1], int) and last > 0:
            self.steps[-1] = last + length
        else:
            self.steps.append(length)

    def go(self, length: int) -> None:
        self.going += length

    def come(self, text: str) -> None:
        if text:
            self.coming.append(text)

    def delta(self) -> Delta:
        self._settle()
        return tuple(self.steps)

    def _settle(self) -> None:
        if self.coming:
            self.steps.append("".join(self.coming))
            self.coming = []
        if self.going:
            self.steps.append(-self.going)
            self.going = 0


def difference(old: str, new: str) -> Delta:
    """What makes ``new`` of ``old``: line by line, and within lines from the first to the last difference."""
    steps = _Steps()
    before, after = split(old), split(new)
    at = 0
    for i0, i1, j0, j1 in line_hunks(before, after):
        steps.stay(sum(map(len, before[at:i0])))
        if i1 - i0 == j1 - j0:
            for one, other in zip(before[i0:i1], after[j0:j1], strict=True):
                _trimmed(steps, one, other)
        else:
            _trimmed(steps, "".join(before[i0:i1]), "".join(after[j0:j1]))
        at = i1
    steps.stay(sum(map(len, before[at:])))
    return steps.delta()


def apply(old: str, delta: Delta) -> str:
    """The text that the delta makes of ``old``. Raises StoreCorrupt if it is the delta of another text."""
    pieces = []
    at = 0
    for step in delta:
        if isinstance(step, str):
            pieces.append(step)
            continue
        if step > 0:
            pieces.append(old[at : at + step])
        at += abs(step)
    if at != len(old):
        raise StoreCorrupt(
            f"A stored difference is one of a text with {at} characters, not of one with {len(old)}."
        )
    return "".join(pieces)


def compose(first: Delta, second: Delta) -> Delta:
    """One delta for two that follow each other. Raises StoreCorrupt if they do not."""
    steps = _Steps()
    rest = list(reversed(first))
    for step in second:
        if isinstance(step, str):
            steps.come(step)
            continue
        wanted = abs(step)
        while wanted:
            _pass_gone(rest, steps)
            if not rest:
                raise StoreCorrupt("Two stored differences do not follow each other.")
            part = rest.pop()
            size = len(part) if isinstance(part, str) else part
            if size > wanted:
                if isinstance(part, str):
                    rest.append(part[wanted:])
                    part = part[:wanted]
                else:
                    rest.append(part - wanted)
                    part = wanted
                size = wanted
            wanted -= size
            if isinstance(part, str):
                if step > 0:
                    steps.come(part)
            elif step > 0:
                steps.stay(part)
            else:
                steps.go(part)
    _pass_gone(rest, steps)
    if rest:
        raise StoreCorrupt("Two stored differences do not follow each other.")
    return steps.delta()


def _pass_gone(rest: list[Step], steps: _Steps) -> None:
    while rest and isinstance(last := rest[-1], int) and last < 0:
        steps.go(-last)
        rest.pop()


def encode_delta(delta: Delta) -> bytes:
    """For the store, deflated if that is smaller."""
    return _pack(b"".join(_encoded(delta)))


def decode_delta(data: bytes) -> Delta:
    """The reverse of encode_delta. Raises StoreCorrupt."""
    raw = _unpack(data)
    steps: list[Step] = []
    at = 0
    try:
        while at < len(raw):
            head, at = read_uint(raw, at)
            size, kind = head >> 2, head & 3
            if not size:
                raise ValueError("an empty step")
            if kind == _COME:
                if at + size > len(raw):
                    raise ValueError("a text that is cut off")
                steps.append(raw[at : at + size].decode())
                at += size
            elif kind in (_STAY, _GO):
                steps.append(size if kind == _STAY else -size)
            else:
                raise ValueError("an unknown step")
    except (ValueError, MalformedMessage) as error:
        raise StoreCorrupt(f"A stored difference cannot be read: {error}.") from error
    return tuple(steps)


def encode_text(text: str) -> bytes:
    """A whole text for the store, deflated if that is smaller."""
    return _pack(text.encode())


def decode_text(data: bytes) -> str:
    """The reverse of encode_text. Raises StoreCorrupt."""
    try:
        return _unpack(data).decode()
    except UnicodeDecodeError as error:
        raise StoreCorrupt(f"A stored text cannot be read: {error}.") from error


def folded(key: bytes, deltas: Iterable[bytes]) -> str:
    """The text that stored deltas make of a stored text, the oldest first. Raises StoreCorrupt."""
    text = decode_text(key)
    for delta in deltas:
        text = apply(text, decode_delta(delta))
    return text


def _encoded(delta: Delta) -> Iterator[bytes]:
    for step in delta:
        if isinstance(step, str):
            data = step.encode()
            yield write_uint(len(data) << 2 | _COME)
            yield data
        else:
            yield write_uint(abs(step) << 2 | (_STAY if step > 0 else _GO))


def _trimmed(steps: _Steps, old: str, new: str) -> None:
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    most -= head
    tail = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    steps.stay(head)
    steps.come(new[head : len(new) - tail])
    steps.go(len(old) - head - tail)
    steps.stay(tail)


def _pack(raw: bytes) -> bytes:
    deflated = zlib.compress(raw)
    return _DEFLATED + deflated if len(deflated) < len(raw) else _PLAIN + raw


def _unpack(data: bytes) -> bytes:
    if data[:1] == _PLAIN:
        return data[1:]
    if data[:1] != _DEFLATED:
        raise StoreCorrupt("A stored text or difference begins with an unknown mark.")
    inflating = zlib.decompressobj()
    try:
        raw = inflating.decompress(data[1:], MOST_BYTES)
    except zlib.error as error:
        raise StoreCorrupt(f"A stored text or difference cannot be inflated: {error}.") from error
    if not inflating.eof or inflating.unused_data:
        raise StoreCorrupt("A stored text or difference is cut off, or has something behind it.")
    return raw

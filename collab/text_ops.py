"""Operational transformation of one text.

An operation is a sequence of steps that goes over a text from its start: leave, insert, delete. What it does
not reach stays as it is. Lengths are UTF-16 units, the unit of the wire, and not code points as elsewhere in
the core: so an operation that was made against an older version can be transformed without having that
version's text, and code points are looked up once, in the text that stands now.

Of two insertions at one place, that of the operation that is ``first`` stands first. With that rule,
``apply(apply(t, a), transform(b, a, first=False)) == apply(apply(t, b), transform(a, b, first=True))``,
which is known as TP1 (Ressel and others, 1996). One server puts all operations in order, so that TP2 is not
needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from collab import delta as delta_of
from collab.errors import InvalidOperation
from collab.offsets import from_utf16, utf16_length


@dataclass(frozen=True, slots=True)
class Retain:
    """Leaves ``length`` units as they are."""

    length: int


@dataclass(frozen=True, slots=True)
class Insert:
    """Inserts a text."""

    text: str

    @property
    def length(self) -> int:
        """Length of the text in units."""
        return utf16_length(self.text)


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes ``length`` units."""

    length: int


@dataclass(frozen=True, slots=True)
class Inserted:
    """An insertion of which only the length is kept."""

    length: int


Step = Retain | Insert | Delete
TextOp = tuple[Step, ...]
Outline = tuple[Retain | Inserted | Delete, ...]
"""An operation without its texts: all that is needed to transform others over it."""
Splice = tuple[int, int, str]
"""Start, end (code points of the text before) and what comes in their place."""


class _Steps:
    """Collects steps, joins neighbours of one kind and leaves out what does nothing.

    An insertion next to a deletion stays on its side: a client transforms what it is sent over its own
    operation as it wrote it, and on the other side it could stand elsewhere relative to others' insertions.
    """

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def retain(self, length: int) -> None:
        if length <= 0:
            return
        steps = self._steps
        if steps and isinstance(steps[-1], Retain):
            steps[-1] = Retain(steps[-1].length + length)
        else:
            steps.append(Retain(length))

    def delete(self, length: int) -> None:
        if length <= 0:
            return
        steps = self._steps
        if steps and isinstance(steps[-1], Delete):
            steps[-1] = Delete(steps[-1].length + length)
        else:
            steps.append(Delete(length))

    def insert(self, text: str) -> None:
        if not text:
            return
        steps = self._steps
        if steps and isinstance(steps[-1], Insert):
            steps[-1] = Insert(steps[-1].text + text)
        else:
            steps.append(Insert(text))

    def add(self, step: Step) -> None:
        match step:
            case Retain():
                self.retain(step.length)
            case Insert():
                self.insert(step.text)
            case Delete():
                self.delete(step.length)

    def done(self) -> TextOp:
        steps = self._steps
        if steps and isinstance(steps[-1], Retain):
            steps.pop()
        return tuple(steps)


def normalise(op: Iterable[Step]) -> TextOp:
    """The operation without empty steps, neighbours of one kind and a retain at the end."""
    steps = _Steps()
    for step in op:
        steps.add(step)
    return steps.done()


def length_read(op: TextOp) -> int:
    """How many units of the text before the operation goes over."""
    return sum(step.length for step in op if not isinstance(step, Insert))


def length_change(op: TextOp | Outline) -> int:
    """How many units longer the text is afterwards."""
    return sum(
        -step.length if isinstance(step, Delete) else step.length for step in op if not isinstance(step, Retain)
    )


def outline(op: TextOp | Outline) -> Outline:
    """The operation without its texts."""
    return tuple(Inserted(step.length) if isinstance(step, Insert) else step for step in op)


def check_fits(op: TextOp, length: int) -> None:
    """Raises InvalidOperation unless the operation fits a text of so many units."""
    read = length_read(op)
    if read > length:
        raise InvalidOperation(
            f"The operation goes over {read} UTF-16 units, and the text has {length}; "
            "make it against the text of the version that it names.",
            field="ops",
        )


def splices(op: TextOp, text: str) -> list[Splice]:
    """What the operation does to ``text``, as replacements in code points, in order and apart.

    Raises InvalidOperation if the operation is longer than the text or goes through a character.
    """
    found: list[Splice] = []
    walk = _Walk(text)
    start = 0
    insert = ""
    for step in op:
        match step:
            case Retain():
                if insert or walk.at > start:
                    found.append((start, walk.at, insert))
                    insert = ""
                start = walk.forward(step.length)
            case Insert():
                insert += step.text
            case Delete():
                walk.forward(step.length)
    if insert or walk.at > start:
        found.append((start, walk.at, insert))
    return found


def apply(text: str, op: TextOp) -> str:
    """The text after the operation. Raises InvalidOperation if it does not fit."""
    pieces: list[str] = []
    at = 0
    for start, end, insert in splices(op, text):
        pieces += (text[at:start], insert)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def compose(a: TextOp, b: TextOp) -> TextOp:
    """The operation that does what ``a`` and then ``b`` does.

    Raises InvalidOperation if ``b`` goes through a character that ``a`` inserted.
    """
    out = _Steps()
    left, right = _Cursor(a), _Cursor(b)
    while (second := right.peek()) is not None:
        if isinstance(second, Insert):
            out.insert(second.text)
            right.take(second.length)
            continue
        first = left.peek()
        if isinstance(first, Delete):
            out.delete(first.length)
            left.take(first.length)
            continue
        length = second.length if first is None else min(first.length, second.length)
        taken = left.take(length) if first is not None else Retain(length)
        right.take(length)
        if isinstance(second, Retain):
            out.add(taken)
        elif isinstance(taken, Retain):
            out.delete(length)
    for step in left.rest():
        out.add(step)
    return out.done()


def transform(op: TextOp, over: TextOp | Outline, *, first: bool) -> TextOp:
    """``op`` as it must be after ``over``, when both were made against the same text.

    ``first`` says whether what ``op`` inserts stands first where both insert at one place.
    """
    out = _Steps()
    mine = _Cursor(op)
    theirs = _Cursor(outline(over))
    while (step := mine.peek()) is not None:
        other = theirs.peek()
        if isinstance(other, Inserted) and not (first and isinstance(step, Insert)):
            out.retain(other.length)
            theirs.take(other.length)
        elif isinstance(step, Insert):
            out.insert(step.text)
            mine.take(step.length)
        elif other is None:
            out.add(step)
            mine.take(step.length)
        else:
            length = min(step.length, other.length)
            if isinstance(other, Retain):
                out.add(type(step)(length))
            mine.take(length)
            theirs.take(length)
    return out.done()


def from_delta(delta: delta_of.Delta, before: str) -> TextOp:
    """What a transaction did to a text that was ``before``. Raises InvalidOperation if it does not fit."""
    out = _Steps()
    if before.isascii():
        for step in delta:
            match step:
                case delta_of.Retain():
                    out.retain(step.length)
                case delta_of.Insert():
                    out.insert(step.text)
                case delta_of.Delete():
                    out.delete(step.length)
        return out.done()
    data = before.encode("utf-8", "surrogatepass")
    at = 0
    for step in delta:
        if isinstance(step, delta_of.Insert):
            out.insert(step.text)
            continue
        piece = data[at : at + step.length]
        at += step.length
        try:
            length = utf16_length(piece.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            raise InvalidOperation("The delta goes through a character of the text.") from None
        if isinstance(step, delta_of.Retain):
            out.retain(length)
        else:
            out.delete(length)
    return out.done()


def difference(before: str, after: str) -> TextOp:
    """One replacement that makes ``after`` of ``before``: what is between their common start and end."""
    if before == after:
        return ()
    shortest = min(len(before), len(after))
    start = _common(before, after, shortest)
    end = _common(before[::-1], after[::-1], shortest - start)
    return normalise(
        (
            Retain(utf16_length(before[:start])),
            Insert(after[start : len(after) - end]),
            Delete(utf16_length(before[start : len(before) - end])),
        )
    )


def _common(a: str, b: str, most: int) -> int:
    # Halving instead of a loop over characters: slices compare at the speed of memcmp.
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class _Walk:
    """Goes over a text in UTF-16 units and says where it is in code points."""

    __slots__ = ("_ascii", "_text", "at")

    def __init__(self, text: str) -> None:
        self._text = text
        self._ascii = text.isascii()
        self.at = 0

    def forward(self, units: int) -> int:
        # So many units are at most so many code points, which bounds the piece to look at.
        piece = self._text[self.at : self.at + units] if not self._ascii else ""
        try:
            length = units if self._ascii else from_utf16(piece, units)
        except InvalidOperation as error:
            raise InvalidOperation(f"The operation does not fit the text: {error.message}", field="ops") from None
        if self.at + length > len(self._text):
            raise InvalidOperation(
                f"The operation goes {self.at + length - len(self._text)} UTF-16 units beyond the end of "
                "the text; make it against the text of the version that it names.",
                field="ops",
            )
        self.at += length
        return self.at


_S = TypeVar("_S", Step, Retain | Inserted | Delete)


class _Cursor(Generic[_S]):
    """Hands out an operation's steps in pieces."""

    __slots__ = ("_at", "_head", "_op")

    def __init__(self, op: tuple[_S, ...]) -> None:
        self._op: tuple[_S, ...] = op
        self._at = 0
        self._head: _S | None = op[0] if op else None

    def peek(self) -> _S | None:
        """The step at the front, or what is left of it; None at the end."""
        return self._head

    def take(self, length: int) -> _S:
        """Takes so many units, at most all, of the step at the front."""
        head = self._head
        assert head is not None
        if length == head.length:
            self._at += 1
            self._head = self._op[self._at] if self._at < len(self._op) else None
            return head
        piece, self._head = _split(head, length)
        return piece

    def rest(self) -> list[_S]:
        """All that is left."""
        rest = list(self._op[self._at :])
        if self._head is not None:
            rest[0] = self._head
        return rest


def _split(step: _S, length: int) -> tuple[_S, _S]:
    if isinstance(step, Insert):
        cut = from_utf16(step.text, length)
        return Insert(step.text[:cut]), Insert(step.text[cut:])
    return type(step)(length), type(step)(step.length - length)

"""Cuts a region of whole lines into the elements of one container: statements, entries, list items."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from collab.syntax.freedom import ENTRIES, IMPORTS, STATEMENTS, Key, key_of
from collab.syntax.parsing import Parsed, decode


@dataclass(frozen=True, slots=True)
class Part:
    """A node of one of the three texts."""

    parsed: Parsed
    node: Node

    @property
    def text(self) -> str:
        """What it is in the text."""
        return self.parsed.source(self.node)


@dataclass(frozen=True, slots=True)
class Unit:
    """One element with the comments that belong to it, as whole lines."""

    key: tuple[Key, int]
    """What it is, and which one of those that are called so."""
    text: str
    gap: str
    """The blank lines before it."""
    parsed: Parsed
    node: Node
    comma: int | None
    """Where the comma after it stands in ``text``."""
    end: int
    """Where a comma after it would stand in ``text``."""

    @property
    def free(self) -> bool:
        """Whether its place among its siblings is free."""
        return self.key[0].free

    @property
    def is_import(self) -> bool:
        """Whether it only imports."""
        return self.node.type in IMPORTS


@dataclass(frozen=True, slots=True)
class Block:
    """A region as the elements of one container; ``container`` is None when the region is blank."""

    container: Node | None
    units: tuple[Unit, ...]
    trailing: str
    """The blank lines after the last element."""
    closes: bool
    """Whether the container has no element after the region."""

    @property
    def commas(self) -> bool:
        """Whether its elements have commas between them."""
        return self.container is not None and is_entries(self.container)


def is_entries(node: Node) -> bool:
    """Whether commas stand between the children of ``node``."""
    if node.type == "import_from_statement":
        return any(child.type == "(" for child in node.children)
    return node.type in ENTRIES and node.child_count > 0 and node.child(0).type in ("[", "{", "(")


def cut(parsed: Parsed, start: int, end: int) -> Block | None:
    """The elements of ``start:end``, code points of whole lines; None when they are no whole elements."""
    first, last = parsed.offset(start), parsed.offset(end)
    text = parsed.data[first:last]
    filled = text.strip()
    if not filled:
        return Block(None, (), decode(text), closes=False)
    at = first + len(text) - len(text.lstrip())
    to = at + len(filled)
    container = _container(parsed, at, to)
    if container is None:
        return None
    inside = [child for child in container.children if child.start_byte < to and child.end_byte > at]
    if any(not _within(parsed, child, at, to) for child in inside):
        return None
    return _units(parsed, container, inside, first, last)


def _container(parsed: Parsed, start: int, end: int) -> Node | None:
    node = parsed.root.descendant_for_byte_range(start, end)
    while node is not None and node.parent is not None and _within(parsed, node, start, end):
        node = node.parent
    if node is not None and not holds(node):
        inner = [child for child in node.named_children if child.start_byte < end and child.end_byte > start]
        node = inner[0] if len(inner) == 1 else None
    return node if node is not None and holds(node) and not node.has_error else None


def holds(node: Node) -> bool:
    """Whether the children of ``node`` are elements that can be told apart."""
    return node.type in STATEMENTS or is_entries(node)


def _within(parsed: Parsed, node: Node, start: int, end: int) -> bool:
    return start <= node.start_byte and end_of(parsed, node) <= end


def end_of(parsed: Parsed, node: Node) -> int:
    """The end of ``node`` without the white space that some grammars count in."""
    end = node.end_byte
    while end > node.start_byte and parsed.data[end - 1 : end].isspace():
        end -= 1
    return end


def _units(parsed: Parsed, container: Node, inside: Sequence[Node], first: int, last: int) -> Block | None:
    data = parsed.data
    units: list[Unit] = []
    seen: Counter[Key] = Counter()
    at = first
    pending: int | None = None
    element: Node | None = None
    comma: int | None = None

    def line_end(offset: int) -> int:
        found = data.find(b"\n", offset)
        return last if found < 0 or found + 1 > last else found + 1

    def close(to: int) -> bool:
        """Ends the open element at the end of the line of ``to``."""
        nonlocal at, pending, element, comma
        if element is None:
            return True
        begin = data.rfind(b"\n", 0, element.start_byte if pending is None else pending) + 1
        stop = line_end(max(to - 1, begin))
        if begin < at or data[at:begin].strip():
            return False
        own = end_of(parsed, element)
        key = key_of(parsed, container.type, element)
        units.append(
            Unit(
                (key, seen[key]),
                decode(data[begin:stop]),
                decode(data[at:begin]),
                parsed,
                element,
                None if comma is None else len(decode(data[begin:comma])),
                len(decode(data[begin:own])),
            )
        )
        seen[key] += 1
        at, pending, element, comma = stop, None, None, None
        return True

    reach = first
    for child in inside:
        if child.type == "comment" or child.type in ("line_comment", "block_comment"):
            same_line = element is not None and data.find(b"\n", reach, child.start_byte) < 0
            if not same_line:
                if not close(reach):
                    return None
                if pending is None:
                    pending = child.start_byte
                elif data[at : child.start_byte].count(b"\n\n"):
                    return None
                reach = end_of(parsed, child)
                continue
        elif not child.is_named:
            if child.type not in (",", ";") or element is None:
                return None
            comma = child.start_byte if child.type == "," else comma
        else:
            if not close(reach):
                return None
            element = child
        reach = end_of(parsed, child)
    if element is None or not close(reach) or data[at:last].strip():
        return None
    after = [child for child in container.named_children if child.start_byte >= last and child.type != "comment"]
    return Block(container, tuple(units), decode(data[at:last]), closes=not after)


_WORD = re.compile(r"\w+")


def alike(one: Unit, other: Unit) -> bool:
    """Whether two elements share so many of their words that they may be one thing said twice."""
    a, b = set(_WORD.findall(one.text)), set(_WORD.findall(other.text))
    return min(len(a), len(b)) >= 6 and 2 * len(a & b) >= 0.85 * (len(a) + len(b))

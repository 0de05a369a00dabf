"""Unites one element that both sides changed or added: names of an import, entries between brackets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tree_sitter import Node

from collab.syntax.freedom import Key, key_of
from collab.syntax.parsing import decode
from collab.syntax.unite_imports import unite_imported
from collab.syntax.unite_layout import (
    by_codes,
    by_kind,
    by_letters,
    lay_out,
    line_length,
    sorted_alike,
    widest,
)
from collab.syntax.unite_order import Doubts, merged_order
from collab.syntax.unite_units import Part, Unit, is_entries

MAX_DEPTH: Final = 60
"""Brackets within brackets, and statements within statements, that are looked into."""

NAMES: Final = Doubts[tuple[Key, int]](
    fixed=lambda key: not key[0].free, kind=lambda key: "", replaced=lambda key: not key[0].free
)
"""What is doubtful among names and entries between brackets."""

Inside = Callable[[str, str, str], str | None]


def unite_unit(base: Unit | None, ours: Unit, theirs: Unit, inside: Inside | None) -> str | None:
    """The text of an element that is different in all three; ``base`` is None when both sides added it."""
    was = None if base is None else Part(base.parsed, base.node)
    one, other = Part(ours.parsed, ours.node), Part(theirs.parsed, theirs.node)
    if not ours.is_import and (
        _same_but_layout(ours, theirs)
        or (base is not None and any(_same_but_layout(base, side) for side in (ours, theirs)))
    ):
        return None
    made = unite_parts(was, one, other)
    if made == "":
        return ""
    if made is not None:
        around = [("", "") if unit is None else _around(unit) for unit in (base, ours, theirs)]
        before, after = (pick(*(pair[place] for pair in around), added=base is None) for place in (0, 1))
        if before is not None and after is not None:
            return before + made + after
    if base is not None and inside is not None:
        return inside(base.text, ours.text, theirs.text)
    return None


def unite_parts(base: Part | None, ours: Part, theirs: Part, depth: int = 0) -> str | None:
    """The text of a node that each side may have changed, where the order of what is in it does not matter."""
    if depth > MAX_DEPTH:
        return None
    same = pick(None if base is None else base.text, ours.text, theirs.text)
    if same is not None:
        return same
    types = {part.node.type for part in (base, ours, theirs) if part is not None}
    if types == {"import_from_statement"}:
        return unite_imported(base, ours, theirs)
    if all(part is None or is_entries(part.node) for part in (base, ours, theirs)) and len(types) == 1:
        return _unite_entries(base, ours, theirs, depth)
    if len(types) > 1 or (base is None and not types <= {"import_statement", "use_declaration"} and depth == 0):
        return None
    return _unite_children(base, ours, theirs, depth)


def pick(base: str | None, ours: str, theirs: str, *, added: bool = False) -> str | None:
    """What one side only made of ``base``; None when both changed it. With ``added``, it may fill an empty one."""
    if ours == theirs or base == theirs:
        return ours
    if base == ours:
        return theirs
    if added and not ours.strip():
        return theirs
    return ours if added and not theirs.strip() else None


def _same_but_layout(base: Unit, side: Unit) -> bool:
    """Whether a side only broke the lines anew: what the other side did may not fit them."""
    return re.sub(r"[\s,]+", "", base.text) == re.sub(r"[\s,]+", "", side.text)


def _around(unit: Unit) -> tuple[str, str]:
    """What stands in the lines of an element before and after its node."""
    own = unit.parsed.source(unit.node).rstrip()
    start = unit.end - len(own)
    return unit.text[:start], unit.text[unit.end :]


def _unite_children(base: Part | None, ours: Part, theirs: Part, depth: int) -> str | None:
    sides = [part for part in (base, ours, theirs) if part is not None]
    children = [part.node.children for part in sides]
    if not children[0] or len({tuple(child.type for child in row) for row in children}) > 1:
        return None
    text = ""
    ends = [part.node.start_byte for part in sides]
    for row in zip(*children, strict=True):
        gaps = [
            decode(part.parsed.data[end : child.start_byte])
            for part, end, child in zip(sides, ends, row, strict=True)
        ]
        gap = pick(None if base is None else gaps[0], gaps[-2], gaps[-1])
        inner = [Part(part.parsed, child) for part, child in zip(sides, row, strict=True)]
        made = unite_parts(None if base is None else inner[0], inner[-2], inner[-1], depth + 1)
        if gap is None or made is None:
            return None
        text += gap + made
        ends = [child.end_byte for child in row]
    return text


def _unite_entries(base: Part | None, ours: Part, theirs: Part, depth: int) -> str | None:
    sides = [part for part in (base, ours, theirs) if part is not None]
    rows = [_elements(part, part.node.named_children) for part in sides]
    if any(row is None for row in rows):
        return None
    [*was, one, other] = [row for row in rows if row is not None]
    elements = _unite_keyed(was[0] if was else {}, one, other, depth)
    if elements is None:
        return None
    brackets = [
        (part.parsed.source(part.node.children[0]), part.parsed.source(part.node.children[-1])) for part in sides
    ]
    if len(set(brackets)) > 1:
        return None
    return _laid_out(sides, [*was, one, other], brackets[0], elements)


def _elements(part: Part, nodes: Sequence[Node]) -> dict[tuple[Key, int], Part] | None:
    seen: Counter[Key] = Counter()
    found: dict[tuple[Key, int], Part] = {}
    for node in nodes:
        if "comment" in node.type or node.is_error or node.has_error:
            return None
        key = key_of(part.parsed, part.node.type, node)
        found[key, seen[key]] = Part(part.parsed, node)
        seen[key] += 1
    return found


def _unite_keyed(
    base: Mapping[tuple[Key, int], Part],
    ours: Mapping[tuple[Key, int], Part],
    theirs: Mapping[tuple[Key, int], Part],
    depth: int,
) -> list[tuple[tuple[Key, int], str]] | None:
    """The elements that both sides leave, each with its text, in order; None when people must decide."""
    for side, other in ((ours, theirs), (theirs, ours)):
        if any(key in base and key not in side and other[key].text != base[key].text for key in other):
            return None
    order = merged_order(list(base), list(ours), list(theirs), NAMES)
    if order is None:
        return None
    found: list[tuple[tuple[Key, int], str]] = []
    for key in order:
        if key in ours and key in theirs:
            text = unite_parts(base.get(key), ours[key], theirs[key], depth + 1)
            if text is None:
                return None
        else:
            text = (ours.get(key) or theirs[key]).text
        found.append((key, text))
    return found


def _laid_out(
    sides: Sequence[Part],
    rows: Sequence[Mapping[tuple[Key, int], Part]],
    brackets: tuple[str, str],
    elements: Sequence[tuple[tuple[Key, int], str]],
) -> str | None:
    """The elements between their brackets, laid out as the side that uses more lines has them."""
    ours = sides[-2]
    insides = [_inside(part.node, part) for part in sides]
    texts = [[part.text for part in row.values()] for row in rows]
    layout = widest(insides[-2:], texts[-2:])
    commas = [text.rstrip().endswith(",") for text in insides]
    comma = commas[-2] if len(commas) == 2 or commas[-2] != commas[0] else commas[-1]
    in_order = _sorted_elements(elements, rows[-2:], 3)
    column = (
        ours.parsed.characters(ours.node.start_byte)
        - ours.parsed.text.rfind("\n", 0, ours.parsed.characters(ours.node.start_byte))
        - 1
    )
    length = line_length(ours.parsed.text)
    return lay_out(brackets[0], in_order, brackets[1], layout, comma=comma, before=column, length=length)


def _sorted_elements(
    elements: Sequence[tuple[tuple[Key, int], str]],
    sides: Sequence[Mapping[tuple[Key, int], Part]],
    least: int,
) -> list[str]:
    """The texts of ``elements``, sorted if both sides have theirs sorted."""
    names = {key: key[0].name for side in sides for key in side}
    ways = [lambda key, way=way: way(names[key]) for way in (by_kind, by_letters, by_codes)]
    order = sorted_alike([key for key, _ in elements], [list(side) for side in sides], ways, least)
    texts = dict(elements)
    return [text for _, text in elements] if order is None else [texts[key] for key in order]


def _inside(node: Node, part: Part) -> str:
    first, last = node.children[0], node.children[-1]
    return decode(part.parsed.data[first.end_byte : last.start_byte])

"""Unites three blocks of elements: which of them stay, in what order, with what between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tree_sitter import Node

from collab.syntax.freedom import IMPORTS, Key, key_of
from collab.syntax.parsing import Parsed
from collab.syntax.symbols import WORD
from collab.syntax.unite_contents import Inside, pick, unite_unit
from collab.syntax.unite_layout import by_codes, by_kind, by_letters, sorted_alike
from collab.syntax.unite_order import Doubts, merged_order
from collab.syntax.unite_units import Block, Unit, alike

Units = Mapping[tuple[Key, int], Unit]
_FREE: Final = frozenset({"import", "entry", "pair"})
_ELEMENTS: Final = Doubts[tuple[Key, int]](
    fixed=lambda key: not key[0].free,
    kind=lambda key: key[0].kind,
    replaced=lambda key: True,
)
RUN: Final = 3
"""Elements that one side changed every one of, from which on what it did to them may hold for new ones too."""
MAX_UNITS: Final = 2_000
"""Elements of one side from which on a region is left to the people."""


def comparable(base: Block, ours: Block, theirs: Block) -> bool:
    """Whether the three are of one kind of container."""
    return len({block.container.type for block in (base, ours, theirs) if block.container is not None}) == 1


def unite_blocks(base: Block, ours: Block, theirs: Block, inside: Inside | None) -> str | None:
    """The text of the region, or None when people must decide. The three are :func:`comparable`."""
    if max(len(block.units) for block in (base, ours, theirs)) > MAX_UNITS:
        return None
    was, one, other = ({unit.key: unit for unit in block.units} for block in (base, ours, theirs))
    if _cut_and_changed(was, one, other) or _said_twice(was, one, other):
        return None
    if _went_over(was, one, other) or _bound_twice(was, one, other):
        return None
    order = merged_order(list(was), list(one), list(other), _ELEMENTS)
    if order is None:
        return None
    if _untold(was, one, other, ours, theirs):
        return None
    order = _sorted(order, ours, theirs) or order
    texts: dict[tuple[Key, int], str] = {}
    for key in order:
        text = _content(was.get(key), one.get(key), other.get(key), inside)
        if text is None:
            return None
        if text:
            texts[key] = text
    order = [key for key in order if key in texts]
    if any(block.commas for block in (ours, theirs, base)):
        _set_commas(order, texts, base, ours, theirs)
    return _joined(order, texts, (base, ours, theirs))


def _cut_and_changed(base: Units, ours: Units, theirs: Units) -> bool:
    """Whether one side took an element away that the other side changed."""
    return any(
        key in base and key not in side and _core(unit) != _core(base[key])
        for side, other in ((ours, theirs), (theirs, ours))
        for key, unit in other.items()
    )


def _said_twice(base: Units, ours: Units, theirs: Units) -> bool:
    """Whether both sides added elements so much alike that they may mean the same."""
    mine = [unit for key, unit in ours.items() if key not in base and key not in theirs and not unit.is_import]
    yours = [unit for key, unit in theirs.items() if key not in base and key not in ours and not unit.is_import]
    return any(alike(one, other) for one in mine for other in yours)


def _went_over(base: Units, ours: Units, theirs: Units) -> bool:
    """Whether one side changed all of several elements, to which the other side added some."""
    if len(base) < RUN or all(unit.is_import for unit in base.values()):
        return False
    return any(
        not any(key in side and _core(side[key]) == _core(unit) for key, unit in base.items())
        and any(key not in base for key in other)
        for side, other in ((ours, theirs), (theirs, ours))
    )


def _bound_twice(base: Units, ours: Units, theirs: Units) -> bool:
    """Whether both sides import one name, each from another place."""
    mine, yours = (
        {name: key for key, unit in side.items() if unit.is_import and key not in base for name in _bound(unit)}
        for side in (ours, theirs)
    )
    return any(mine[name] != yours[name] for name in mine.keys() & yours.keys())


def _bound(unit: Unit) -> set[str]:
    """The names that an import makes known: what is between the word and its end, the last of each ``a as b``."""
    if unit.node.type not in ("import_statement", "import_from_statement"):
        return set()
    names = unit.node.children_by_field_name("name")
    found = {unit.parsed.source(node.child_by_field_name("alias") or node) for node in names}
    for node in unit.node.named_children:
        if node.type == "import_clause":
            found |= {word for word in WORD.findall(unit.parsed.source(node)) if word not in ("type", "as")}
    return found


def _core(unit: Unit) -> str:
    """The lines of an element without the comma after it."""
    return (
        unit.text.rstrip()
        if unit.comma is None
        else (unit.text[: unit.comma] + unit.text[unit.comma + 1 :]).rstrip()
    )


def _content(base: Unit | None, ours: Unit | None, theirs: Unit | None, inside: Inside | None) -> str | None:
    if ours is None or theirs is None:
        only = ours or theirs
        return None if only is None else only.text
    if _core(ours) == _core(theirs) or (base is not None and _core(base) == _core(theirs)):
        return ours.text
    if base is not None and _core(base) == _core(ours):
        return theirs.text
    return unite_unit(base, ours, theirs, inside)


def _sorted(order: Sequence[tuple[Key, int]], ours: Block, theirs: Block) -> list[tuple[Key, int]] | None:
    """``order`` sorted as both sides keep their imports or entries; None when they do not."""
    units = [*ours.units, *theirs.units]
    imports = all(unit.is_import for unit in units)
    if any(unit.gap for block in (ours, theirs) for unit in block.units[1:]):
        return None
    if not imports and not all(unit.key[0].kind in ("entry", "pair") for unit in units):
        return None
    nodes = {unit.key: _sort_name(unit.parsed, unit.node, unit.key[0]) for unit in units}
    ways: list[Callable[[tuple[bool, str]], object]] = (
        [
            lambda name: (name[0], name[1].startswith("."), name[1].casefold()),
            lambda name: (name[1].startswith("."), name[1].casefold(), name[0]),
            lambda name: (name[0], name[1]),
        ]
        if imports
        else [lambda name: by_codes(name[1]), lambda name: by_letters(name[1]), lambda name: by_kind(name[1])]
    )
    sides = [_with_neighbours(block, imports=imports) for block in (ours, theirs)]
    names = sorted_alike([nodes[key] for key in order], sides, ways, 2 if imports else 3)
    if names is None:
        return None
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return sorted(order, key=lambda key: places[nodes[key]])


def _untold(base: Units, ours: Units, theirs: Units, *blocks: Block) -> bool:
    """Whether both sides added imports where too few stand to tell in what order."""
    added = [[unit for key, unit in side.items() if key not in base] for side in (ours, theirs)]
    if not all(added) or not all(unit.is_import for side in added for unit in side):
        return False
    return any(len(_with_neighbours(block, imports=True)) < 2 for block in blocks)


def _sort_name(parsed: Parsed, node: Node, key: Key) -> tuple[bool, str]:
    """Whether an import is one of names from a module, and the module; for another element False and its name."""
    if node.type in IMPORTS:
        module = node.child_by_field_name("module_name") or node.child_by_field_name("source")
        module = module or node.child_by_field_name("name")
        return node.type == "import_from_statement", key.name if module is None else parsed.source(module)
    return False, key.name.strip("\"'")


def _with_neighbours(block: Block, *, imports: bool) -> list[tuple[bool, str]]:
    """What a side's elements are sorted by, those around the region included (imports: up to a blank line)."""
    if not block.units or block.container is None:
        return []
    parsed = block.units[0].parsed
    named = [child for child in block.container.named_children if "comment" not in child.type]
    first = next(place for place, child in enumerate(named) if child.id == block.units[0].node.id)
    last = first + len(block.units) - 1
    if imports:
        while first > 0 and _follows(parsed, named[first - 1], named[first]):
            first -= 1
        while last < len(named) - 1 and _follows(parsed, named[last], named[last + 1]):
            last += 1
        named = named[first : last + 1]
    container = block.container.type
    return [
        _sort_name(parsed, child, key_of(parsed, container, child))
        for child in named
        if child.type not in ("dotted_name", "relative_import")
        or child != block.container.child_by_field_name("module_name")
    ]


def _follows(parsed: Parsed, one: Node, other: Node) -> bool:
    between = parsed.data[one.end_byte : other.start_byte]
    return one.type in IMPORTS and other.type in IMPORTS and between.count(b"\n") == 1


def _set_commas(
    order: Sequence[tuple[Key, int]], texts: dict[tuple[Key, int], str], base: Block, ours: Block, theirs: Block
) -> None:
    """Puts commas after all elements but the last, and after that one as the sides have it."""
    units = {unit.key: unit for block in (base, theirs, ours) for unit in block.units}
    ends = [
        bool(block.units and block.units[-1].comma is not None) if block.units else None
        for block in (base, ours, theirs)
    ]
    was, one, other = ends
    if one is None or other is None:
        last = bool(one if other is None else other)
    else:
        last = one if one != was else other
    if not (ours.closes or theirs.closes):
        last = True
    for place, key in enumerate(order):
        unit, text = units[key], texts[key]
        wanted = last if place == len(order) - 1 else True
        if wanted == (_comma_at(unit, text) is not None):
            continue
        at = _comma_at(unit, text)
        if at is not None:
            texts[key] = text[:at] + text[at + 1 :]
        else:
            end = unit.end if text == unit.text else len(text.rstrip())
            texts[key] = text[:end] + "," + text[end:]


def _comma_at(unit: Unit, text: str) -> int | None:
    if text == unit.text:
        return unit.comma
    bare = text.rstrip()
    return len(bare) - 1 if bare.endswith(",") else None


def _joined(
    order: Sequence[tuple[Key, int]], texts: Mapping[tuple[Key, int], str], blocks: tuple[Block, Block, Block]
) -> str | None:
    """The elements with the blank lines that the sides have between them."""
    gaps = [_gaps(block) for block in blocks]
    if not order:
        return (
            min((block.trailing for block in blocks[1:]), key=len) if not any(b.units for b in blocks[1:]) else ""
        )
    text = ""
    for before, after in zip([None, *order], [*order, None], strict=True):
        gap = _gap(before, after, gaps)
        if text and not text.endswith("\n") and after is not None:
            text += "\n"
        text += gap + (texts[after] if after is not None else "")
    return text


Gaps = dict[tuple[tuple[Key, int] | None, tuple[Key, int] | None], str]


def _gaps(block: Block) -> Gaps:
    keys: list[tuple[Key, int] | None] = [None, *(unit.key for unit in block.units), None]
    blanks = [*(unit.gap for unit in block.units), block.trailing]
    return {(keys[place], keys[place + 1]): blank for place, blank in enumerate(blanks)}


def _gap(before: tuple[Key, int] | None, after: tuple[Key, int] | None, gaps: Sequence[Gaps]) -> str:
    """The blank lines between two elements: as the sides have it, or the more of what each has on its side."""
    was, one, other = (side.get((before, after)) for side in gaps)
    if one is not None and other is not None:
        chosen = pick(was, one, other)
        return max(one, other, key=len) if chosen is None else chosen
    ends = [next((blank for pair, blank in side.items() if pair[before is not None] is None), "") for side in gaps]
    if after is None and len(gaps[0]) == 1:
        return max(ends[1:], key=len)
    found = one if one is not None else other
    if found is not None:
        return found
    if before is None or after is None:
        return (pick(*ends) or "") if len(gaps[0]) > 1 else ends[1]
    if before[0].kind == after[0].kind and after[0].kind in _FREE:
        return ""
    own = [blank for side in gaps[1:] for pair, blank in side.items() if _touches(pair, before, after)]
    return max(own, key=len, default="")


def _touches(
    pair: tuple[tuple[Key, int] | None, tuple[Key, int] | None],
    before: tuple[Key, int] | None,
    after: tuple[Key, int] | None,
) -> bool:
    """Whether a gap of one side ends the region after ``before``, begins it before ``after``, or parts either."""
    return (before is not None and pair[0] == before) or (after is not None and pair[1] == after)

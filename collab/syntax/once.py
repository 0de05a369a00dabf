"""Takes out of one side's new text what the other side has added as well: the same imports and definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from collab.syntax.freedom import IMPORTS
from collab.syntax.parsing import Parsed, Parsing, decode
from collab.syntax.symbols import WORD, digest, symbols
from collab.syntax.unite_imports import imported, without
from collab.syntax.unite_units import Part

_AROUND = frozenset({"decorated_definition", "export_statement", "expression_statement", "lexical_declaration"})


@dataclass(frozen=True)
class Gains:
    """What one text has more than another: imports and definitions."""

    imports: frozenset[tuple[str, str]]
    """What each is from, and the name; a statement that cannot be taken apart is a name from nowhere."""
    definitions: Mapping[tuple[str, bytes], tuple[str, ...]]
    """Qualified name and digest, and the words of the whole with its decorators."""

    def concern(self, text: str) -> bool:
        """Whether any of it may be in ``text``."""
        if not self._names:
            return False
        words = set(WORD.findall(text))
        return any(words.issuperset(name) for name in self._names)

    @cached_property
    def _names(self) -> list[list[str]]:
        """The words that each of them is called by."""
        names = [name for _, name in self.imports] + [name for name, _ in self.definitions]
        return [WORD.findall(name.rpartition(".")[2]) for name in names]


def gains(parsing: Parsing, base: Parsed, live: Parsed) -> Gains:
    """What ``live`` has more than ``base``."""
    known = {one.qualified for one in symbols(parsing, base)}
    definitions: dict[tuple[str, bytes], tuple[str, ...]] = {}
    for one in symbols(parsing, live):
        if one.qualified not in known:
            node = _around(live, live.offset(one.start), live.offset(one.end))
            if node is not None:
                definitions[one.qualified, digest(live.text, one)] = tuple(live.source(node).split())
    return Gains(frozenset(_imported(live) - _imported(base)), definitions)


def once(parsing: Parsing, gained: Gains, theirs: Parsed, start: int, end: int) -> str:
    """The code points ``start:end`` of ``theirs`` without what the other side has ``gained`` as well.

    Only whole lines are taken out; white space does not count in the comparison.
    """
    first, last = theirs.offset(start), theirs.offset(end)
    cuts = {**_imports(gained, theirs, first, last), **_definitions(parsing, gained, theirs, first, last)}
    text, at = "", first
    for (begin, stop), instead in sorted(cuts.items()):
        if begin < at:
            continue
        text += decode(theirs.data[at:begin]) + instead
        at = stop
        if not instead and (not text.strip() or text.endswith("\n\n")):
            while theirs.data[at : at + 1] == b"\n" and at < last:
                at += 1
    text += decode(theirs.data[at:last])
    return "" if cuts and not text.strip() else text


Cuts = dict[tuple[int, int], str]


def _imports(gained: Gains, theirs: Parsed, first: int, last: int) -> Cuts:
    found: Cuts = {}
    for part in _statements(theirs) if gained.imports else ():
        lines = _lines(theirs, part.node, first, last)
        names = _names(part)
        if lines is None or not names & gained.imports:
            continue
        if names <= gained.imports:
            found[lines] = ""
        elif part.node.type == "import_from_statement":
            left = without(part, frozenset(name for _, name in names & gained.imports))
            if left:
                found[part.node.start_byte, part.node.end_byte] = left
    return found


def _imported(parsed: Parsed) -> set[tuple[str, str]]:
    return {pair for part in _statements(parsed) for pair in _names(part)}


def _names(part: Part) -> set[tuple[str, str]]:
    """What an import brings, each with where it is from; a statement that cannot be taken apart is one thing."""
    if part.node.type == "import_from_statement":
        read = imported(part)
        if read is not None:
            return {(read[0], name) for name in read[1]}
    return {("", " ".join(part.text.split()))}


def _statements(parsed: Parsed) -> Iterator[Part]:
    """The imports at the top of a text, those in a bracketed list of imports one by one."""
    for node in parsed.root.named_children:
        if node.type in IMPORTS:
            inner = [child for child in node.named_children if child.type == "import_spec_list"]
            for one in inner[0].named_children if inner else [node]:
                if one.type in IMPORTS:
                    yield Part(parsed, one)


def _definitions(parsing: Parsing, gained: Gains, theirs: Parsed, first: int, last: int) -> Cuts:
    found: Cuts = {}
    names = {name for name, _ in gained.definitions}
    for one in symbols(parsing, theirs) if names else ():
        if one.qualified not in names:
            continue
        twin = gained.definitions.get((one.qualified, digest(theirs.text, one)))
        node = _around(theirs, theirs.offset(one.start), theirs.offset(one.end))
        if twin is None or node is None or twin != tuple(theirs.source(node).split()):
            continue
        lines = _lines(theirs, node, first, last)
        if lines is not None:
            found[lines] = ""
    return found


def _around(parsed: Parsed, start: int, end: int) -> Node | None:
    """The definition at ``start:end`` with its decorators."""
    node = parsed.root.descendant_for_byte_range(start, end)
    while node is not None and node.parent is not None and node.parent.type in _AROUND:
        node = node.parent
    return node


def _lines(parsed: Parsed, node: Node, first: int, last: int) -> tuple[int, int] | None:
    """The lines of ``node``; None when they are not all inside, or hold something else."""
    begin = parsed.data.rfind(b"\n", 0, node.start_byte) + 1
    stop = parsed.data.find(b"\n", node.end_byte) + 1 or len(parsed.data)
    if node.end_byte > node.start_byte and parsed.data[node.end_byte - 1 : node.end_byte] == b"\n":
        stop = node.end_byte
    alone = not (parsed.data[begin : node.start_byte] + parsed.data[node.end_byte : stop]).strip(b" \t\r\n;,")
    return (begin, stop) if alone and first <= begin and stop <= last else None

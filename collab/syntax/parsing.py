"""Parses texts with tree-sitter, keeps the last few trees, and converts between bytes and code points.

tree-sitter works on UTF-8 bytes. A text that is too large, or that a grammar takes too long over, has no tree: the
caller treats it as one of an unknown language. How long is counted in the parser's own steps and never in seconds,
so that every node decides alike.
"""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser, Point, Query, QueryCursor, Tree

from collab.syntax.languages import Language
from collab.syntax.symbol import Symbol

MAX_CHARACTERS: Final = 1_000_000
"""A longer text is not parsed."""
KEPT_CHARACTERS: Final = 3_000_000
"""Trees of so much text, and of KEPT_TREES texts at most, are kept for the next question about the same text."""
KEPT_TREES: Final = 40
SLICE: Final = 48_000
"""Bytes that one slice of :meth:`Parsing.slices` parses; a few milliseconds' work."""
_STEPS: Final = 150
_BYTES_A_STEP: Final = 40
"""A parser may take so many steps (of about a hundred operations) and one more for so many bytes. Usual texts take
less than half; some broken ones of a few hundred bytes would take thousands."""
_CHUNK: Final = 65_536
_STRIDE: Final = 4_096
_CONTINUATION: Final = bytes(range(0x80, 0xC0))


@dataclass(slots=True)
class Parsed:
    """A text with its tree. ``characters`` and ``offset`` convert offsets; both take offsets inside the text."""

    text: str
    data: bytes
    tree: Tree
    language: Language
    symbols: tuple[Symbol, ...] | None = None
    """What it defines, once somebody asked."""
    _starts: list[int] = field(default_factory=list)

    @property
    def root(self) -> Node:
        """The tree's root node."""
        return self.tree.root_node

    def characters(self, offset: int) -> int:
        """The code point at the UTF-8 ``offset``."""
        if len(self.data) == len(self.text):
            return offset
        if not self._starts:
            total = 0
            for start in range(0, len(self.data) + 1, _STRIDE):
                self._starts.append(total)
                total += _count(self.data[start : start + _STRIDE])
        page = offset // _STRIDE
        return self._starts[page] + _count(self.data[page * _STRIDE : offset])

    def offset(self, character: int) -> int:
        """The UTF-8 offset of the code point ``character``."""
        if len(self.data) == len(self.text):
            return character
        return len(encode(self.text[:character]))

    def source(self, node: Node) -> str:
        """The text of ``node``."""
        return decode(self.data[node.start_byte : node.end_byte])


def encode(text: str) -> bytes:
    """``text`` in UTF-8; an unpaired surrogate, which UTF-8 cannot hold, takes three bytes all the same."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The inverse of :func:`encode`; ``data`` cut inside a character loses that character."""
    return data.decode("utf-8", "surrogatepass" if _whole(data) else "ignore")


class Parsing:
    """Grammars, queries and recent trees of one process; for one thread at a time.

    A grammar is loaded when its first text is parsed.
    """

    def __init__(self) -> None:
        self._grammars: dict[str, Grammar] = {}
        self._queries: dict[tuple[str, str], Query] = {}
        self._trees: OrderedDict[tuple[str, str], Parsed | None] = OrderedDict()
        self._kept = 0

    def parse(self, language: Language, text: str) -> Parsed | None:
        """The tree of ``text``; None when it is too large or takes too many steps."""
        for _ in self.slices(language, text, len(text) * 4):
            pass
        return self._trees.get((language.name, text))

    def slices(self, language: Language, text: str, size: int = SLICE) -> Iterator[None]:
        """Parse ``text`` in slices of about ``size`` bytes, yielding between them; :meth:`parse` has it then."""
        key = (language.name, text)
        if len(text) > MAX_CHARACTERS:
            return
        if key in self._trees:
            self._trees.move_to_end(key)
            return
        data = encode(text)
        tree = yield from self._run(language, data, None, size)
        self._keep(key, None if tree is None else Parsed(text, data, tree, language))

    def like(self, olds: Sequence[Parsed], text: str) -> Parsed | None:
        """The tree of ``text``, which is mostly as one of ``olds``: from that one's tree, with one edit."""
        if len(text) > MAX_CHARACTERS:
            return None
        best: tuple[int, int, Parsed] | None = None
        for old in olds:
            start = _common(old.text, text)
            most = min(len(old.text), len(text)) - start
            end = _common(old.text[len(old.text) - most :][::-1], text[len(text) - most :][::-1])
            if best is None or start + end > best[0] + best[1]:
                best = start, end, old
        if best is None:
            return None
        start, end, old = best
        return self.edited(old, start, len(old.text) - end, text[start : len(text) - end])

    def edited(self, old: Parsed, start: int, end: int, replacement: str) -> Parsed | None:
        """The tree of ``old`` with the code points ``start:end`` replaced; mostly far cheaper than anew."""
        text = old.text[:start] + replacement + old.text[end:]
        if len(text) > MAX_CHARACTERS:
            return None
        kept = self._trees.get((old.language.name, text))
        if kept is not None:
            return kept
        first, last, new = old.offset(start), old.offset(end), encode(replacement)
        data = old.data[:first] + new + old.data[last:]
        tree = old.tree.copy()
        tree.edit(
            first,
            last,
            first + len(new),
            _point(old.data, first),
            _point(old.data, last),
            _point(data, first + len(new)),
        )
        steps = self._run(old.language, data, tree, len(data))
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return None if done.value is None else Parsed(text, data, done.value, old.language)

    def captures(self, parsed: Parsed, query: str) -> list[dict[str, list[Node]]]:
        """The matches of ``query`` in the whole text, in the order of the text."""
        key = (parsed.language.name, query)
        if key not in self._queries:
            self._queries[key] = Query(self._grammar(parsed.language), query)
        return [match for _, match in QueryCursor(self._queries[key]).matches(parsed.root)]

    def _grammar(self, language: Language) -> Grammar:
        if language.name not in self._grammars:
            module = importlib.import_module(language.module)
            self._grammars[language.name] = Grammar(getattr(module, language.factory)())
        return self._grammars[language.name]

    def _run(
        self, language: Language, data: bytes, old: Tree | None, size: int
    ) -> Generator[None, None, Tree | None]:
        parser = Parser(self._grammar(language))
        steps, limit, most = 0, size, _STEPS + len(data) // _BYTES_A_STEP

        def read(offset: int, _: Point) -> bytes:
            return data[offset : offset + _CHUNK]

        def enough(offset: int, _: bool) -> bool:
            nonlocal steps
            steps += 1
            return steps > most or offset > limit

        while steps <= most:
            try:
                if old is None:
                    return parser.parse(read, encoding="utf8", progress_callback=enough)
                return parser.parse(read, old, "utf8", enough)
            except ValueError:
                # What py-tree-sitter raises when the callback stops it; the same call goes on from there.
                limit += size
                yield
        return None

    def _keep(self, key: tuple[str, str], parsed: Parsed | None) -> None:
        self._trees[key] = parsed
        self._kept += len(key[1])
        while len(self._trees) > 1 and (len(self._trees) > KEPT_TREES or self._kept > KEPT_CHARACTERS):
            (_, text), _ = self._trees.popitem(last=False)
            self._kept -= len(text)


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their start."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _count(data: bytes) -> int:
    return len(data.translate(None, _CONTINUATION))


def _whole(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _point(data: bytes, offset: int) -> tuple[int, int]:
    row = data.count(b"\n", 0, offset)
    return row, offset - (data.rfind(b"\n", 0, offset) + 1)

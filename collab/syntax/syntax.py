"""What merging and conflict detection ask about the syntax of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

from tree_sitter import Node

from collab.syntax import strictness
from collab.syntax.changes import Comparison, SymbolChanges, compare
from collab.syntax.excerpts import FREE_STANDING, LARGE, Common, Excerpt, differing, rewritten
from collab.syntax.languages import language_of
from collab.syntax.once import Gains, gains, once
from collab.syntax.parsing import Parsed, Parsing
from collab.syntax.symbol import Symbol
from collab.syntax.symbols import dedented, names_used, symbols, symbols_in_steps
from collab.syntax.unite import Spans, unite

_T = TypeVar("_T")
_Pair = tuple[str | None, str, str]
_KEPT_PAIRS: Final = 4
_NEAR: Final = 40


class Trouble(NamedTuple):
    """A place that cannot be read: its line, from 1, what stands there, or what is missing there."""

    line: int
    near: str
    missing: str


class Found(NamedTuple):
    """What a query captured: the text, its line, from 1, and the kinds of the nodes around it, nearest first."""

    text: str
    line: int
    around: tuple[str, ...]


class Syntax:
    """Parsers of all known languages, with the trees of the last few texts.

    One for a process, passed to whoever needs it; for one thread at a time. Files are told apart by their names.
    Nothing here raises, whatever the text: one longer than :data:`collab.syntax.parsing.MAX_CHARACTERS`, or one
    that its grammar takes too many steps over, counts as one of an unknown language. Offsets are code points. The
    same texts give the same answers everywhere.
    """

    def __init__(self, large: int = LARGE) -> None:
        """From ``large`` code points on, only the paragraphs are parsed that matter, where the language allows."""
        self._large = large
        self._parsing = Parsing()
        self._compared: dict[_Pair, Comparison] = {}
        self._gains: dict[_Pair, Gains] = {}
        self._excerpts: dict[_Pair, tuple[Excerpt, Excerpt] | None] = {}
        self._common: tuple[tuple[str, str, str], Common] | None = None

    def language(self, path: str) -> str | None:
        """The name of the language of the file ``path``, such as ``python``; None when it is not known."""
        found = language_of(path)
        return None if found is None else found.name

    def warm(self, path: str, text: str) -> Iterator[None]:
        """Parse ``text`` and find its symbols in slices of a few milliseconds, yielding between them.

        A caller that must not block for long runs through it before it asks about a long text.
        """
        found = language_of(path)
        if found is not None:
            yield from self._parsing.slices(found, text)
            parsed = self._parsing.parse(found, text)
            if parsed is not None:
                yield from symbols_in_steps(self._parsing, parsed)

    def errors(self, path: str, text: str) -> int | None:
        """How many places of ``text`` its grammar cannot read; None for an unknown language."""
        parsed = self._parse(path, text)
        return None if parsed is None else _errors(parsed)

    def trouble(self, path: str, text: str) -> Trouble | None:
        """The first place of ``text`` that its grammar cannot read; None if there is none, or it is not known."""
        parsed = self._parse(path, text)
        if parsed is None or not parsed.root.has_error:
            return None
        node = parsed.root
        while not (node.is_error or node.is_missing):
            inside = next((child for child in node.children if child.has_error or child.is_missing), None)
            if inside is None:
                break
            node = inside
        near = " ".join(parsed.source(node).split())[:_NEAR]
        return Trouble(node.start_point.row + 1, near, node.type if node.is_missing else "")

    def matches(self, path: str, text: str, query: str) -> list[dict[str, list[Found]]]:
        """The matches of a tree-sitter query, in the order of the text; none for an unknown language."""
        parsed = self._parse(path, text)
        if parsed is None:
            return []
        return [
            {name: [_found(parsed, node) for node in nodes] for name, nodes in match.items()}
            for match in self._parsing.captures(parsed, query)
        ]

    def breaks(self, path: str, before: Sequence[str], after: str) -> bool:
        """Whether all of ``before`` parse without error and ``after`` does not; False for an unknown language."""
        parsed = [self._parse(path, text) for text in before]
        olds = [old for old in parsed if old is not None]
        if len(olds) < len(before) or any(map(_errors, olds)):
            return False
        result = self._parsing.like(olds, after) if olds else self._parse(path, after)
        return result is not None and (_errors(result) > 0 or strictness.breaks(olds, result))

    def symbols(self, path: str, text: str) -> tuple[Symbol, ...]:
        """The definitions of ``text`` in the order in which they begin; none for an unknown language."""
        parsed = self._parse(path, text)
        return () if parsed is None else symbols(self._parsing, parsed)

    def changes(self, path: str, base: str, live: str) -> SymbolChanges:
        """What became of the definitions of ``base`` in ``live``."""
        return self.compared(path, base, live).changes

    def compared(self, path: str, base: str, live: str) -> Comparison:
        """What became of the definitions of ``base`` in ``live``, and where those that matter are."""
        key = self.language(path), base, live
        if key not in self._compared:
            _make_room(self._compared)
            excerpts = self._differing(path, base, live)
            if excerpts is None:
                self._compared[key] = self._compare(path, base, live)
            else:
                was, now = excerpts
                found = self._compare(path, was.text, now.text)
                self._compared[key] = replace(found, symbols=tuple(_moved(one, was) for one in found.symbols))
        return self._compared[key]

    def _compare(self, path: str, base: str, live: str) -> Comparison:
        was = self.symbols(path, base)
        changes = compare(was, self.symbols(path, live), base, live)
        return Comparison(changes, was, (self.errors(path, live) or 0) > (self.errors(path, base) or 0))

    def defined(self, path: str, base: str, live: str, names: frozenset[str]) -> frozenset[str]:
        """Which of ``names`` are those of definitions in ``live``, which was ``base`` before."""
        excerpts = self._differing(path, base, live)
        if excerpts is not None:
            found = frozenset(one.name for one in self.symbols(path, excerpts[1].text))
            if not any(name in live for name in names - found):
                return names & found
        return names & frozenset(one.name for one in self.symbols(path, live))

    def names_used(self, path: str, text: str) -> frozenset[str]:
        """The identifiers that ``text`` uses and not only defines; it may be a fragment, with its indentation."""
        parsed = self._parse(path, dedented(text))
        return frozenset() if parsed is None else names_used(self._parsing, parsed)

    def once(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """``replacement`` for ``base[start:end]``, without what ``live`` has gained since ``base`` as well.

        That is the same import or the same definition, word for word, wherever it stands in ``live``. The text
        comes back as it is for an unknown language.
        """
        excerpts = self._differing(path, base, live)
        if excerpts is not None:
            # What is in the excerpt and was not in the other one may still be elsewhere, but nothing else is new.
            some = self._gained(path, excerpts[0].text, excerpts[1].text)
            if some is not None and not some.concern(replacement):
                return replacement
        gained, was = self._gained(path, base, live), self._parse(path, base)
        if gained is None or was is None or not gained.concern(replacement):
            return replacement
        theirs = self._parsing.edited(was, start, end, replacement)
        if theirs is None:
            return replacement
        return once(self._parsing, gained, theirs, start, start + len(replacement))

    def _gained(self, path: str, base: str, live: str) -> Gains | None:
        key = self.language(path), base, live
        if key not in self._gains:
            was, now = self._parse(path, base), self._parse(path, live)
            if was is None or now is None:
                return None
            _make_room(self._gains)
            self._gains[key] = gains(self._parsing, was, now)
        return self._gains[key]

    def unite(
        self,
        path: str,
        base: str,
        ours: str,
        theirs: str,
        spans: Spans,
        inside: Callable[[str, str, str], str | None] | None = None,
    ) -> str | None:
        """The text of one conflicting region in which, by the language's syntax, order does not matter.

        ``spans`` say where the region lies in the whole texts ``base``, ``ours`` and ``theirs``: three (start,
        end) in code points. ``inside`` merges base, ours and theirs of one element that both sides changed (by
        words, for instance) or returns None; without it such an element is left to the people.

        Returns what stands in the region afterwards, or None when people must decide. It misses no word that only
        one side added, and keeps nothing that only one side removed.
        """
        whole = base, ours, theirs
        texts = whole
        if self._cuts(path, *whole):
            if self._common is None or self._common[0] != whole:
                self._common = whole, Common(whole)
            cut = self._common[1].around(spans)
            if cut is not None and self.errors(path, cut[0][0]) == 0:
                texts, spans = cut
        parsed = [self._parse(path, text) for text in texts]
        if any(one is None for one in parsed):
            return None
        return unite(self._parsing, [one for one in parsed if one is not None], spans, inside, whole)

    def stands(self, path: str, base: str, ours: str, theirs: str, taken: Sequence[tuple[Spans, str]]) -> bool:
        """Whether it is certain, without reading all of a large text, that a merge breaks nothing.

        ``taken`` are the regions where something of theirs comes into ours: base, ours, theirs, and the text that
        stands there then. Of a text that is not large nothing is certain: see :meth:`breaks`.
        """
        if not self._cuts(path, ours):
            return False
        now = self._parse(path, rewritten(ours, [(*spans[1], text) for spans, text in taken]))
        other = self._parse(path, rewritten(theirs, [(*spans[2], theirs[slice(*spans[2])]) for spans, _ in taken]))
        if now is None or other is None:
            return False
        if _errors(other):
            # Nothing breaks what did not parse before.
            return not self.errors(
                path, rewritten(base, [(*spans[0], base[slice(*spans[0])]) for spans, _ in taken])
            )
        return not _errors(now) and not strictness.breaks([other], now)

    def _cuts(self, path: str, *texts: str) -> bool:
        """Whether paragraphs of the texts may stand for the whole."""
        return max(map(len, texts)) >= self._large and self.language(path) in FREE_STANDING

    def _differing(self, path: str, base: str, live: str) -> tuple[Excerpt, Excerpt] | None:
        """What of two large texts must be looked at; None where that is all of both."""
        if not self._cuts(path, base, live):
            return None
        key = self.language(path), base, live
        if key not in self._excerpts:
            _make_room(self._excerpts)
            found = differing(base, live)
            self._excerpts[key] = found if found is not None and self.errors(path, found[0].text) == 0 else None
        return self._excerpts[key]

    def _parse(self, path: str, text: str) -> Parsed | None:
        found = language_of(path)
        return None if found is None else self._parsing.parse(found, text)


def _found(parsed: Parsed, node: Node) -> Found:
    around = []
    parent = node.parent
    while parent is not None:
        around.append(parent.type)
        parent = parent.parent
    return Found(parsed.source(node), node.start_point.row + 1, tuple(around))


def _moved(symbol: Symbol, excerpt: Excerpt) -> Symbol:
    """A symbol of an excerpt, where it is in the whole text."""
    shift = excerpt.place(symbol.start) - symbol.start
    return symbol._replace(
        start=symbol.start + shift,
        end=symbol.end + shift,
        name_start=symbol.name_start + shift,
        name_end=symbol.name_end + shift,
    )


def _make_room(kept: dict[_Pair, _T]) -> None:
    while len(kept) >= _KEPT_PAIRS:
        kept.pop(next(iter(kept)))


def _errors(parsed: Parsed) -> int:
    if not parsed.root.has_error:
        return 0
    count = 0
    waiting: list[Node] = [parsed.root]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            count += 1
        waiting += [child for child in node.children if child.has_error or child.is_missing]
    return max(count, 1)

"""What merging and conflict detection ask about the syntax of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from tree_sitter import Node

from collab.syntax import strictness
from collab.syntax.changes import SymbolChanges, compare
from collab.syntax.languages import language_of
from collab.syntax.once import Gains, gains, once
from collab.syntax.parsing import Parsed, Parsing
from collab.syntax.symbol import Symbol
from collab.syntax.symbols import dedented, names_used, symbols, symbols_in_steps
from collab.syntax.unite import Spans, unite

_T = TypeVar("_T")
_Pair = tuple[str | None, str, str]
_KEPT_PAIRS: Final = 4


class Syntax:
    """Parsers of all known languages, with the trees of the last few texts.

    One for a process, passed to whoever needs it; for one thread at a time. Files are told apart by their names.
    Nothing here raises, whatever the text: one longer than :data:`collab.syntax.parsing.MAX_CHARACTERS`, or one
    that its grammar takes too many steps over, counts as one of an unknown language. Offsets are code points. The
    same texts give the same answers everywhere.
    """

    def __init__(self) -> None:
        self._parsing = Parsing()
        self._changes: dict[_Pair, SymbolChanges] = {}
        self._gains: dict[_Pair, Gains] = {}

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
        key = self.language(path), base, live
        if key not in self._changes:
            _make_room(self._changes)
            self._changes[key] = compare(self.symbols(path, base), self.symbols(path, live), base, live)
        return self._changes[key]

    def names_used(self, path: str, text: str) -> frozenset[str]:
        """The identifiers that ``text`` uses and not only defines; it may be a fragment, with its indentation."""
        parsed = self._parse(path, dedented(text))
        return frozenset() if parsed is None else names_used(self._parsing, parsed)

    def once(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """``replacement`` for ``base[start:end]``, without what ``live`` has gained since ``base`` as well.

        That is the same import or the same definition, word for word, wherever it stands in ``live``. The text
        comes back as it is for an unknown language.
        """
        was, now = self._parse(path, base), self._parse(path, live)
        if was is None or now is None:
            return replacement
        key = self.language(path), base, live
        if key not in self._gains:
            _make_room(self._gains)
            self._gains[key] = gains(self._parsing, was, now)
        if not self._gains[key].concern(replacement):
            return replacement
        theirs = self._parsing.edited(was, start, end, replacement)
        if theirs is None:
            return replacement
        return once(self._parsing, self._gains[key], theirs, start, start + len(replacement))

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
        parsed = [self._parse(path, text) for text in (base, ours, theirs)]
        if any(one is None for one in parsed):
            return None
        return unite(self._parsing, [one for one in parsed if one is not None], spans, inside)

    def _parse(self, path: str, text: str) -> Parsed | None:
        found = language_of(path)
        return None if found is None else self._parsing.parse(found, text)


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

"""What became of the symbols that a change needs, and what it adds that is there already."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from collab.syntax.changes import SymbolChanges
from collab.syntax.symbol import Symbol
from collab.syntax.syntax import Syntax

_CALLABLE: Final = frozenset({"function", "method", "class", "interface", "enum", "type", "module", "macro"})
_WORD: Final = re.compile(r"\w+")
_BODIES: Final = frozenset({"function", "method"})


def lost_symbols(
    syntax: Syntax, path: str, base: str, live: str, start: int, end: int, replacement: str
) -> list[str]:
    """Why the change of ``base[start:end]`` to ``replacement`` does not fit ``live`` any more; empty when it does.

    One sentence for each symbol that the change is inside of or uses and that was renamed, moved or deleted
    between ``base`` and ``live``. Offsets are code points. A pure function; of unknown languages it knows nothing.
    """
    return Losses(syntax, path, base, live).of(start, end, replacement)


class Losses:
    """What became of the symbols of ``base`` in ``live``, worked out once for any number of changes."""

    def __init__(self, syntax: Syntax, path: str, base: str, live: str) -> None:
        self.texts = path, base, live
        self._syntax = syntax
        self._changes = SymbolChanges()
        self._known: Sequence[Symbol] = ()
        self._starts: list[int] = []
        self._reach: list[int] = []
        """How far the symbols up to each one reach."""
        self._lost: dict[str, Symbol] = {}
        if base == live:
            return
        compared = syntax.compared(path, base, live)
        changes = _certain(compared.changes, live) if compared.worse else compared.changes
        self._changes = changes
        # What stands under a heading means the same under another one.
        self._known = [one for one in compared.symbols if one.kind != "section"]
        self._starts = [one.start for one in self._known]
        self._reach = list(accumulate((one.end for one in self._known), max))
        self._lost = {
            one.name: one for one in self._known if one.kind in _CALLABLE and _is_lost(one.qualified, changes)
        }

    def of(self, start: int, end: int, replacement: str) -> list[str]:
        """See ``lost_symbols``."""
        path, base, live = self.texts
        syntax, lost, changes = self._syntax, self._lost, self._changes
        sentences: list[str] = []
        touched = self._touched(start, end)
        inside = [one for one in _inside(touched) if not _takes_away(one, start, end, replacement)]
        for one in inside:
            fate = _fate(one.qualified, changes)
            if fate:
                sentences.append(f"It changes `{one.qualified}`, which was {fate} meanwhile.")
        # Texts without such a word need not be parsed.
        if not lost.keys().isdisjoint(_WORD.findall(replacement)):
            used = syntax.names_used(path, replacement) & lost.keys()
            used -= syntax.defined(path, base, live, used) if used else used
            for name in sorted(used - {one.name for one in syntax.symbols(path, replacement)}):
                if lost[name] not in inside:
                    fate = _fate(lost[name].qualified, changes)
                    sentences.append(f"It uses `{name}`, which was {fate} meanwhile.")
        return list(dict.fromkeys(sentences))

    def _touched(self, start: int, end: int) -> list[Symbol]:
        found: list[Symbol] = []
        at = bisect_left(self._starts, end)
        while at and self._reach[at - 1] > start:
            at -= 1
            if self._known[at].end > start:
                found.append(self._known[at])
        return found[::-1]


def merged_once(syntax: Syntax, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
    """``replacement`` for ``base[start:end]`` without the imports and definitions that ``live`` has gained too.

    What two people add word for word is kept once. The text comes back as it is when there is no such thing.
    Offsets are code points.
    """
    return replacement if base == live else syntax.once(path, base, live, start, end, replacement)


def _certain(changes: SymbolChanges, live: str) -> SymbolChanges:
    """What is certain of a text in which somebody is typing: what follows half a line is read as anything.

    Then only a symbol whose name is nowhere any more counts as renamed or deleted, and none as moved.
    """

    def gone(name: str) -> bool:
        return _word(name.rpartition(".")[2]).search(live) is None

    renamed = {name: other for name, other in changes.renamed.items() if gone(name)}
    return SymbolChanges(renamed=renamed, removed=frozenset(filter(gone, changes.removed)))


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _inside(touched: Sequence[Symbol]) -> Iterator[Symbol]:
    """Of the symbols that a change touches, in their order, the innermost ones and the functions around those."""
    for place, one in enumerate(touched):
        innermost = not any(one.start <= other.start and other.end <= one.end for other in touched[place + 1 :])
        if innermost or one.kind in _BODIES:
            yield one


def _takes_away(symbol: Symbol, start: int, end: int, replacement: str) -> bool:
    """Whether the change itself removes a symbol, which is then not missed."""
    if start > symbol.name_start or end < symbol.name_end:
        return False
    return _word(symbol.name).search(replacement) is None


def _is_lost(name: str, changes: SymbolChanges) -> bool:
    return name in changes.renamed or name in changes.removed


def _fate(name: str, changes: SymbolChanges) -> str:
    if name in changes.renamed:
        return f"renamed to `{changes.renamed[name]}`"
    if name in changes.moved:
        return f"moved to `{changes.moved[name]}`"
    if name in changes.removed:
        return "deleted"
    return "moved" if name in changes.reordered else ""

"""The map of a project: its most used files, and what each defines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from collab.syntax.symbol import Symbol
from generation.context.tokens import estimate

MOST_FILES: Final = 40
MOST_TOKENS: Final = 1_200
_MOST_NAMES: Final = 10
_TOLD: Final = frozenset({"function", "class", "interface", "enum", "type", "module", "macro", "method"})


def chosen(rank: Mapping[str, float]) -> list[str]:
    """The files that the map tells of, the highest ranked first."""
    return sorted(rank, key=lambda file: (-rank[file], file))[:MOST_FILES]


def line(path: str, symbols: Iterable[Symbol]) -> str:
    """One file: its path and the names that it defines at its top, with how many more there are."""
    names = list(dict.fromkeys(one.name for one in symbols if one.kind in _TOLD and not one.parent))
    if not names:
        return path
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{path}: {', '.join(names[:_MOST_NAMES])}{more}"


def worded(lines: Iterable[str]) -> str:
    """The map, by path, so that it stays as it is while nothing of it changes. ``lines`` come the most used
    first, and as many are taken as there is room for.
    """
    taken: list[str] = []
    left = MOST_TOKENS
    for one in lines:
        left -= estimate(one)
        if left < 0:
            break
        taken.append(one)
    return "\n".join(sorted(taken))

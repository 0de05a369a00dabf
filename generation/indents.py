"""How lines are indented: what a file does, and how text that is indented in another way is brought to that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Final

_UNITS: Final = (2, 3, 4, 8)
_SURE: Final = 0.95
"""So much of a file's indented lines must do the same."""


@dataclass(frozen=True, slots=True)
class Style:
    """``tabs``: lines are indented with tabs; else with spaces, ``unit`` of them for each level."""

    tabs: bool
    unit: int


def style_of(text: str) -> Style | None:
    """How a file's lines are indented; None if it has too few for that, or no one way."""
    widths: list[int] = []
    steps: Counter[int] = Counter()
    tabs = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        lead = indent(line)
        if lead.startswith("\t"):
            tabs += 1
            continue
        width = len(lead)
        if widths and width > widths[-1]:
            steps[width - widths[-1]] += 1
        widths.append(width)
    spaced = sum(width > 1 for width in widths)
    if tabs >= 2 and tabs >= _SURE * (tabs + spaced):
        return Style(True, 1)
    if spaced < 2 or spaced < _SURE * (tabs + spaced):
        return None
    known = [(count, -step) for step, count in steps.items() if step in _UNITS]
    return Style(False, -max(known)[1]) if known else None


def indent(line: str) -> str:
    """The spaces and tabs at the start of a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def mapped(pairs: Sequence[tuple[str, str]]) -> Callable[[str], str] | None:
    """How lines are to be indented that belong to the first of each pair, so that they fit to the second.

    The lines of a pair are the same but for white space. None if they do not show one way to do it.
    """
    known: dict[str, str] = {}
    for one, other in pairs:
        here, there = indent(one), indent(other)
        if known.setdefault(here, there) != there:
            return None
    if all(here == there for here, there in known.items()):
        return lambda line: line
    shifted = _shift(known)
    scaled = _scale(known)

    def change(line: str) -> str:
        lead = indent(line)
        if not line.strip():
            return line
        new = known.get(lead)
        if new is None and shifted is not None:
            new = shifted(lead)
        if new is None and scaled is not None:
            new = scaled(lead)
        if new is None:
            # Deeper than all that is known: what is more stays as it is.
            near = max((here for here in known if lead.startswith(here)), key=len, default=None)
            new = lead if near is None else known[near] + lead[len(near) :]
        return new + line[len(lead) :]

    return change


def _shift(known: dict[str, str]) -> Callable[[str], str | None] | None:
    """The same put before, or taken from, every line."""
    here, there = next(iter(known.items()))
    if len(there) >= len(here):
        more = there[: len(there) - len(here)]
        return (lambda lead: more + lead) if all(more + a == b for a, b in known.items()) else None
    less = here[: len(here) - len(there)]
    if not all(a == less + b for a, b in known.items()):
        return None
    return lambda lead: lead.removeprefix(less) if lead.startswith(less) else None


def _scale(known: dict[str, str]) -> Callable[[str], str | None] | None:
    """Another unit for each level: spaces for tabs, or more spaces for fewer."""
    some = {a: b for a, b in known.items() if a}
    if not some or known.get("", "") or any(not b for b in some.values()):
        return None
    if any(len(set(a)) > 1 or len(set(b)) > 1 for a, b in some.items()):
        return None
    one, other = {a[0] for a in some}, {b[0] for b in some.values()}
    if len(one) > 1 or len(other) > 1:
        return None
    mine, theirs = gcd(*map(len, some)), gcd(*map(len, some.values()))
    if any(len(a) * theirs != len(b) * mine for a, b in some.items()):
        return None
    sign, new = next(iter(one)), next(iter(other))

    def change(lead: str) -> str | None:
        width = len(lead) * theirs
        return None if set(lead) - {sign} or width % mine else new * (width // mine)

    return change


def restyled(lead: str, unit: int, style: Style) -> str:
    """An indentation whose levels are ``unit`` spaces, or tabs where that is 0, in another style."""
    if unit:
        width = len(lead.expandtabs(unit))
        levels, rest = divmod(width, unit)
    else:
        levels = len(lead) - len(lead.lstrip("\t"))
        rest = len(lead) - levels
    return ("\t" if style.tabs else " " * style.unit) * levels + " " * rest


def unit_of(lines: Iterable[str]) -> int | None:
    """How many spaces the first indented line of these has, if that is a usual unit."""
    for line in lines:
        lead = indent(line)
        if line.strip() and len(lead) > 1:
            return len(lead) if not lead.strip(" ") and len(lead) in _UNITS else None
    return None

"""A file in short: the signatures of what it defines and how their docstrings begin, from its syntax tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from collab.syntax.symbol import Symbol

MOST_SYMBOLS: Final = 120
LONGEST: Final = 200
"""Characters of one signature or one line of a docstring."""
HEAD_LINES: Final = 12
"""Of a file whose language is not known, or that defines nothing, so many lines stand for it."""
_LEVEL: Final = "    "
_OPEN: Final = {"(": ")", "[": "]"}
_DOCSTRING: Final = re.compile(r"\s*[rRbBuU]{0,2}(\"\"\"|''')\s*([^\n]*)")
_REMARK: Final = re.compile(r"^[ \t]*(?:///?!?|#|\*|/\*\*?|--)[ \t]*(.*?)[ \t]*(?:\*/)?$")


class Symbols(Protocol):
    """Finds what a text defines; ``collab.syntax.Syntax`` does."""

    def symbols(self, path: str, text: str) -> tuple[Symbol, ...]:
        """In the order in which they begin; none for an unknown language."""
        ...


def outline(syntax: Symbols, path: str, text: str) -> str:
    """Signatures and the first lines of docstrings, indented as they are nested; else how the file begins."""
    found = syntax.symbols(path, text)
    lines: list[str] = []
    for symbol in found[:MOST_SYMBOLS]:
        indent = _LEVEL * min(symbol.parent.count(".") + 1 if symbol.parent else 0, 6)
        lines.append(indent + signature(text, symbol))
        said = described(text, symbol)
        if said:
            lines.append(f"{indent}{_LEVEL}{said}")
    if not lines:
        return _beginning(text)
    if len(found) > MOST_SYMBOLS:
        lines.append(f"and {len(found) - MOST_SYMBOLS} more")
    return "\n".join(lines)


def signature(text: str, symbol: Symbol) -> str:
    """How a definition begins, on one line: up to its body."""
    depth: list[str] = []
    end = min(symbol.end, symbol.start + 4 * LONGEST)
    at = symbol.start
    while at < end:
        one = text[at]
        if one in _OPEN:
            depth.append(_OPEN[one])
        elif depth and one == depth[-1]:
            depth.pop()
        elif not depth and (one in "{;\n" or (one == ":" and text[at + 1 : at + 2] in {"\n", "\r"})):
            break
        at += 1
    return _short(" ".join(text[symbol.start : at].split()))


def described(text: str, symbol: Symbol) -> str:
    """The first line of a docstring or of the remark above a definition; empty if there is none."""
    body = text[symbol.start : min(symbol.end, symbol.start + 8 * LONGEST)]
    header = body.find(":\n")
    while header >= 0:
        found = _DOCSTRING.match(body, header + 2)
        if found is not None:
            return _short(found[2].split(found[1])[0].strip())
        following = body[header + 2 :].lstrip()
        if not following or body.count("(", 0, header) == body.count(")", 0, header):
            break
        header = body.find(":\n", header + 2)
    above = text[max(0, symbol.start - 4 * LONGEST) : symbol.start].split("\n")[:-1]
    said = ""
    for line in reversed(above):
        remark = _REMARK.match(line)
        if remark is None:
            break
        said = remark[1] or said
    return _short(said)


def named(symbols: Sequence[Symbol], wanted: Callable[[str], bool]) -> list[Symbol]:
    """The symbols whose own or qualified name is wanted, without those that are inside of another one of them."""
    found: list[Symbol] = []
    for symbol in symbols:
        if (wanted(symbol.name) or wanted(symbol.qualified)) and not (found and symbol.end <= found[-1].end):
            found.append(symbol)
    return found


def _beginning(text: str) -> str:
    lines = text[: HEAD_LINES * LONGEST].split("\n")
    some = [_short(line.rstrip()) for line in lines[:HEAD_LINES]]
    return "\n".join(some).strip("\n")


def _short(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"

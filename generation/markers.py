"""How the marks of an answer look, in the ways in which models write them: blocks, fences, reasoning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_MARKER: Final = 64
"""A longer line is never the marker of a block, unless it names a path."""
MAX_INDENT: Final = 12
"""Markers may be indented by so much, as in a list."""

_SPECIAL: Final = r"(?:<\|\w{1,20}\|>|</s>)"
_JUNK: Final = rf"[ \t]*(?:`{{3,}}|{_SPECIAL})?[ \t]*"
"""What models append to the last line of a block: a fence's end, or a token of their own that marks the end."""
_SEARCH: Final = re.compile(
    r"(?P<indent>[ \t]{0,12})(?:(?P<angles><{5,9})|(?P<dashes>-{5,9})) ?(?:SEARCH|ORIGINAL)"
    r"(?:[ \t:]+(?P<path>[^\s>].*?))?[ \t]*>?[ \t]*",
    re.IGNORECASE,
)
_DELETE: Final = re.compile(r"<{5,9} ?DELETE[ \t:]+(?P<path>\S.*?)[ \t]*", re.IGNORECASE)
_RENAME: Final = re.compile(
    r"<{5,9} ?RENAME[ \t:]+(?P<path>\S.*?)[ \t]+(?:=>|->|→)[ \t]+(?P<to>\S.*?)[ \t]*", re.IGNORECASE
)
_END: Final = re.compile(r"(?:>{5,9}|\+{5,9}) ?(?:REPLACE|UPDATED)" + _JUNK, re.IGNORECASE)
_DIVIDER: Final = re.compile(r"(?P<bars>={5,9})[ \t]*")
_LAST: Final = re.compile(rf"(?<=[`~]){_SPECIAL}[ \t]*$")
_FENCE: Final = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)")
_TAGS: Final = "think|thinking|thought|reasoning|reflection|scratchpad|analysis"
_THINK: Final = re.compile(rf"[ \t]*<(?P<tag>{_TAGS})>", re.IGNORECASE)
_STRAY: Final = re.compile(r"(?:^|.*?\S?)</(?:think|thinking)>", re.IGNORECASE)
LONGEST_TAG: Final = 16


@dataclass(frozen=True, slots=True)
class Opening:
    """The first line of a search/replace block: how it is indented, how many signs it has, the path it names."""

    indent: str
    signs: int
    path: str | None


def opening(line: str) -> Opening | None:
    """The line as the first of a block, if it is one."""
    if line.lstrip(" \t")[:5] not in {"<<<<<", "-----"}:
        return None
    found = _SEARCH.fullmatch(line)
    if found is None:
        return None
    return Opening(found["indent"], len(found["angles"] or found["dashes"]), found["path"])


def deletion(line: str) -> str | None:
    """The path that the line asks to delete."""
    found = _DELETE.fullmatch(line)
    return found["path"] if found else None


def renaming(line: str) -> tuple[str, str] | None:
    """The path that the line asks to change, and the one it shall be."""
    found = _RENAME.fullmatch(line)
    return (found["path"], found["to"]) if found else None


def divides(line: str, opened: Opening) -> bool:
    """Whether the line ends what a block looks for."""
    found = _DIVIDER.fullmatch(_inside(line, opened))
    return found is not None and len(found["bars"]) in {7, opened.signs}


def ends(line: str, opened: Opening) -> bool:
    """Whether the line ends a block."""
    return _END.fullmatch(_inside(line, opened)) is not None


def begins(line: str, opened: Opening | None = None) -> Opening | None:
    """The line as the first of another block, within one or within a file: not indented any further."""
    inside = line if opened is None else _inside(line, opened)
    return None if inside[:1] in {" ", "\t"} else opening(inside)


def fence(line: str) -> tuple[str, str] | None:
    """The signs of a line that opens or closes a fence, and what stands behind them."""
    found = _FENCE.fullmatch(line)
    return (found["fence"], found["info"]) if found else None


def closes(line: str, signs: str) -> bool:
    """Whether the line closes a fence that opened with these signs."""
    text = _LAST.sub("", line).strip(" \t")
    return len(text) >= len(signs) > 0 and text == signs[0] * len(text) and line[:4] != "    "


def reasoning(text: str) -> tuple[int, re.Pattern[str]] | None:
    """How long the tag is that opens reasoning at the start of the text, and what closes it."""
    found = _THINK.match(text)
    return (found.end(), re.compile(rf"</{found['tag']}>", re.IGNORECASE)) if found else None


def stray_end(line: str) -> int | None:
    """Where a line of prose goes on that ends reasoning whose beginning was never marked."""
    found = _STRAY.match(line)
    if found is None:
        return None
    before, after = line[: found.end()].strip(), line[found.end() :].strip()
    return found.end() if not after or before.lower() in {"</think>", "</thinking>"} else None


def may_be_marker(start: str, opened: Opening | None = None) -> bool:
    """Whether the line that starts like this may turn out to be the marker of a block."""
    if len(start) > MAX_MARKER:
        return False
    text = start
    if opened is not None and opened.indent:
        if opened.indent.startswith(start):
            return True
        text = start.removeprefix(opened.indent)
    first = text[:1]
    rest = text.lstrip(first).strip(" \t").upper()
    match first:
        case "":
            return True
        case ">" | "+":
            return any(_begins(rest, word) for word in ("REPLACE", "UPDATED"))
        case "=":
            return not rest
        case "<" | "-":
            return any(_begins(rest, word) for word in ("SEARCH", "ORIGINAL"))
        case _:
            return False


def may_be_fence(start: str, signs: str) -> bool:
    """Whether the line that starts like this may turn out to open or close a fence."""
    if len(start) > MAX_MARKER:
        return False
    text = start.lstrip(" ")
    return len(start) - len(text) <= 3 and (not text or text[0] == signs[0])


def _begins(rest: str, word: str) -> bool:
    return word.startswith(rest) or rest.startswith(word)


def _inside(line: str, opened: Opening) -> str:
    return line.removeprefix(opened.indent)

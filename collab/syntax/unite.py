"""Unites a conflicting region whose elements have no fixed order: imports, entries, definitions, list items.

The region is cut into the elements of one container on each side, and the three sequences are merged by what the
elements are called. Where the region does not end where elements do, it is moved or widened over lines that stand
alike in all three texts. What comes out must parse as well as what went in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from collab.syntax import strictness
from collab.syntax.parsing import Parsed, Parsing
from collab.syntax.symbols import WORD
from collab.syntax.unite_blocks import comparable, unite_blocks
from collab.syntax.unite_contents import Inside
from collab.syntax.unite_units import cut, end_of, holds

Span = tuple[int, int]
Spans = tuple[Span, Span, Span]
MAX_REGION: Final = 60_000
"""Code points of one side from which on a region is left to the people."""
MAX_SHIFT: Final = 12
"""Lines that a region is moved by at most."""
MAX_WIDENED: Final = 400
"""Lines that a region is widened by at most, at either end."""
MAX_WIDTHS: Final = 6
"""Elements around a region that it is widened to, one after the other."""


def unite(
    parsing: Parsing, parsed: Sequence[Parsed], spans: Spans, inside: Inside | None, whole: tuple[str, str, str]
) -> str | None:
    """What stands in the region afterwards, or None. ``parsed`` and ``spans`` are those of base, ours, theirs,
    which may be excerpts of the ``whole`` texts.
    """
    if any(end - start > MAX_REGION for start, end in spans):
        return None
    if not all(_whole_lines(one.text, span) for one, span in zip(parsed, spans, strict=True)):
        return None
    for window, *ends in _windows(parsed, spans):
        base, ours, theirs = (cut(one, *span) for one, span in zip(parsed, window, strict=True))
        if base is not None and ours is not None and theirs is not None and comparable(base, ours, theirs):
            made = _trimmed(unite_blocks(base, ours, theirs, inside), *ends)
            return made if made is not None and _sound(parsing, parsed, spans, made, whole) else None
    return None


def _windows(parsed: Sequence[Parsed], spans: Spans) -> Iterator[tuple[Spans, str, str, str, str]]:
    """The region as it is, moved, and widened.

    Each with what of the text the window has before and after the region (to be cut off the result), and what of
    the region it leaves out before and after (to be put back).
    """
    yield spans, "", "", "", ""
    (b0, b1), (o0, o1), (t0, t1) = spans
    base, ours, theirs = parsed
    after, before = base.text[b1:].splitlines(keepends=True)[:MAX_SHIFT], _lines_before(base.text, b0, MAX_SHIFT)
    if b0 == b1:
        for count in range(1, len(after) + 1):
            moved = "".join(after[:count])
            if not (ours.text[o0:].startswith(moved) and theirs.text[t0:].startswith(moved)):
                break
            if not (ours.text[o1:].startswith(moved) and theirs.text[t1:].startswith(moved)):
                break
            size = len(moved)
            yield _shifted(spans, size), "", moved, moved, ""
        for count in range(1, len(before) + 1):
            moved = "".join(before[-count:])
            if not (ours.text[:o1].endswith(moved) and theirs.text[:t1].endswith(moved)):
                break
            if not (ours.text[:o0].endswith(moved) and theirs.text[:t0].endswith(moved)):
                break
            yield _shifted(spans, -len(moved)), moved, "", "", moved
    for up, down in _widths(parsed, spans):
        if all(
            one.text[:start].endswith(up) and one.text[end:].startswith(down)
            for one, (start, end) in zip(parsed, spans, strict=True)
        ):
            wide = tuple((start - len(up), end + len(down)) for start, end in spans)
            yield (wide[0], wide[1], wide[2]), up, down, "", ""


def _shifted(spans: Spans, size: int) -> Spans:
    (b0, b1), (o0, o1), (t0, t1) = spans
    return (b0 + size, b1 + size), (o0 + size, o1 + size), (t0 + size, t1 + size)


def _widths(parsed: Sequence[Parsed], spans: Spans) -> list[tuple[str, str]]:
    """What of the text before and after the region makes it whole elements, the least first."""
    found: set[tuple[str, str]] = set()
    least: list[tuple[str, str]] = []
    for one, (start, end) in zip(parsed, spans, strict=True):
        around = [pair for pair in _around(one, start, end) if pair != ("", "")]
        found.update(around)
        least += around[:1]
    if least:
        found.add((max((up for up, _ in least), key=len), max((down for _, down in least), key=len)))
    return sorted(found, key=lambda pair: (len(pair[0]) + len(pair[1]), pair))[:MAX_WIDTHS]


def _around(parsed: Parsed, start: int, end: int) -> list[tuple[str, str]]:
    """For the elements around the region, from the inside out: their lines before and after it."""
    text, found = parsed.text, list[tuple[str, str]]()
    filled = text[start:end].strip()
    first = start + text[start:end].find(filled) if filled else start
    node = parsed.root.descendant_for_byte_range(parsed.offset(first), parsed.offset(first + len(filled)))
    while node is not None and node.parent is not None and len(found) < MAX_WIDTHS:
        if holds(node.parent):
            opens, closes = parsed.characters(node.start_byte), parsed.characters(end_of(parsed, node))
            begin = text.rfind("\n", 0, opens) + 1
            stop = text.find("\n", closes) + 1 or len(text)
            up, down = text[begin:start] if begin < start else "", text[end:stop] if stop > end else ""
            if up.count("\n") > MAX_WIDENED or down.count("\n") > MAX_WIDENED:
                break
            found.append((up, down))
        node = node.parent
    return found


def _trimmed(made: str | None, cut_before: str, cut_after: str, put_before: str, put_after: str) -> str | None:
    """What was made of a window, as what stands in the region."""
    if made is None:
        return None
    whole = put_before + made + put_after
    if len(whole) < len(cut_before) + len(cut_after):
        return None
    if not (whole.startswith(cut_before) and whole.endswith(cut_after)):
        return None
    return whole[len(cut_before) : len(whole) - len(cut_after)]


def _sound(
    parsing: Parsing, parsed: Sequence[Parsed], spans: Spans, made: str, whole: tuple[str, str, str]
) -> bool:
    """Whether our text with the region in it parses as before, and no name is gone that the other side uses."""
    result = parsing.edited(parsed[1], *spans[1], made)
    if result is None or (result.root.has_error and not any(one.root.has_error for one in parsed)):
        return False
    if strictness.breaks(parsed, result):
        return False
    words = [Counter(WORD.findall(one.text[start:end])) for one, (start, end) in zip(parsed, spans, strict=True)]
    now = Counter(WORD.findall(made))
    base, ours, theirs = whole
    for side, other, text in ((words[1], words[2], theirs), (words[2], words[1], ours)):
        lost = [word for word in words[0] if not side[word] and other[word] and not now[word]]
        if any(_uses(text, word) > _uses(base, word) for word in lost):
            return False
    return True


def _uses(text: str, word: str) -> int:
    return len(re.findall(rf"\b{re.escape(word)}\b", text))


def _lines_before(text: str, end: int, count: int) -> list[str]:
    start = end
    for _ in range(count):
        if start == 0:
            break
        start = text.rfind("\n", 0, start - 1) + 1
    return text[start:end].splitlines(keepends=True)


def _whole_lines(text: str, span: Span) -> bool:
    start, end = span
    return (start == 0 or text[start - 1] == "\n") and (
        end == len(text) or end == 0 or text[end - 1] == "\n" or start == end
    )

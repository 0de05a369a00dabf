"""Three-way merge of texts: lines, then words inside what conflicts, then what the language says about order."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import cast

from collab.merge.three.chunks import chunks
from collab.merge.three.containment import containing, over_blanks
from collab.merge.three.doubts import Texts, at_odds, repeats, uses_withdrawn
from collab.merge.three.lines import diff, split
from collab.merge.three.losses import disturbs, loses
from collab.merge.three.moves import Side, followed
from collab.merge.three.placing import placed
from collab.merge.three.regions import Kind, Layer, Merge, Region, Span
from collab.merge.three.soundness import Syntax, sound
from collab.merge.three.tokens import merge_tokens


def merge(
    base: str,
    ours: str,
    theirs: str,
    *,
    path: str = "",
    syntax: Syntax | None = None,
    keeping: bool = False,
) -> Merge:
    """Merges what ``theirs`` changed since ``base`` into ``ours``.

    A pure function. ``path`` tells the language; without ``syntax`` only lines and words are looked at. With
    ``keeping``, what would delete, move or split text that ours put in since the base is a conflict, even if the
    same text, or the same words laid out in another way, stand in the result.
    """
    steps = merging(base, ours, theirs, path=path, syntax=syntax, keeping=keeping)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast(Merge, end.value)


def merging(
    base: str,
    ours: str,
    theirs: str,
    *,
    path: str = "",
    syntax: Syntax | None = None,
    keeping: bool = False,
) -> Generator[None, None, Merge]:
    """As :func:`merge`, in steps of a few milliseconds, between which the caller may do other things.

    Parsing is one step for each text that ``syntax`` has not seen yet.
    """
    whole = Texts(base, ours, theirs)
    regions = yield from _by_lines(whole, keeping)
    for index, region in enumerate(regions):
        if region.kind is Kind.CONFLICT:
            regions[index] = _settled(region, whole, path, syntax, keeping)
            yield
    merged = Merge(ours, tuple(regions))
    return merged if syntax is None else sound(merged, base, theirs, path, syntax)


def _by_lines(whole: Texts, keeping: bool) -> Generator[None, None, list[Region]]:
    b, o, t = map(split, whole)
    mine = Side(o, diff(b, o))
    yield
    yours = Side(t, diff(b, t))
    yield
    found = chunks(mine.hunks, yours.hunks, len(b))
    moved = followed(b, mine, yours, found, keeping)
    yield
    b_at, o_at, t_at = _offsets(b), _offsets(o), _offsets(t)
    regions: list[Region] = []
    for index, (who, b0, b1, o0, o1, t0, t1) in enumerate(found):
        one, other = whole.ours[o_at[o0] : o_at[o1]], whole.theirs[t_at[t0] : t_at[t1]]
        if index in moved:
            kind, text = moved[index]
        elif who == "both":
            kind, text = Kind.AGREED if one == other else Kind.CONFLICT, one
        else:
            kind, text = Kind(who), other if who == "theirs" else one
        spans = (b_at[b0], b_at[b1]), (o_at[o0], o_at[o1]), (t_at[t0], t_at[t1])
        regions.append(Region(kind, Layer.LINES, *spans, text))
    yield
    return regions


def _offsets(lines: Sequence[str]) -> list[int]:
    return [0, *accumulate(map(len, lines))]


def _settled(region: Region, whole: Texts, path: str, syntax: Syntax | None, keeping: bool) -> Region:
    """A conflict of lines, merged by the first layer that can and whose merge passes the checks; else as it is."""
    texts = Texts(*(text[slice(*span)] for text, span in zip(whole, _spans(region), strict=True)))
    for layer, text in _proposals(region, texts, whole, path, syntax):
        if keeping and disturbs(texts.base, texts.ours, text):
            continue
        if not loses(*texts, text) and not uses_withdrawn(texts, whole):
            return replace(region, kind=Kind.MERGED, layer=layer, text=text)
    return region


def _proposals(
    region: Region, texts: Texts, whole: Texts, path: str, syntax: Syntax | None
) -> Iterator[tuple[Layer, str]]:
    for side in containing(*texts):
        yield Layer.TOKENS, side
    if not texts.base:
        text = placed(whole.ours[: region.ours[0]], texts.ours, texts.theirs, whole.ours[region.ours[1] :])
        if text is not None:
            yield Layer.LINES, text
    text = _by_words(texts, whole)
    if text is not None:
        yield Layer.TOKENS, text
    for side in over_blanks(*texts):
        yield Layer.TOKENS, side
    if syntax is not None and not at_odds(texts, whole):
        text = syntax.unite(path, *whole, _spans(region), lambda *part: _inside(Texts(*part), whole))
        if text is not None and not repeats(texts, text):
            yield Layer.SYNTAX, text


def _by_words(texts: Texts, whole: Texts) -> str | None:
    text = merge_tokens(*texts)
    return None if text is None or repeats(texts, text) or at_odds(texts, whole) else text


def _inside(texts: Texts, whole: Texts) -> str | None:
    """Merges one element of a list, a dictionary or a class that both sides changed."""
    text = next(containing(*texts), None)
    if text is None:
        text = _by_words(texts, whole)
    return None if text is None or loses(*texts, text) else text


def _spans(region: Region) -> tuple[Span, Span, Span]:
    return region.base, region.ours, region.theirs

"""How an answer's changes of a file become others, with as few of them taken back as can be."""

from __future__ import annotations

from dataclasses import dataclass

from collab.merge.hunks import HunkId
from collab.merge.three.lines import diff, split
from generation.draft import Edit, FileDraft

Change = tuple[int, int, str]
"""Code points from the first to before the second of a base, and what stands there then."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """Hunks to take back, and changes of the base to make in their place."""

    withdrawn: tuple[HunkId, ...]
    edits: tuple[Change, ...]


def amendment(file: FileDraft, text: str) -> Amendment:
    """What makes ``text`` of a file whose base the draft's hunks have changed in another way."""
    if file.file is None:
        return Amendment(tuple(edit.hunk for edit in file.edits), ((0, 0, text),))
    wanted = changes(file.base, text)
    kept = [edit for edit in file.edits if _effects(file.base, edit) <= set(wanted)]
    while True:
        made = {change for edit in kept for change in _effects(file.base, edit)}
        rest = [change for change in wanted if change not in made]
        # A change within the lines of another hunk would collide with it.
        clear = [edit for edit in kept if not any(_meet(edit, change) for change in rest)]
        if len(clear) == len(kept):
            break
        kept = clear
    hunks = {edit.hunk for edit in kept}
    return Amendment(tuple(edit.hunk for edit in file.edits if edit.hunk not in hunks), tuple(rest))


def changes(base: str, text: str) -> list[Change]:
    """Which lines of a base to replace to get a text, ascending and apart from each other."""
    a, b = split(base), split(text)
    at = [0]
    for line in a:
        at.append(at[-1] + len(line))
    return [(at[i0], at[i1], "".join(b[j0:j1])) for i0, i1, j0, j1 in diff(a, b)]


def _effects(base: str, edit: Edit) -> set[Change]:
    """The lines that a hunk changes, without those that it only repeats."""
    return {
        (edit.start + start, edit.start + end, text)
        for start, end, text in changes(base[edit.start : edit.end], edit.text)
    }


def _meet(edit: Edit, change: Change) -> bool:
    start, end, _ = change
    return (start < edit.end and edit.start < end) or (start == end and edit.start < start < edit.end)

"""What a writer that worked from an older copy wants, and the decision about each of its wishes.

``decide`` is a function of the base, the live texts and the intents alone (I5). It only computes: ``landing``
turns decisions into an update of a live document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, Protocol

from collab.merge.aligner import Change
from collab.merge.suggestions import ConflictKind, Kind, Layer
from collab.merge.three.lines import diff, split
from collab.merge.three.matching import minimal
from collab.merge.three.regions import Kind as RegionKind
from collab.merge.three.regions import Merge

TOUCHED = "Somebody changed these lines meanwhile."
_TWICE = "Somebody else has added the same."
Outcome = Literal["done", "merged", "asked", "already"]
"""``done``: nobody was in the way. ``merged``: somebody was, and both sides are in. ``asked``: the room decides.
``already``: it was so, so that nothing is to do; that makes a changeset that is applied twice harmless (I4).
"""


@dataclass(frozen=True, slots=True)
class CreateFile:
    """A file that was not in the writer's copy before."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class EditHunk:
    """``start`` to ``end`` (code points of the base) become ``text``. The hunks of a file must not overlap."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplaceFile:
    """A new text for a whole file."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RenameFile:
    """Another path for a file."""

    path: str
    to: str


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """The file is gone in the writer's copy."""

    path: str


Intent = CreateFile | EditHunk | ReplaceFile | RenameFile | DeleteFile
"""All intents name a file by its path in the base; one that a rename made free may be created anew."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines that the writer changed, and what becomes of that.

    ``start`` and ``end`` are where they stand in the live text (``ours``); ``changes`` are those of the whole live
    text that land, none if the room is asked.
    """

    start: int
    end: int
    base: str
    ours: str
    theirs: str
    outcome: Literal["done", "merged", "asked"]
    changes: tuple[Change, ...] = ()
    conflict: ConflictKind = "none"
    layer: Layer = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the intents about one file.

    ``path`` is the file's in the live document. Of ``kind`` ``hunk`` are decisions about lines, which are in
    ``pieces``, ascending; others are about the file as a whole. ``before`` is the base's text (of a rename, the
    path now), ``text`` that of the writer (of a rename, the new path).
    """

    path: str
    outcome: Outcome
    kind: Kind = "hunk"
    conflict: ConflictKind = "none"
    pieces: tuple[Piece, ...] = ()
    before: str = ""
    text: str = ""
    reason: str = ""

    @property
    def changes(self) -> list[Change]:
        """The changes of the live text that land, ascending."""
        return [change for piece in self.pieces for change in piece.changes]

    @property
    def questions(self) -> list[Piece]:
        """The lines that the room is asked about."""
        return [piece for piece in self.pieces if piece.outcome == "asked"]

    @property
    def landed(self) -> int:
        """How many changed places are in."""
        if self.kind == "hunk":
            return len(self.pieces) - len(self.questions)
        return int(self.outcome == "done")


class Merger(Protocol):
    """The three-way merge, and what the language says; ``collab.merge.resolver.TextResolver``."""

    def three(self, path: str, base: str, ours: str, theirs: str) -> Merge:
        """What ``theirs`` changed since ``base``, merged into ``ours``."""
        ...

    def objection(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """Why the replacement of the base's ``start`` to ``end`` does not fit any more, though nobody touched
        these lines; empty if it does.
        """
        ...

    def once(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """The replacement without the imports and definitions that ``live`` has gained as well."""
        ...


def decide(
    base: Mapping[str, str],
    live: Mapping[str, str],
    intents: Sequence[Intent],
    merger: Merger,
    moved: Mapping[str, str] | None = None,
) -> list[Decision]:
    """The decisions about the files that the intents name, file by file in the order of the first mention.

    ``base`` and ``live`` hold the texts by path: as the writer knew them, and as they are. ``moved`` tells of
    files of the base that have another path now: which. The decisions of one file are to be carried out in order.
    """
    groups: dict[str, list[Intent]] = {}
    for intent in intents:
        groups.setdefault(intent.path, []).append(intent)
    paths = moved or {}
    return [
        decision
        for path, group in groups.items()
        for decision in _decide(_wish(path, base, group), base, live, paths.get(path, path), merger)
    ]


@dataclass(slots=True)
class _Wish:
    """What the intents about one path come to."""

    path: str
    text: str
    whole: bool = False
    """The text was given as a whole."""
    created: bool = False
    """The file was not in the writer's copy before."""
    said: bool = False
    """Something was said about the text."""
    to: str | None = None
    deleted: bool = False
    new: str | None = None
    """The text of another file that takes the path."""


def _wish(path: str, base: Mapping[str, str], intents: Iterable[Intent]) -> _Wish:
    wish = _Wish(path, base.get(path, ""))
    hunks: list[EditHunk] = []
    for intent in intents:
        match intent:
            case EditHunk():
                hunks.append(intent)
            case RenameFile(_, to):
                wish.to, wish.deleted = to, False
            case DeleteFile():
                wish.deleted, wish.new = wish.to is None, None
            case CreateFile(_, text) if wish.to is not None:
                wish.new = text
            case CreateFile(_, text) | ReplaceFile(_, text):
                wish.text, wish.whole, wish.deleted = text, True, False
                wish.created = wish.created or isinstance(intent, CreateFile)
    wish.said = wish.whole or bool(hunks)
    if not wish.whole:
        at, texts = 0, list[str]()
        for hunk in sorted(hunks, key=lambda one: (one.start, one.end)):
            texts += [wish.text[at : hunk.start], hunk.text]
            at = hunk.end
        wish.text = "".join([*texts, wish.text[at:]])
    return wish


def _decide(
    wish: _Wish, base: Mapping[str, str], live: Mapping[str, str], now: str, merger: Merger
) -> list[Decision]:
    if wish.deleted:
        return [_delete(wish.path, now, base, live)]
    done: list[Decision] = []
    there = now in live
    if wish.to is not None and (there or wish.to not in live):
        if there and wish.said:
            done.append(_text(wish, base, live, now, merger, moved=now != wish.to))
        done.append(_rename(wish, now, live))
    elif wish.to is not None:
        # It has that path already; what else was to change, changes there.
        done.append(_text(replace(wish, to=None), base, live, wish.to, merger, moved=False))
    else:
        done.append(_text(wish, base, live, now, merger))
    if wish.new is not None:
        done.append(_text(_Wish(wish.path, wish.new, whole=True, created=True), {}, {}, wish.path, merger))
    return done


def _text(
    wish: _Wish,
    base: Mapping[str, str],
    live: Mapping[str, str],
    now: str,
    merger: Merger,
    *,
    moved: bool = True,
) -> Decision:
    path, theirs = wish.path, wish.text
    was, ours = base.get(path), live.get(now)
    if ours is None:
        if was is None and wish.created:
            return Decision(path, "done", "new_file", text=theirs)
        if was == theirs:
            return Decision(path, "already", before=was, text=theirs)
        reason = "The file was deleted or renamed meanwhile."
        return Decision(
            path, "asked", "new_file", "structural_conflict", before=was or "", text=theirs, reason=reason
        )
    if ours == theirs or was == theirs:
        return Decision(now, "already", before=was or "", text=theirs)
    if was is None:
        reason = "The file has another content, and it is not known from which version this one was made."
        return Decision(now, "asked", "whole_file", "same_file_different_content", text=theirs, reason=reason)
    conflict: ConflictKind = "same_file_different_content" if wish.whole else "overlapping_edits"
    pieces = _untouched(ours, theirs) if ours == was else _pieces(now, was, ours, theirs, conflict, merger)
    if moved and now != path:
        reason = f"The file was renamed to {now} meanwhile."
        pieces = [
            replace(one, outcome="asked", changes=(), conflict="structural_conflict", reason=reason, layer="")
            for one in pieces
        ]
    return of_pieces(now, pieces, was, theirs)


def of_pieces(path: str, pieces: Sequence[Piece], before: str, text: str) -> Decision:
    """The decision about a file that these pieces make together."""
    outcomes: set[Outcome] = {piece.outcome for piece in pieces}
    outcome: Outcome = next((one for one in _WORST if one in outcomes), "already")
    worst = next((piece for piece in pieces if piece.outcome == outcome), None)
    conflict: ConflictKind = worst.conflict if worst is not None else "none"
    reason = worst.reason if worst is not None and outcome == "asked" else ""
    return Decision(path, outcome, "hunk", conflict, tuple(pieces), before, text, reason)


_WORST: tuple[Outcome, ...] = "asked", "merged", "done"


def _untouched(ours: str, theirs: str) -> list[Piece]:
    """The writer's changes of a text that nobody else has changed."""
    old, new = split(ours), split(theirs)
    o_at, t_at = [0, *accumulate(map(len, old))], [0, *accumulate(map(len, new))]
    pieces = []
    for i0, i1, j0, j1 in diff(old, new):
        start, end = o_at[i0], o_at[i1]
        was, text = ours[start:end], theirs[t_at[j0] : t_at[j1]]
        pieces.append(Piece(start, end, was, was, text, "done", tuple(minimal(was, text, start))))
    return pieces


def _pieces(path: str, base: str, ours: str, theirs: str, conflict: ConflictKind, merger: Merger) -> list[Piece]:
    pieces = []
    for region in merger.three(path, base, ours, theirs).regions:
        start, end = region.ours
        was, mine, other = base[slice(*region.base)], ours[start:end], theirs[slice(*region.theirs)]
        if region.kind is RegionKind.CONFLICT:
            pieces.append(Piece(start, end, was, mine, other, "asked", (), conflict, "", TOUCHED))
            continue
        if region.kind not in {RegionKind.THEIRS, RegionKind.MERGED} or region.text == mine:
            continue
        changes = tuple(minimal(mine, region.text, start))
        if region.kind is RegionKind.MERGED:
            layer: Layer = region.layer.value
            pieces.append(Piece(start, end, was, mine, other, "merged", changes, conflict, layer, TOUCHED))
            continue
        said = merger.objection(path, base, ours, *region.base, other)
        if said:
            pieces.append(Piece(start, end, was, mine, other, "asked", (), "structural_conflict", "", said))
            continue
        lacking = merger.once(path, base, ours, *region.base, other)
        if lacking == other:
            pieces.append(Piece(start, end, was, mine, other, "done", changes))
        elif lacking != mine:
            changes = tuple(minimal(mine, lacking, start))
            pieces.append(Piece(start, end, was, mine, other, "merged", changes, conflict, "syntax", _TWICE))
    return pieces


def _rename(wish: _Wish, now: str, live: Mapping[str, str]) -> Decision:
    to = wish.to or ""
    if now not in live:
        reason = "The file was deleted or renamed meanwhile."
        return Decision(to, "asked", "new_file", "structural_conflict", text=wish.text, reason=reason)
    if now == to:
        return Decision(now, "already", "rename_file", before=now, text=to)
    if now != wish.path:
        reason = f"The file was renamed to {now} meanwhile."
        return Decision(now, "asked", "rename_file", "structural_conflict", before=now, text=to, reason=reason)
    if to in live:
        reason = f"There is a file with the path {to} already."
        return Decision(
            now, "asked", "rename_file", "same_file_different_content", before=now, text=to, reason=reason
        )
    return Decision(now, "done", "rename_file", before=now, text=to)


def _delete(path: str, now: str, base: Mapping[str, str], live: Mapping[str, str]) -> Decision:
    if now not in live:
        return Decision(path, "already", "delete_file")
    if live[now] == base.get(path) and now == path:
        return Decision(now, "done", "delete_file", before=live[now])
    reason = "Somebody changed the file meanwhile." if now == path else f"The file was renamed to {now} meanwhile."
    return Decision(now, "asked", "delete_file", "structural_conflict", before=base.get(path, ""), reason=reason)

"""What becomes of a complete hunk that met a change of the same lines: a merge, or a question to the room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from collab.document import Document
from collab.ids import FileId
from collab.merge.aligner import Change, changes_between
from collab.merge.hunks import Hunk, HunkId
from collab.merge.parts import Part, PartState
from collab.merge.places import range_anchors
from collab.merge.suggestions import ConflictKind, Kind, Layer
from collab.merge.track import Track

TOUCHED = "Somebody changed these lines meanwhile."
_BREAKS = "Together with what was changed meanwhile, the file could not be parsed any more."
MOST_QUESTIONS = 200
"""A rewrite that collides in more places than this is one question."""


Regions = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""The same place in the base, in our text and in theirs."""


class Resolver(Protocol):
    """Decides about texts; a pure function of what it is given. ``collab.merge.resolver`` is the real one."""

    def merge(
        self, path: str, base: str, ours: str, theirs: str, regions: Regions
    ) -> tuple[list[Change], Layer] | None:
        """The changes of ``ours`` that bring what ``theirs`` changed, if that is certain, and which layer found
        them; None if the room must be asked. ``regions`` are where the collision is in the three texts.
        """
        ...

    def breaks(self, path: str, before: list[str], after: str) -> bool:
        """Whether all texts before can be parsed and the one after cannot."""
        ...

    def objection(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """Why a hunk does not fit any more, though nobody touched its lines; empty if it does."""
        ...

    def once(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """The replacement without what somebody has added word for word as well: an import, a definition."""
        ...


@dataclass(frozen=True, slots=True)
class Blocked:
    """A change that did not land, complete. ``reason`` says why, in words.

    ``anchor`` and ``end`` hold its place, as in Suggestion; ``file`` is None where a new file would be made.
    """

    hunk: HunkId
    file: FileId | None
    path: str
    kind: Kind
    reason: str
    before: str
    after: str
    anchor: bytes | None
    end: bytes | None
    conflict: ConflictKind = "none"


@dataclass(frozen=True, slots=True)
class Merged:
    """Changes (in offsets of the fork's text) that bring a hunk together with what others did in its lines.

    ``start`` is the base's offset at which it begins; ``ours`` and ``result`` are the lines before and after.
    """

    hunk: HunkId
    file: FileId
    path: str
    conflict: ConflictKind
    layer: Layer
    start: int
    end: int
    base: str
    ours: str
    theirs: str
    result: str
    changes: list[Change]


class Judge:
    """Decides about one session's hunks. Without a resolver, what collides is always asked."""

    def __init__(self, resolver: Resolver | None) -> None:
        self._resolver = resolver

    def objection(self, hunk: Hunk, track: Track) -> str:
        """Why a hunk that is written must not stay, in words; empty if nothing speaks against it."""
        resolver = self._resolver
        parts = [part for part in hunk.parts if part.written and part.state is PartState.OPEN]
        if resolver is None or not parts:
            return ""
        before = track.without(parts)
        if not hunk.whole:
            # What other hunks of the answer have changed, the job knows.
            base, others = track.base, track.without(track.parts)
            said = resolver.objection(hunk.path, base, others, hunk.base_start, hunk.base_end, hunk.text)
            if said:
                return said
        alone = _alone(track.base, parts)
        return _BREAKS if resolver.breaks(hunk.path, [before, alone], track.text) else ""

    def once(self, hunk: Hunk, track: Track) -> str:
        """A hunk's text without what somebody else has added too."""
        parts = [part for part in hunk.parts if part.written and part.state is PartState.OPEN]
        if self._resolver is None or hunk.whole or not parts:
            return hunk.text
        live = track.without(parts)
        return self._resolver.once(hunk.path, track.base, live, hunk.base_start, hunk.base_end, hunk.text)

    def reduced(self, hunk: Hunk, track: Track, text: str) -> Merged:
        """A hunk that was taken back, with a text that lacks what somebody else has added."""
        start, end = track.region(hunk.base_start, hunk.base_end)
        ours = track.text[start:end]
        changes = [(start + at, start + upto, new) for at, upto, new in changes_between(ours, text)]
        return Merged(
            hunk.id,
            hunk.file,
            hunk.path,
            "overlapping_edits",
            "syntax",
            hunk.base_start,
            hunk.base_end,
            hunk.before,
            ours,
            hunk.text,
            text,
            changes,
        )

    def whole(self, fork: Document, hunk: Hunk, track: Track) -> Iterable[Blocked | Merged]:
        """A hunk that is blocked: as one, or if its parts stand for themselves, part by part.

        Each part is decided when it is asked for, in the text that is there then.
        """
        file = fork.listing().files.get(hunk.file)
        path = file.path if file is not None and hunk.kind != "new_file" else hunk.path
        if hunk.kind == "new_file" and hunk.created and file is not None:
            hunk.conflict = "same_file_different_content"
            return [self._blocked(hunk, hunk.file, file.path, "whole_file", "", hunk.text)]
        if hunk.kind == "new_file" or (hunk.whole and file is None):
            return [self._blocked(hunk, None, path, "new_file", "", hunk.text)]
        if hunk.kind == "rename_file":
            return [self._blocked(hunk, hunk.file, path, hunk.kind, hunk.path, hunk.text)]
        if hunk.kind == "delete_file":
            return [self._blocked(hunk, hunk.file, path, hunk.kind, track.base, "")]
        if file is None:
            # Both versions are kept: what the file would be, as a file of its own.
            base = track.base
            return [
                self._blocked(
                    hunk,
                    None,
                    path,
                    "new_file",
                    "",
                    base[: hunk.base_start] + hunk.text + base[hunk.base_end :],
                )
            ]
        if hunk.whole and 0 < len(hunk.parts) <= MOST_QUESTIONS:
            return (self.part(fork, hunk, part, track) for part in list(hunk.parts) if part.changes)
        if hunk.whole:
            return [self._blocked(hunk, hunk.file, path, hunk.kind, hunk.before, hunk.text)] if hunk.parts else []
        region = hunk.base_start, hunk.base_end
        return [self._decide(fork, hunk, track, region, hunk.text, hunk.reason, hunk.conflict)]

    def part(self, fork: Document, hunk: Hunk, part: Part, track: Track) -> Blocked | Merged:
        """One part of a whole-file rewrite."""
        region = part.base_start, part.base_end
        after = part.text(track.base)
        if hunk.reason and hunk.conflict != "overlapping_edits":
            return self._decide(fork, hunk, track, region, after, hunk.reason, hunk.conflict)
        return self._decide(fork, hunk, track, region, after, TOUCHED, "same_file_different_content")

    def _decide(
        self,
        fork: Document,
        hunk: Hunk,
        track: Track,
        region: tuple[int, int],
        after: str,
        reason: str,
        conflict: ConflictKind,
    ) -> Blocked | Merged:
        base = track.base
        before = base[region[0] : region[1]]
        start, end = track.region(*region)
        if self._resolver is not None and reason == TOUCHED:
            theirs = base[: region[0]] + after + base[region[1] :]
            there = region[0], region[0] + len(after)
            found = self._resolver.merge(hunk.path, base, track.text, theirs, (region, (start, end), there))
            if found is not None and not track.disturbs(found[0]):
                changes, layer = found
                ours = track.text
                result = ours[start:end]
                for at, upto, text in sorted(changes, reverse=True):
                    if start <= at and upto <= end:
                        result = result[: at - start] + text + result[upto - start :]
                return Merged(
                    hunk.id,
                    hunk.file,
                    hunk.path,
                    conflict,
                    layer,
                    *region,
                    before,
                    ours[start:end],
                    after,
                    result,
                    changes,
                )
        path = fork.listing().files[hunk.file].path
        kind: Kind = "hunk"
        anchor: bytes | None = None
        behind: bytes | None = None
        if hunk.whole and region == (0, len(base)):
            kind = "whole_file"
        else:
            anchor, behind = range_anchors(fork, hunk.file, start, end)
        return Blocked(hunk.id, hunk.file, path, kind, reason, before, after, anchor, behind, conflict)

    @staticmethod
    def _blocked(hunk: Hunk, file: FileId | None, path: str, kind: Kind, before: str, after: str) -> Blocked:
        return Blocked(hunk.id, file, path, kind, hunk.reason, before, after, None, None, hunk.conflict)


def _alone(base: str, parts: list[Part]) -> str:
    """The base with these parts alone."""
    for part in sorted(parts, key=lambda part: part.base_start, reverse=True):
        base = base[: part.base_start] + part.text(base) + base[part.base_end :]
    return base

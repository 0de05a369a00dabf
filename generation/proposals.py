"""The suggestions that an answer brings, and what was found wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from collab.ids import FileId, JobId, SuggestionId
from collab.merge.contest import TOUCHED, Blocked, Merged
from collab.merge.hunks import HunkId
from collab.merge.suggestions import ConflictKind, Kind, Suggestion


class Proposals:
    """Collects suggestions until they are taken. Some are put off until it is known whether they are needed."""

    def __init__(self, job: JobId, new_id: Callable[[], SuggestionId]) -> None:
        self._job = job
        self._new_id = new_id
        self._ready: list[Suggestion] = []
        self._put_off: list[Suggestion] = []
        self._findings: dict[HunkId, tuple[str, ...]] = {}
        self._later: set[HunkId] = set()
        self.of: dict[HunkId, list[SuggestionId]] = {}
        """The suggestions that each hunk has become."""

    def find(self, hunk: HunkId, findings: Iterable[str], *, later: bool = False) -> None:
        """Something is wrong with a hunk: that goes with whatever is suggested of it.

        With ``later``, what is suggested of it is put off.
        """
        self._findings[hunk] = (*self._findings.get(hunk, ()), *findings)
        if later:
            self._later.add(hunk)

    def take(self) -> list[Suggestion]:
        """The new suggestions."""
        ready, self._ready = self._ready, []
        return ready

    def release(self, settled: Collection[str] = ()) -> list[Suggestion]:
        """What was put off is to be asked now, but for the paths that are settled; returns what is not asked."""
        dropped = [one for one in self._put_off if one.path in settled]
        self._ready += [one for one in self._put_off if one.path not in settled]
        self._put_off = []
        self._later.clear()
        return dropped

    def drop(self) -> None:
        """Nothing that has not been taken is asked any more."""
        self._ready, self._put_off = [], []

    def add(
        self,
        path: str,
        kind: Kind,
        reason: str,
        before: str,
        after: str,
        *,
        file: FileId | None,
        anchor: bytes | None = None,
        end: bytes | None = None,
        conflict: ConflictKind = "none",
        findings: tuple[str, ...] = (),
        later: bool = False,
    ) -> Suggestion:
        """Something is to be asked."""
        made = Suggestion(
            suggestion=self._new_id(),
            job=self._job,
            file=file,
            path=path,
            reason=reason,
            kind=kind,
            before=before,
            after=after,
            anchor=anchor,
            end=end,
            conflict=conflict,
            findings=findings,
        )
        (self._put_off if later else self._ready).append(made)
        return made

    def replaced(self, hunk: HunkId) -> list[SuggestionId]:
        """Something else takes the place of a hunk; the suggestions that it had become."""
        return self.of.pop(hunk, [])

    def blocked(self, item: Blocked) -> None:
        """A hunk, or a part of one, did not land."""
        made = self.add(
            item.path,
            item.kind,
            item.reason,
            item.before,
            item.after,
            file=item.file,
            anchor=item.anchor,
            end=item.end,
            conflict=item.conflict,
            findings=self._findings.get(item.hunk, ()),
            later=item.hunk in self._later,
        )
        self.of.setdefault(item.hunk, []).append(made.suggestion)

    def merged(self, item: Merged) -> None:
        """A collision could be merged by itself; a record of that."""
        made = self.add(item.path, "hunk", TOUCHED, item.base, item.theirs, file=item.file, conflict=item.conflict)
        self._ready[-1] = replace(made, state="merged", layer=item.layer, ours=item.ours)

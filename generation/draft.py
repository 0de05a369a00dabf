"""What an answer alone makes of the files that the model saw, whatever people do to them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from collab.ids import FileId
from collab.listing import Listing
from collab.merge.hunks import HunkId


@dataclass(frozen=True, slots=True)
class Edit:
    """A complete change of a file: code points ``start`` to ``end`` of its base; of a new one, all its text."""

    hunk: HunkId
    start: int
    end: int
    text: str


@dataclass(slots=True)
class FileDraft:
    """One file's changes. ``file`` and ``base`` are None and empty for a new one."""

    path: str
    file: FileId | None
    base: str
    edits: list[Edit] = field(default_factory=list)

    def text(self, without: Collection[HunkId] = ()) -> str:
        """The file with its changes, or with those that are not left out."""
        text = self.base
        for edit in sorted(self.edits, key=lambda edit: (edit.start, edit.end), reverse=True):
            if edit.hunk not in without:
                text = text[: edit.start] + edit.text + text[edit.end :]
        return text

    def add(self, edit: Edit) -> None:
        """Adds a change, unless it is of lines that another one has changed already: that one is not made."""
        if not any(edit.start < other.end and other.start < edit.end for other in self.edits) and not (
            self.file is None and self.edits
        ):
            self.edits.append(edit)


class Draft:
    """The files that an answer changes, by the path that they have in the base or are made under."""

    def __init__(self, listing: Listing, read: Callable[[FileId], str]) -> None:
        self._listing = listing
        self._read = read
        self.files: dict[str, FileDraft] = {}
        self.renamed: dict[str, str] = {}
        self.deleted: set[str] = set()

    def note(self, path: str, hunk: HunkId, start: int, end: int, text: str) -> None:
        """A change is complete."""
        found = self.files.get(path)
        if found is None:
            file = self._listing.by_path(path)
            base = "" if file is None else self._read(file.id)
            found = self.files[path] = FileDraft(path, None if file is None else file.id, base)
        found.add(Edit(hunk, start, end, text))

    def copy(self) -> Draft:
        """Another draft with the same changes, which can go its own way."""
        made = Draft(self._listing, self._read)
        made.files = {
            path: FileDraft(file.path, file.file, file.base, list(file.edits)) for path, file in self.files.items()
        }
        made.renamed, made.deleted = dict(self.renamed), set(self.deleted)
        return made

    def replace(self, path: str, text: str) -> None:
        """A file gets another text, by the path that it has after the answer; whatever changed it before."""
        before = self._path_before(path)
        self.files.pop(before, None)
        file = self._listing.by_path(before)
        self.note(before, HunkId(0), 0, 0 if file is None else len(self._read(file.id)), text)

    def opened(self, path: str) -> FileDraft | None:
        """A file with its changes, if any, by the path that it has after the answer; None if it is not there."""
        before = self._path_before(path)
        file = self._listing.by_path(before)
        if before in self.files or file is None:
            return self.files.get(before)
        return FileDraft(before, file.id, self._read(file.id))

    def _path_before(self, path: str) -> str:
        return next((old for old, new in self.renamed.items() if new == path), path)

    def drop(self, hunk: HunkId) -> None:
        """A change is not made after all."""
        for path, draft in list(self.files.items()):
            draft.edits = [edit for edit in draft.edits if edit.hunk != hunk]
            if not draft.edits:
                del self.files[path]

    def clear(self) -> None:
        """No change is made after all."""
        self.files.clear()
        self.renamed.clear()
        self.deleted.clear()

    def paths(self) -> list[str]:
        """The paths of the project as the answer makes them."""
        before = [file.shown for file in self._listing.files.values() if file.shown not in self.deleted]
        after = [self.renamed.get(path, path) for path in before]
        return [*after, *(path for path, draft in self.files.items() if draft.file is None)]

    def path_now(self, path: str) -> str:
        """The path that a file of the base has after the answer."""
        return self.renamed.get(path, path)

    def text(self, path: str) -> str | None:
        """The text of a file as the answer makes it, by the path that it has then; None if it is not there."""
        before = self._path_before(path)
        if before == path and path in self.renamed:
            return None
        if before in self.files:
            return self.files[before].text()
        file = self._listing.by_path(before)
        return None if file is None or before in self.deleted else self._read(file.id)

    def before(self, path: str) -> str | None:
        """The text that a file had before the answer, by the path that it has after it."""
        file = self._listing.by_path(self._path_before(path))
        return None if file is None else self._read(file.id)

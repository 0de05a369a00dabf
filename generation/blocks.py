"""The blocks of one answer, read one after the other: where each belongs, and what is written of it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from collab.ids import FileId, FilePath
from collab.listing import File
from collab.merge.hunks import HunkId
from collab.merge.session import MergeSession
from collab.merge.suggestions import Kind
from generation.block import Block
from generation.draft import Draft
from generation.elision import elides
from generation.kept import Kept
from generation.locate import NoPlace, Place, locate, newline_of, stands
from generation.naming import nearest
from generation.near import Near, fitted, near, widened
from generation.postprocess import Formatter
from generation.proposals import Proposals
from generation.rewriting import drops_most

_ELIDES = "It leaves lines out and says so with a line of its own, so it is not known what they are."
_AGAIN = "An earlier part of this answer has put something else there."
_OTHER_WORDS = "The lines that it replaces stand in the file in other words, which it would change."


class Blocks:
    """Writes blocks into a session, and notes them in a draft; what has no certain place becomes a proposal.

    ``asks`` and ``asks_whole`` say, in words, why nothing lands before somebody accepts it; empty where it may.
    """

    def __init__(
        self,
        session: MergeSession,
        draft: Draft,
        proposals: Proposals,
        *,
        asks: str,
        asks_whole: str,
        may_drop: bool,
        defers: bool,
        half_written: Callable[[FileId], bool],
        file_id: Callable[[], FileId],
    ) -> None:
        self.changes = 0
        """Changes that were read, wherever they ended up."""
        self.done = 0
        """Those of them that were in the files already."""
        self.kept = Kept()
        """The blocks that were complete."""
        self.problems: list[str] = []
        self.refused: dict[str, list[str]] = {}
        """What is said about blocks that leave lines out, by path."""
        self.open: dict[HunkId, FilePath] = {}
        """Hunks that have not landed yet."""
        self.pending: list[FilePath] = []
        """The path of each suggestion that came of a block without a hunk, since it was looked at last."""
        self._session = session
        self._draft = draft
        self._proposals = proposals
        self.asks = asks
        self.asks_whole = asks_whole
        self._may_drop = may_drop
        self._defers = defers
        self._half_written = half_written
        self._file_id = file_id
        self._listing = session.base_listing()
        self.known = {file.shown for file in self._listing.files.values()}
        self._seen: frozenset[FileId] = frozenset()
        self._new: dict[FilePath, FileId] = {}
        self._block: Block | None = None

    def show(self, files: Collection[FileId]) -> None:
        """Notes which files the model has seen: it may not rewrite others as a whole without being asked."""
        self._seen = frozenset(files)

    @property
    def reading(self) -> bool:
        """Whether a block has begun and not ended."""
        return self._block is not None

    def forget(self) -> None:
        """All so far was only reasoned about."""
        self.void()
        self.open.clear()
        self._new.clear()
        self.problems.clear()
        self.refused.clear()
        self.pending.clear()
        self.changes = self.done = 0
        self.kept = Kept()

    def add(self, path: FilePath, start: int, end: int, text: str) -> None:
        """Makes a change of a file's base that no block says; of a file that is new, its whole text."""
        file = self._listing.by_path(path)
        if file is None:
            self._new[path] = self._file_id()
            made = self._session.open_file(self._new[path], path, asks=self.asks)
        else:
            made = self._session.open_hunk(file.id, start, end, asks=self.asks)
        self._session.write(made, text)
        self._session.close(made)
        self.open[made] = path
        self._draft.note(path, made, start, end, text)

    # Where a block belongs

    def meant(self, path: FilePath) -> FilePath:
        """The path itself, or if there is no such file, the one that it can only mean."""
        return self._file(path)[0]

    def _file(self, path: FilePath) -> tuple[FilePath, File | None]:
        """The file of a path, or the one that it can only mean."""
        file = self._listing.by_path(path)
        if file is None and path not in self._new and (close := nearest(path, self.known)) is not None:
            path, file = FilePath(close), self._listing.by_path(close)
        return path, file

    def begin_hunk(self, path: FilePath, search: str) -> None:
        """A block that replaces lines."""
        if not self._begin_again(path, search):
            self._begin_replacement(path, search)
        if self._block is not None:
            self._block.search = search

    def _begin_again(self, path: FilePath, search: str | None) -> bool:
        """Whether a block was there before: a model that goes on with an answer may say it twice."""
        before = self.kept.get(path, search)
        if before is None:
            return False
        file = self._listing.by_path(path)
        base = "" if file is None else self._session.base_text(file.id)
        kind: Kind = "hunk" if search else "whole_file" if file is not None else "new_file"
        block = self._gather(path, kind, _AGAIN, search or base, None if file is None else file.id, base)
        if not search and file is not None:
            place = self._all_of(file.id, base)
            block.formatter = self._formatter(path, base, place, first=True, whole=True)
        block.repeats = before
        return True

    def _begin_replacement(self, path: FilePath, search: str) -> None:
        file = self._listing.by_path(path)
        if file is None:
            if not search:
                self._begin_new(path)
            elif path in self._new:
                self._gather(path, "hunk", "The file was only just written by this job.", search)
            else:
                self.problems.append(f"{path} is not there, so no lines of it can be replaced.")
            return
        base = self._session.base_text(file.id)
        place: Place | Near | NoPlace = locate(base, search)
        if isinstance(place, NoPlace) and any(
            elides(path, line) for line in search.split("\n") if line.strip() not in base
        ):
            self._gather(path, "hunk", _ELIDES, search, file.id, base)
            return
        if isinstance(place, NoPlace) and place.missing:
            place = near(base, search)
        match place:
            case NoPlace(reason):
                self._gather(path, "hunk", reason, search, file.id, base)
            case Near(start):
                block = self._gather(path, "hunk", "", search, file.id, base)
                block.near = place
                block.formatter = self._formatter(path, base, place, first=start == 0)
            case Place(start, end):
                hunk = self._session.open_hunk(file.id, start, end, asks=self.asks)
                formatter = self._formatter(path, base, place, first=start == 0)
                self._aim(Block(path, "hunk", formatter, base, place, hunk=hunk, file=file.id))

    def begin_whole(self, path: FilePath) -> None:
        """A block that is a whole file."""
        if self._begin_again(path, None):
            return
        file = self._listing.by_path(path)
        if file is None:
            self._begin_new(path)
            return
        base = self._session.base_text(file.id)
        place = self._all_of(file.id, base)
        formatter = self._formatter(path, base, place, first=True, whole=True)
        if base and file.id not in self._seen and not self.asks:
            reason = "It replaces a file that the model was not shown."
            block = self._gather(path, "whole_file", reason, base, file.id, base)
            block.place, block.formatter = place, formatter
        else:
            hunk = self._session.open_whole(file.id, asks=self.asks_whole if base else self.asks)
            self._aim(Block(path, "whole_file", formatter, base, place, hunk=hunk, file=file.id))

    def _all_of(self, file: FileId, base: str) -> Place:
        """A file as a whole. One that this job has left half written need not have its last newline yet."""
        ended = not base or base.endswith("\n") or self._half_written(file)
        return Place(0, len(base), newline_of(base), ended)

    def _begin_new(self, path: FilePath) -> None:
        if path in self._new:
            self._gather(path, "new_file", "The same answer has written this file already.", "")
        else:
            file = self._new[path] = self._file_id()
            hunk = self._session.open_file(file, path, asks=self.asks)
            self._aim(Block(path, "new_file", Formatter(path, ""), place=Place(0, 0), hunk=hunk))

    def structural(self, path: FilePath, to: FilePath | None) -> None:
        """A file is to be renamed, or to be deleted."""
        file = self._listing.by_path(path)
        if file is None:
            self.problems.append(f"{path} is not there, so it cannot be {'renamed' if to else 'deleted'}.")
            return
        self.changes += 1
        if not self.kept.move(path, to):
            return
        if to:
            hunk = self._session.rename(file.id, to, asks=self.asks)
            self._draft.renamed[path] = to
        else:
            hunk = self._session.delete(file.id)
            self._draft.deleted.add(path)
        self.open[hunk] = path

    # Writing

    @staticmethod
    def _formatter(
        path: FilePath, base: str, place: Place | Near, *, first: bool, whole: bool = False
    ) -> Formatter:
        return Formatter(path, base, newline=place.newline, ended=place.ended, first=first, whole=whole)

    def _aim(self, block: Block) -> None:
        assert block.hunk is not None
        self.open[block.hunk] = block.path
        self._block = block

    def _gather(
        self,
        path: FilePath,
        kind: Kind,
        reason: str,
        before: str,
        file: FileId | None = None,
        base: str = "",
    ) -> Block:
        block = self._block = Block(path, kind, Formatter(path, ""), base, file=file, reason=reason, before=before)
        return block

    def write(self, text: str) -> None:
        """The next piece of the block that is open."""
        block = self._block
        if block is None:
            return
        out = block.take(text)
        if block.hunk is not None and out:
            self._session.write(block.hunk, out)
        if block.elided is not None:
            self._hold(block, _ELIDES)

    def doubt(self, reason: str) -> None:
        """The block that is open is only to be offered, for this reason."""
        if self._block is not None:
            self._hold(self._block, reason)

    def _hold(self, block: Block, reason: str) -> None:
        if block.hunk is not None:
            self._session.hold(block.hunk, reason)
        elif not block.reason:
            block.reason = reason

    def close(self) -> None:
        """The block that is open is complete."""
        block, self._block = self._block, None
        if block is None:
            return
        self.changes += 1
        if block.repeats == block.text:
            return
        if block.repeats is None:
            self.kept.add(block.path, block.search, block.text)
        if block.hunk is None:
            self._close_gathered(block)
            return
        if block.stands():
            self._session.withdraw(block.hunk)
            self.open.pop(block.hunk, None)
            self.done += 1
            return
        if rest := block.finish():
            self._session.write(block.hunk, rest)
        self._check_elided(block, block.hunk)
        text = "".join(block.written)
        if block.kind == "whole_file" and not self._may_drop and (said := drops_most(block.base, text)):
            self._session.hold(block.hunk, said)
        elif block.elided is None:
            assert block.place is not None
            self._draft.note(block.path, block.hunk, block.place.start, block.place.end, text)
        self._session.close(block.hunk)

    def _check_elided(self, block: Block, hunk: HunkId | None) -> None:
        if block.elided is None:
            return
        self._hold(block, _ELIDES)
        said = f"The line {block.elided!r} stands for lines that are left out."
        later = self._defers
        if hunk is not None:
            self._proposals.find(hunk, [said], later=later)
        self.refused.setdefault(block.path, []).append(said)

    def _close_gathered(self, block: Block) -> None:
        """A block that could not be written as it came: it is there already, has a place now, or is asked."""
        text = block.text
        if block.kind == "hunk" and block.base and block.repeats is None and stands(block.base, text):
            self.done += 1
            return
        if block.near is not None and block.file is not None and block.elided is None:
            self._close_near(block, block.near, block.file)
            return
        block.finish()
        self._check_elided(block, None)
        after = "".join(block.written) if block.kind == "whole_file" else text
        self.pending.append(block.path)
        findings = (f"The line {block.elided!r} stands for lines that are left out.",) if block.elided else ()
        self._proposals.add(
            block.path, block.kind, block.reason, block.before, after, file=block.file, findings=findings
        )

    def _close_near(self, block: Block, place: Near, file: FileId) -> None:
        place, search = widened(block.base, place, block.before, block.text)
        region = block.base[place.start : place.end].replace("\r\n", "\n")
        region += "" if place.ended else "\n"
        text = fitted(region, search, block.text)
        asks = self.asks or ("" if text is not None else _OTHER_WORDS)
        hunk = self._session.open_hunk(file, place.start, place.end, asks=asks)
        self.open[hunk] = block.path
        text = block.formatter.feed(block.text if text is None else text) + block.formatter.end()
        self._session.write(hunk, text)
        self._session.close(hunk)
        if asks != _OTHER_WORDS:
            self._draft.note(block.path, hunk, place.start, place.end, text)

    def void(self) -> bool:
        """Takes back the block that is open; False if none is."""
        block, self._block = self._block, None
        if block is not None and block.hunk is not None:
            self._session.withdraw(block.hunk)
            if block.kind == "new_file":
                self._new.pop(block.path, None)
            self.open.pop(block.hunk, None)
        return block is not None

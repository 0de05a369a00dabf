"""Turns decisions about a changeset into updates of the live document, a ledger, and questions to the room."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from collab.document import Document
from collab.ids import SHORT_ALPHABET, ClientId, FileId, JobId, SuggestionId
from collab.ledger import Created, Ledger, Removed, Renamed
from collab.listing import File
from collab.merge.aligner import growth
from collab.merge.changeset import Decision, Piece
from collab.merge.edits import splice
from collab.merge.places import range_anchors
from collab.merge.suggestions import Suggestion
from collab.undo import create, joined, rename


@dataclass(frozen=True, slots=True)
class Ids:
    """Where the ids of what is made come from.

    Texts are changed under the id ``client``, new files are made under ``maker``. ``suggestion`` gets what a
    question is about, the same for the same question of the same changeset: an id that follows from it makes a
    changeset that comes twice ask once (I4).
    """

    change: JobId
    client: ClientId
    maker: ClientId
    file: Callable[[], FileId]
    suggestion: Callable[[str], SuggestionId]


@dataclass(slots=True)
class Landed:
    """``update`` is to be applied to the live document at once; None if it changes nothing."""

    update: bytes | None = None
    ledger: Ledger = field(default_factory=Ledger)
    suggestions: list[Suggestion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Record:
    """What the room is to be asked, or a collision that was merged. ``place`` is in the fork's text, if any."""

    key: str
    decision: Decision
    file: FileId | None
    piece: Piece | None = None
    place: tuple[int, int] | None = None
    text: str = ""
    """What the file has now, if it is asked about as a whole."""


class Landing:
    """Writes the decisions of one changeset, in one batch or in several.

    After each ``write``, apply its update to the live document at once, and read ``suggestions`` before the next
    one: their anchors are those of the text as it is then.
    """

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._fork: Document | None = None
        # New files need nothing of the room, and to copy a large one takes long.
        self._new = Document(ids.maker)
        self._records: list[_Record] = []
        self._asked: Counter[str] = Counter()
        self.ledger = Ledger()
        """What was written, for the undo."""

    def prepare(self, live: Document, decisions: Sequence[Decision]) -> None:
        """Does ahead of ``write`` what takes long in a large room."""
        if self._fork is None and any(_needs_texts(decision) for decision in decisions):
            self._fork = live.fork(self._ids.client)

    def write(self, live: Document, decisions: Sequence[Decision]) -> bytes | None:
        """Writes decisions about the texts that ``live`` has, which stays as it is; the update, or None if it
        changes nothing.

        Raises InvalidOperation if the texts are not those that were decided about, and InvalidPath.
        """
        # Looked up once: a list of many files takes long to make, and every new file would make it anew.
        listing = live.listing()
        found = [(decision, listing.by_path(decision.path)) for decision in decisions]
        self.prepare(live, decisions)
        if self._fork is not None:
            self._fork.copy(live)
        return joined([self._write(live, decision, file) for decision, file in found])

    def suggestions(self, at_ms: int) -> Iterator[Suggestion]:
        """What is to be asked about what was written, and what was merged; each takes some 0.3 ms to find."""
        records, self._records = self._records, []
        for record in records:
            yield self._suggestion(record, at_ms)

    def _write(self, live: Document, decision: Decision, file: File | None) -> bytes | None:
        fork, ledger = self._fork, self.ledger
        if decision.kind == "hunk":
            return None if file is None or fork is None else self._lines(fork, decision, file)
        if decision.outcome == "asked":
            there = None if file is None or decision.kind == "new_file" else file.id
            text = live.text(there) if there is not None and decision.kind != "rename_file" else ""
            self._records.append(_Record(self._key(decision), decision, there, text=text))
        elif decision.outcome != "done":
            return None
        elif decision.kind == "new_file":
            new = self._ids.file()
            update, written = create(self._new, new, decision.path, decision.text)
            ledger.created.append(Created(new, decision.path))
            if written.length:
                ledger.insert(new, written)
            return update
        elif decision.kind == "rename_file" and file is not None and fork is not None:
            ledger.renamed.append(Renamed(file.id, file.path, decision.text))
            return rename(fork, file.id, decision.text)
        elif decision.kind == "delete_file" and file is not None and fork is not None:
            ledger.removed.append(Removed(file.id, file.path, fork.text(file.id)))
            return _delete(fork, file.id)
        return None

    def _lines(self, fork: Document, decision: Decision, file: File) -> bytes | None:
        changes = decision.changes
        shift = 0
        for piece in decision.pieces:
            grown = growth(list(piece.changes))
            if piece.outcome != "done":
                # Where its lines stand once all changes are made.
                place = piece.start + shift, piece.end + shift + grown
                self._records.append(_Record(self._key(decision, piece), decision, file.id, piece, place))
            shift += grown
        return splice(fork, file.id, changes, self.ledger)[0] if changes else None

    def _key(self, decision: Decision, piece: Piece | None = None) -> str:
        sides = (piece.base, piece.theirs) if piece is not None else (decision.before, decision.text)
        outcome = decision.outcome if piece is None else piece.outcome
        # Not the place: when the changeset comes again, it is another one.
        key = "\0".join((decision.path, decision.kind, outcome, _digest(decision.text), *map(_digest, sides)))
        self._asked[key] += 1
        return f"{key}\0{self._asked[key]}"

    def _suggestion(self, record: _Record, at_ms: int) -> Suggestion:
        decision, piece, file = record.decision, record.piece, record.file
        suggestion = Suggestion(
            suggestion=self._ids.suggestion(record.key),
            job=self._ids.change,
            file=file,
            path=decision.path,
            reason=decision.reason if piece is None else piece.reason,
            kind=decision.kind,
            before=decision.before if piece is None else piece.base,
            after=decision.text if piece is None else piece.theirs,
            conflict=decision.conflict if piece is None else piece.conflict,
            at_ms=at_ms,
        )
        if piece is None:
            if decision.kind == "delete_file":
                return replace(suggestion, before=record.text)
            return replace(suggestion, ours=record.text)
        assert self._fork is not None
        assert file is not None
        assert record.place is not None
        anchor, end = range_anchors(self._fork, file, *record.place)
        suggestion = replace(suggestion, anchor=anchor, end=end, ours=piece.ours)
        if piece.outcome == "merged":
            return replace(suggestion, state="merged", layer=piece.layer, answered_ms=at_ms)
        return suggestion


def land(live: Document, decisions: Sequence[Decision], ids: Ids, at_ms: int) -> Landed:
    """All at once what ``Landing`` does; the live texts must be those that were decided about.

    Raises InvalidOperation if they are not.
    """
    landing = Landing(ids)
    update = landing.write(live, decisions)
    return Landed(update, landing.ledger, list(landing.suggestions(at_ms)))


def question_id(asker: str, key: str) -> SuggestionId:
    """The id of a question of an asker's changeset: the same whenever and wherever it is asked again."""
    digest = hashlib.blake2b(f"{asker}\0{key}".encode(errors="replace")).digest()
    return SuggestionId("s" + spelled(digest, _ID_LENGTH))


def spelled(digest: bytes, length: int) -> str:
    """A part of a digest as ``length`` characters that a person can type, at most 100 bits of it."""
    number = int.from_bytes(digest[:13], "big")
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(SHORT_ALPHABET))
        letters.append(SHORT_ALPHABET[digit])
    return "".join(letters)


_ID_LENGTH = 10


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()


def _needs_texts(decision: Decision) -> bool:
    """Whether something that is in the room is changed, or a place in it kept."""
    if decision.kind == "hunk":
        return bool(decision.pieces)
    return decision.outcome == "done" and decision.kind != "new_file"


def _delete(fork: Document, file: FileId) -> bytes | None:
    return fork.edit(lambda editor: editor.delete(file))[1].update

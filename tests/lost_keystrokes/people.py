"""People who type, each in a replica of their own: words piece by piece, lines, corrections, pastes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final
from unicodedata import combining

from collab.document import Applied, Document
from collab.editor import Editor
from collab.errors import NotFound
from collab.ids import ClientId, FileId
from collab.merge.places import anchor_behind
from collab.offsets import utf16_length
from collab.wire import IdRange, decode_anchor, decode_state_vector
from tests.lost_keystrokes.order import Id, deleted_by
from tests.lost_keystrokes.record import Edit, words_begun, words_cut, words_made
from tests.lost_keystrokes.texts import PEOPLE, WORD, Words, block, newline_of, statement

_JOINERS: Final = "\u200d\ufe0f"
Attraction = Callable[[Random], str | None]
"""A word near which somebody may want to type."""


class Person:
    """One person. ``act`` does one edit; ``outbox`` holds what it sent as an update, with the edit."""

    def __init__(
        self, number: int, replica: Document, random: Random, words: Words, attraction: Attraction
    ) -> None:
        self.number = number
        self.replica = replica
        self.burst = 0
        self.outbox: list[tuple[Edit, bytes]] = []
        self.spoiled: set[str] = set()
        """Words of which this person deleted a part, or into which this person typed, or which came about so."""
        self.begun: set[tuple[str, str]] = set()
        """Beginnings of a model's words to which this person did so while they were being written."""
        self._own: set[str] = set()
        self._random = random
        self._words = words
        self._attraction = attraction
        self._file: FileId | None = None
        self._at = 0
        self._anchor: bytes | None = None
        self._between: tuple[Id | None, Id | None, str] | None = None
        self._pending = ""
        self._clock = decode_state_vector(replica.state_vector()).get(replica.client_id, 0)

    def receive(self, updates: list[bytes]) -> None:
        """Applies what others did."""
        version = self.replica.version
        self.replica.apply(updates)
        if self.replica.version != version:
            self._between = None

    def act(self) -> None:
        """One edit, somewhere."""
        text = self._found() if self.burst > 0 else None
        if text is None:
            if not self._go():
                return
            self.burst = self._random.choice((2, 4, 8, 12, 20, 30))
            text = self.replica.text(self._file or FileId(""))
        self.burst -= 1
        what = self._random.random()
        if what < 0.74:
            self._change(text, self._at, self._at, self._piece())
        elif what < 0.81:
            line = text[text.rfind("\n", 0, self._at) + 1 : self._at]
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            self._change(text, self._at, self._at, newline_of(text) + indent)
        elif what < 0.91:
            self._change(text, _apart(text, self._at - self._random.randint(1, 3), -1), self._at, "")
        elif what < 0.93:
            self._change(text, self._at, _apart(text, self._at + self._random.randint(1, 6), 1), "")
        elif what < 0.945:
            start = text.rfind("\n", 0, self._at) + 1
            end = text.find("\n", self._at) + 1 or len(text)
            self._change(text, start, end, "")
        elif what < 0.965:
            lines = block(self._random, self._words, PEOPLE, self._random.randint(2, 6))
            pasted = "".join(line + newline_of(text) for line in lines)
            self._own.update(WORD.findall(pasted))
            self._change(text, self._at, self._at, pasted)
        else:
            end = _apart(text, self._at + self._random.randint(3, 12), 1)
            word = self._words.next(PEOPLE)
            self._own.add(word)
            self._change(text, self._at, end, word)

    def restructure(self, number: int) -> None:
        """Renames, deletes or adds a file."""
        files = self.replica.listing().files
        what = self._random.random()
        file = self._random.choice(sorted(files)) if files else None
        if file is None or what < 0.3:
            new = FileId(f"made{self.number}x{number}")
            path = self._random.choice(("src/file100.py", f"src/made{self.number}x{number}.py"))
            self._structural(new, lambda editor: editor.create(new, path))
        elif what < 0.8 or len(files) < 2:
            to = f"moved/{self.number}x{number}.py"
            self._structural(file, lambda editor: editor.rename(file, to))
        else:
            self._structural(file, lambda editor: editor.delete(file))

    def _structural(self, file: FileId, change: Callable[[Editor], None]) -> None:
        applied = self.replica.edit(change)[1]
        self._clock = decode_state_vector(applied.after).get(self.replica.client_id, 0)
        self._between = None
        self._send(Edit(self.number, file, structural=True), applied)

    def _send(self, edit: Edit, applied: Applied) -> None:
        if applied.update is not None:
            self.outbox.append((edit, applied.update))

    def _found(self) -> str | None:
        """The file's text if the cursor's place is still there; the cursor moves with what others do."""
        if self._file is None:
            return None
        if self._between is None and self._anchor is not None:
            at = self.replica.resolve(self._file, self._anchor)
            if at is None:
                return None
            self._at = at
        try:
            return self.replica.text(self._file)
        except NotFound:
            return None

    def _go(self) -> bool:
        """Puts the cursor elsewhere; False if there is no file."""
        files = sorted(self.replica.listing().files)
        if not files:
            return False
        self._file = self._random.choice(files)
        text = self.replica.text(self._file)
        at = self._random.randint(0, len(text))
        wanted = self._attraction(self._random)
        if wanted is not None:
            for file in files:
                content = self.replica.text(file)
                if (found := content.find(wanted)) >= 0:
                    self._file, text, at = file, content, found
                    break
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end - text[:end].endswith("\r")
        line = text[start:end]
        where = self._random.random()
        if where < 0.5:
            at = end
        elif where < 0.6:
            at = start + len(line) - len(line.lstrip())
        else:
            at = self._random.randint(start, max(start, end))
        self._at = _apart(text, at, -1)
        self._between = None
        self._anchor = self.replica.anchor(self._file, self._at)
        self._pending = ""
        return True

    def _piece(self) -> str:
        if not self._pending:
            self._pending = statement(self._random, self._words, PEOPLE) + self._random.choice(("", " ", "; "))
            self._own.update(WORD.findall(self._pending))
        length = self._random.choice((1, 1, 2, 4, 8))
        while length < len(self._pending) and _joins(self._pending, length):
            length += 1
        piece, self._pending = self._pending[:length], self._pending[length:]
        return piece

    def _change(self, text: str, start: int, end: int, insert: str) -> None:
        file = self._file
        if file is None or (start == end and not insert):
            return
        # Of words that are alike, letters of one may stay in the other, and an undo brings back what is between.
        self.spoiled.update(words_cut(text, start, end, beside=self._words.alike))
        self.begun.update(words_begun(text, start, end))
        now = text[:start] + insert + text[end:]
        self.spoiled.update(word for word in words_made(now, start, start + len(insert)) if word not in self._own)
        edit = Edit(self.number, file, text=insert)
        if insert:
            if start != end or self._between is None:
                self._between = *self._neighbours(file, start, end, len(text)), text[end : end + 1]
            edit.left, edit.right, edit.right_char = self._between
            edit.left_char = text[start - 1 : start]
        _, applied = self.replica.edit(lambda editor: editor.splice(file, start, end, insert))
        if insert:
            length = utf16_length(insert)
            edit.inserted = IdRange(self.replica.client_id, self._clock, length)
            self._clock += length
            self._between = (self.replica.client_id, self._clock - 1), edit.right, edit.right_char
            self._anchor = anchor_behind(self.replica.client_id, self._clock - 1)
        else:
            self._between = None
            self._anchor = self.replica.anchor(file, start)
        if end > start and applied.update is not None:
            edit.deleted = deleted_by(self.replica, applied.update)
        self._at = start + len(insert)
        self._send(edit, applied)

    def _neighbours(self, file: FileId, start: int, end: int, length: int) -> tuple[Id | None, Id | None]:
        left = self._unit(file, start) if start else None
        right = self._unit(file, end + 1) if end < length else None
        return left, right

    def _unit(self, file: FileId, behind: int) -> Id:
        item = decode_anchor(self.replica.anchor(file, behind))
        return item.client, item.clock


def client_ids(random: Random) -> Callable[[], ClientId]:
    """Gives out client ids, low and high ones: which of two concurrent inserts comes first depends on them."""
    given: set[int] = set()

    def next_id() -> ClientId:
        while True:
            client = random.choice((random.randint(2, 90_000), random.getrandbits(32)))
            if client not in given and client > 1:
                given.add(client)
                return ClientId(client)

    return next_id


def _apart(text: str, at: int, step: int) -> int:
    """The nearest place from ``at`` on that is not within what is one character to a person."""
    at = max(0, min(len(text), at))
    while 0 < at < len(text) and _joins(text, at):
        at += step
    return at


def _joins(text: str, at: int) -> bool:
    before, behind = text[at - 1], text[at]
    return (before == "\r" and behind == "\n") or combining(behind) > 0 or behind in _JOINERS or before in _JOINERS

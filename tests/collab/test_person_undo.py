from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.ledger import Ledger
from collab.person_undo import PersonChanges
from collab.undo import undo

FILE, OTHER = FileId("f1"), FileId("f2")


class Room:
    """A live document and two people with replicas of their own."""

    def __init__(self, text: str = "", **limits: int) -> None:
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FILE, "a.txt", text))
        self.live.edit(lambda editor: editor.create(OTHER, "b.txt", "other"))
        self.changes = PersonChanges(self.live.encode, **limits)  # type: ignore[arg-type]
        self.replicas = {"ada": self.live.fork(ClientId(7)), "bo": self.live.fork(ClientId(2**32 - 9))}
        self.now = 0

    def edit(
        self, person: str, start: int, end: int, text: str, *, after: int = 5_000, file: FileId = FILE
    ) -> None:
        """A splice that reaches the live document at once."""
        self.now += after
        replica = self.replicas[person]
        replica.apply([self.live.encode(replica.state_vector())])
        update = replica.edit(lambda editor: editor.splice(file, start, end, text))[1].update
        assert update is not None
        self.bring(person, update)

    def bring(self, person: str, update: bytes, relayed: tuple[ClientId, ...] = ()) -> None:
        self.live.apply([update])
        self.changes.record(person, self.now, update, relayed)

    def type(self, person: str, at: int, text: str, *, each: int = 100) -> None:
        for index, char in enumerate(text):
            self.edit(person, at + index, at + index, char, after=each if index else 5_000)

    def undo(self, person: str) -> bool:
        ledger = self.changes.last(person)
        if ledger is None:
            return False
        self.changes.undone(person, self._turn(ledger, again=False))
        return True

    def redo(self, person: str) -> bool:
        ledger = self.changes.next(person)
        if ledger is None:
            return False
        self.changes.redone(person, self._turn(ledger, again=True))
        return True

    def _turn(self, ledger: Ledger, *, again: bool) -> Ledger:
        update, reverse = undo(ledger, self.live, self.changes.beside(ledger), again=again)
        if update is not None:
            self.live.apply([update])
            self.changes.record("", self.now, update)
        return reverse

    @property
    def text(self) -> str:
        return self.live.text(FILE)


def test_keystrokes_in_a_row_are_one_change_over_a_line_end() -> None:
    room = Room("end")
    room.type("ada", 0, "one\ntwo\n")
    assert room.undo("ada")
    assert room.text == "end"
    assert not room.undo("ada")


def test_a_pause_ends_a_change() -> None:
    room = Room()
    room.type("ada", 0, "one")
    room.type("ada", 3, "two")
    assert room.undo("ada")
    assert room.text == "one"


def test_nobody_types_longer_than_ten_seconds_in_one_change() -> None:
    room = Room()
    room.type("ada", 0, "x" * 30, each=500)
    assert room.undo("ada")
    assert room.text == "x" * 20


def test_what_others_typed_between_and_within_stays() -> None:
    room = Room("base")
    room.type("ada", 4, " ada")
    room.type("bo", 6, "BO")
    room.edit("bo", 0, 1, "")
    assert room.undo("ada")
    assert room.text == "aseBO"
    assert room.redo("ada")
    assert room.text == "ase aBOda"


def test_deleted_text_comes_back_around_what_others_typed_there() -> None:
    room = Room("one é😀 two")
    room.edit("ada", 2, 8, "")
    room.edit("bo", 2, 2, "BO")
    assert room.text == "onBOwo"
    assert room.undo("ada")
    assert room.text.replace("BO", "") == "one é😀 two"
    assert "BO" in room.text


def test_undo_walks_back_and_redo_walks_forward() -> None:
    room = Room()
    for index, word in enumerate(("a", "b", "c")):
        room.edit("ada", index, index, word)
    assert [room.undo("ada") for _ in range(4)] == [True, True, True, False]
    assert room.text == ""
    texts = []
    while room.redo("ada"):
        texts.append(room.text)
    assert texts == ["a", "ab", "abc"]
    assert room.undo("ada")
    assert room.text == "ab"


def test_a_new_edit_ends_the_redo_but_not_the_undo_of_what_was_before() -> None:
    room = Room()
    room.edit("ada", 0, 0, "a")
    room.edit("ada", 1, 1, "b")
    room.undo("ada")
    room.edit("ada", 1, 1, "c", after=10)
    assert not room.redo("ada")
    assert room.undo("ada")
    assert room.text == "a"
    assert room.undo("ada")
    assert room.text == ""


def test_everybody_undoes_only_what_is_theirs() -> None:
    room = Room("x")
    room.edit("ada", 1, 1, "ada")
    room.edit("bo", 4, 4, "bo")
    assert room.undo("ada")
    assert room.text == "xbo"
    assert not room.undo("ada")
    assert room.undo("bo")
    assert room.text == "x"


def test_text_that_its_writer_has_undone_is_not_brought_back_by_who_deleted_it() -> None:
    room = Room("x")
    room.edit("ada", 1, 1, "ada")
    room.edit("bo", 0, 4, "")
    room.undo("ada")
    room.undo("bo")
    assert room.text == "x"
    room.redo("ada")
    assert room.text == "xada"


def test_what_came_and_went_in_one_message_does_not_hinder() -> None:
    room = Room("base")
    replica = room.replicas["ada"]
    before = replica.state_vector()
    replica.edit(lambda editor: editor.splice(FILE, 4, 4, "typo"))
    replica.edit(lambda editor: editor.splice(FILE, 2, 8, ""))
    room.now += 5_000
    room.bring("ada", replica.encode(before))
    assert room.text == "ba"
    assert room.undo("ada")
    assert room.text == "base"


def test_a_client_that_brings_back_what_is_known_has_changed_nothing() -> None:
    room = Room("base")
    room.edit("bo", 0, 2, "BO")
    room.replicas["ada"].apply([room.live.encode()])
    room.bring("ada", room.replicas["ada"].encode())
    assert not room.undo("ada")


def test_relayed_edits_are_not_the_relaying_persons() -> None:
    room = Room("base")
    replica = room.live.fork(ClientId(99))
    update = replica.edit(lambda editor: editor.splice(FILE, 0, 0, "bo"))[1].update
    assert update is not None
    room.bring("ada", update, (ClientId(99),))
    assert not room.undo("ada")


def test_a_change_of_two_files_is_one() -> None:
    room = Room("base")
    room.edit("ada", 0, 2, "")
    room.edit("ada", 0, 2, "OT", after=10, file=OTHER)
    assert (room.text, room.live.text(OTHER)) == ("se", "OTher")
    assert room.undo("ada")
    assert (room.text, room.live.text(OTHER)) == ("base", "other")


def test_creating_a_file_is_no_change_to_be_undone() -> None:
    room = Room()
    replica = room.replicas["ada"]
    update = replica.edit(lambda editor: editor.create(FileId("f3"), "c.txt"))[1].update
    assert update is not None
    room.bring("ada", update)
    assert not room.undo("ada")


def test_only_so_much_is_kept_and_what_is_kept_can_be_undone() -> None:
    room = Room(most_entries=50)
    for number in range(140):
        room.edit("ada", number, number, "x")
    undone = 0
    while room.undo("ada"):
        undone += 1
    # What undoes counts as well.
    assert 25 <= undone <= 100
    assert room.text == "x" * (140 - undone)
    room = Room("y" * 2000, most_bytes=1)
    for _ in range(100):
        room.edit("ada", 0, 1, "x" * 100)
    assert room.undo("ada")
    assert sum(stretch.size for stretch in room.changes._stretches()) < 2 * 20_000


def test_in_a_document_that_is_too_large_nothing_is_kept() -> None:
    room = Room("y" * 2000, most_state=1000)
    room.edit("ada", 0, 1, "x")
    assert not room.undo("ada")


def test_what_was_undone_before_a_restart_stays_so() -> None:
    room = Room("x")
    room.edit("ada", 1, 1, "ada")
    room.edit("bo", 0, 4, "")
    before = room.changes.last("bo")
    assert before is not None
    room.undo("ada")
    aside = Ledger.from_bytes(room.changes.for_store().to_bytes())
    changes = PersonChanges(room.live.encode, aside)
    assert changes.last("ada") is None
    update, _ = undo(before, room.live, changes.beside())
    assert update is not None
    room.live.apply([update])
    assert room.text == "x"

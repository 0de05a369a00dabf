from __future__ import annotations

from typing import Any

import pycrdt
import pytest

from collab.document import Document
from collab.editor import Editor
from collab.errors import Conflict, InvalidOperation, NotFound
from collab.ids import ClientId, FileId, FilePath
from collab.text_ops import Delete, Insert, Retain, TextOp, apply, splices
from collab.versions import MAX_WORK, FileAdded, FileChange, FileGone, FileMoved, FileVersions, TextVersioned

A = FileId("a")
B = FileId("b")


class Live:
    """A document with two files, and its versions, which follow every transaction."""

    def __init__(self, base: int = 10, history: int = 100) -> None:
        self.document = Document(ClientId(1))
        self.document.edit(lambda editor: editor.create(A, "a.txt", "hello"))
        self.document.edit(lambda editor: editor.create(B, "b.txt", "é😀"))
        self.versions = FileVersions(self.document, base, history)

    def load(self) -> Live:
        assert self.versions.load(100)
        return self

    def splice(self, file: FileId, start: int, end: int, insert: str, by: str = "Ann") -> list[FileChange]:
        _, applied = self.document.edit(lambda editor: editor.splice(file, start, end, insert))
        return self.versions.follow(applied, by)

    def operate(self, file: FileId, version: int, op: TextOp) -> None:
        now = self.versions.rebase(file, version, op)
        changes = splices(now, self.versions.text(file))
        _, applied = self.document.edit(lambda editor: editor.splices(file, changes))
        self.versions.follow(applied, "")

    def update(self, make: pycrdt.Doc[Any]) -> list[FileChange]:
        return self.versions.follow(self.document.apply([make.get_update()]), "")

    def other(self) -> pycrdt.Doc[Any]:
        """The same document as any Yjs client could hold it."""
        doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=7)
        doc.apply_update(self.document.encode())
        return doc


def files(doc: pycrdt.Doc[Any]) -> pycrdt.Map[Any]:
    found: pycrdt.Map[Any] = doc.get("files", type=pycrdt.Map)
    return found


def test_versions_begin_at_the_base() -> None:
    assert Live(base=41).load().versions.version(A) == 41


def test_a_changed_text_has_one_more_version_and_the_operation_that_made_it() -> None:
    live = Live().load()
    assert live.splice(B, 1, 2, "x") == [
        TextVersioned(B, live.document.file("b.txt").shown, 11, (Retain(1), Delete(2), Insert("x")), "Ann")
    ]
    assert (live.versions.version(B), live.versions.text(B)) == (11, "éx")


def test_one_transaction_is_one_version_of_each_text() -> None:
    live = Live().load()

    def change(editor: Editor) -> None:
        editor.splice(A, 0, 0, "1")
        editor.splice(A, 6, 6, "2")
        editor.splice(B, 0, 1, "")

    _, applied = live.document.edit(change)
    changes = live.versions.follow(applied, "")
    assert [(c.file, c.version, c.op) for c in changes if isinstance(c, TextVersioned)] == [
        (A, 11, (Insert("1"), Retain(5), Insert("2"))),
        (B, 11, (Delete(1),)),
    ]


def test_a_transaction_that_changes_nothing_makes_no_version() -> None:
    live = Live().load()
    _, applied = live.document.edit(lambda editor: None)
    assert live.versions.follow(applied, "") == []
    assert live.versions.version(A) == 10


def test_a_file_that_nobody_asked_about_has_no_versions_and_its_changes_are_left_out() -> None:
    live = Live()
    assert live.versions.version(A) == 10
    assert live.splice(B, 0, 0, "x") == []
    assert live.versions.version(B) == 11


def test_loading_goes_piece_by_piece() -> None:
    live = Live()
    assert not live.versions.load(1)
    assert live.versions.load(1)


def test_an_operation_against_an_older_version_is_transformed() -> None:
    live = Live().load()
    live.splice(A, 0, 1, "HH")
    live.splice(A, 6, 6, "!")
    assert live.versions.rebase(A, 10, (Retain(5), Insert("?"))) == (Retain(7), Insert("?"))


def test_an_operation_needs_no_text_of_its_version() -> None:
    live = Live().load()
    live.splice(B, 0, 1, "")
    live.operate(B, 10, (Retain(1), Delete(2), Insert("ok")))
    assert live.document.text(B) == "ok"


def test_an_operation_longer_than_the_text_of_its_version_is_refused() -> None:
    live = Live().load()
    live.splice(A, 5, 5, " world")
    with pytest.raises(InvalidOperation, match="goes over 6 UTF-16 units, and the text has 5"):
        live.versions.rebase(A, 10, (Retain(6), Insert("!")))
    assert live.versions.rebase(A, 11, (Retain(6), Insert("!"))) == (Retain(6), Insert("!"))


@pytest.mark.parametrize("version", [0, 9, 12])
def test_a_version_that_was_never_there_is_a_conflict(version: int) -> None:
    live = Live().load()
    live.splice(A, 0, 0, "x")
    with pytest.raises(Conflict, match="versions 10 to 11 are known; read the file again") as error:
        live.versions.rebase(A, version, (Insert("y"),))
    assert error.value.field == "version"


def test_a_version_older_than_the_history_is_a_conflict() -> None:
    live = Live(history=2).load()
    for _ in range(3):
        live.splice(A, 0, 0, "x")
    assert live.versions.rebase(A, 11, ()) == ()
    with pytest.raises(Conflict, match="versions 11 to 13 are known"):
        live.versions.rebase(A, 10, ())


def test_a_rebase_is_bounded_in_work() -> None:
    live = Live().load()
    for _ in range(20):
        live.splice(A, 0, 0, "x")
    op = (Retain(1), Insert("y")) * (MAX_WORK // 40)
    with pytest.raises(Conflict, match="changed 20 times since version 10"):
        live.versions.rebase(A, 10, op)


def test_the_history_of_a_file_is_bounded_in_steps() -> None:
    live = Live(history=1000)
    marks = [(at, at, "x") for at in range(0, 2_000, 2)]
    live.document.edit(lambda editor: editor.splice(A, 0, 5, "." * 2_000))
    live.load()
    versions = MAX_WORK // 2_000 + 3
    for _ in range(versions):
        _, applied = live.document.edit(lambda editor: editor.splices(A, marks))
        live.versions.follow(applied, "")
    assert live.versions.version(A) == 10 + versions
    with pytest.raises(Conflict, match=r"versions 1[1-9] to"):
        live.versions.rebase(A, 10, ())


def test_two_clients_and_an_unversioned_edit_converge() -> None:
    live = Live().load()
    one, two = (Retain(5), Insert(" one")), (Retain(1), Delete(3), Insert("-"))
    live.operate(A, 10, one)
    live.splice(A, 0, 0, ">")
    live.operate(A, 10, two)
    assert live.document.text(A) == ">h-o one"
    assert live.versions.text(A) == live.document.text(A)


def test_created_renamed_and_deleted_files_are_told() -> None:
    live = Live().load()
    new = FileId("c")

    def change(editor: Editor) -> None:
        editor.create(new, "c.txt", "😀")
        editor.rename(A, "z.txt")
        editor.delete(B)

    _, applied = live.document.edit(change)
    assert live.versions.follow(applied, "") == [
        FileGone(B, FilePath("b.txt")),
        FileMoved(A, FilePath("z.txt"), FilePath("a.txt")),
        FileAdded(new, FilePath("c.txt"), 11, 2),
    ]
    with pytest.raises(NotFound):
        live.versions.version(B)


def test_a_file_that_comes_back_under_its_id_takes_no_number_again() -> None:
    live = Live().load()
    live.splice(A, 0, 0, "x")
    live.versions.follow(live.document.edit(lambda editor: editor.delete(A))[1], "")
    live.versions.follow(live.document.edit(lambda editor: editor.create(A, "a.txt"))[1], "")
    assert live.versions.version(A) > 11


def test_an_embedded_object_does_not_put_operations_out_of_place() -> None:
    live = Live().load()
    doc = live.other()
    text = files(doc)["a"]["text"]
    text.insert_embed(2, {"image": "x"})
    live.update(doc)
    text.insert(5, "Z")
    (change,) = live.update(doc)
    assert isinstance(change, TextVersioned)
    assert apply("hello", change.op) == live.document.text(A) == "hellZo"


def test_a_replaced_text_is_one_operation_from_the_old_to_the_new() -> None:
    live = Live().load()
    doc = live.other()
    files(doc)["a"]["text"] = pycrdt.Text("hallo!")
    (change,) = live.update(doc)
    assert isinstance(change, TextVersioned)
    assert apply("hello", change.op) == live.document.text(A) == "hallo!"


def test_an_entry_that_is_no_file_any_more_is_gone() -> None:
    live = Live().load()
    doc = live.other()
    files(doc)["a"]["path"] = "../up"
    assert live.update(doc) == [FileGone(A, FilePath("a.txt"))]


def test_what_nobody_was_told_of_is_one_version_once_somebody_asks() -> None:
    live = Live().load()
    file = FileId("f")
    live.document.edit(lambda editor: editor.create(file, "a.txt", "one"))
    live.versions.follow(live.document.last_applied, "Ann")
    before = live.versions.version(file)
    for text in ("two ", "three "):
        live.document.edit(lambda editor, text=text: editor.splice(file, 0, 0, text))  # type: ignore[misc]
        live.versions.defer(live.document.last_applied)
    live.document.edit(lambda editor: editor.create(FileId("g"), "b.txt", "new"))
    live.versions.defer(live.document.last_applied)
    changes = live.versions.catch_up()
    assert [type(change) for change in changes] == [FileAdded, TextVersioned]
    assert live.versions.version(file) == before + 1
    assert live.versions.text(file) == "three two one"
    assert live.versions.catch_up() == []


def test_what_was_deferred_comes_with_the_next_version() -> None:
    live = Live().load()
    file = FileId("f")
    live.document.edit(lambda editor: editor.create(file, "a.txt", "one"))
    live.versions.follow(live.document.last_applied, "Ann")
    live.document.edit(lambda editor: editor.splice(file, 0, 0, "two "))
    live.versions.defer(live.document.last_applied)
    live.document.edit(lambda editor: editor.splice(file, 0, 0, "three "))
    [change] = live.versions.follow(live.document.last_applied, "Bob")
    assert isinstance(change, TextVersioned)
    assert apply("one", change.op) == live.versions.text(file) == "three two one"

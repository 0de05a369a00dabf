from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, FileId
from generation.context.kept import Pieces

A, B = FileId("a"), FileId("b")


def test_a_value_is_kept_until_one_of_its_files_changes() -> None:
    stamps = {A: 1, B: 1}
    pieces: Pieces[str] = Pieces(lambda file: stamps.get(file, 0))
    pieces.put("both", "made of both", [A, B])
    pieces.put("a", "made of a", [A])
    assert pieces.get("both") == "made of both"
    stamps[B] = 2
    assert pieces.get("both") is None
    assert pieces.get("a") == "made of a"


def test_what_a_changed_file_was_made_into_is_let_go_of_at_once() -> None:
    pieces: Pieces[str] = Pieces(lambda _: 0)
    pieces.put("a", "x", [A])
    pieces.put("b", "y", [B])
    pieces.drop(A)
    assert (len(pieces), pieces.get("b")) == (1, "y")


def test_those_used_last_are_kept() -> None:
    pieces: Pieces[int] = Pieces(lambda _: 0, most=2)
    for number in range(2):
        pieces.put(str(number), number, [A])
    assert pieces.get("0") == 0
    pieces.put("2", 2, [A])
    assert (pieces.get("0"), pieces.get("1"), len(pieces)) == (0, None, 2)


def test_a_document_stamps_its_files_when_they_change() -> None:
    document = Document(ClientId(1))
    document.watch_files()
    document.edit(lambda editor: editor.create(A, "a.py", "x"))
    document.edit(lambda editor: editor.create(B, "b.py", "x"))
    pieces: Pieces[str] = Pieces(document.stamps.of)
    pieces.put("a", "x", [A])
    pieces.put("b", "y", [B])
    seen = document.stamps.count
    document.edit(lambda editor: editor.splice(A, 0, 0, "more"))
    assert (pieces.get("a"), pieces.get("b")) == (None, "y")
    assert document.stamps.since(seen) == [A]
    document.edit(lambda editor: editor.rename(B, "c.py"))
    assert pieces.get("b") is None

from __future__ import annotations

from dataclasses import replace

import pytest

from collab.document import Document
from collab.errors import Conflict, NotFound, StoreCorrupt
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.ledger import Ledger
from collab.merge.suggestions import Suggestion, Suggestions, answer, current
from collab.undo import undo

FILE = FileId("f1")
TEXT = "one\nzwei 😀\nthree\n"


def document() -> Document:
    live = Document(ClientId(1))
    live.edit(lambda editor: editor.create(FILE, "a.txt", TEXT))
    return live


def of_lines(live: Document, start: int, end: int, after: str) -> Suggestion:
    return Suggestion(
        SuggestionId("s-1"),
        JobId("j-1"),
        FILE,
        "a.txt",
        "because",
        "hunk",
        TEXT[start:end],
        after,
        live.anchor(FILE, start),
        live.anchor(FILE, end),
    )


def accepted(live: Document, suggestion: Suggestion) -> Ledger:
    update, ledger = answer(live, suggestion, ClientId(9))
    assert update is not None
    live.apply([update])
    return Ledger.from_bytes(ledger.to_bytes())


def undone(live: Document, ledger: Ledger) -> Ledger:
    update, redo = undo(ledger, live)
    assert update is not None
    live.apply([update])
    return redo


def test_accepting_replaces_what_stands_there_now_and_can_be_undone() -> None:
    live = document()
    suggestion = of_lines(live, 4, 11, "two 😀😀\n")
    live.edit(lambda editor: editor.splice(FILE, 0, 0, "typed 😀\n"))
    live.edit(lambda editor: editor.splice(FILE, 12, 12, "PERSON"))
    now = live.text(FILE)
    assert current(live, suggestion) == now[12:25]
    ledger = accepted(live, suggestion)
    assert live.text(FILE) == "typed 😀\none\ntwo 😀😀\nthree\n"
    undone(live, ledger)
    assert live.text(FILE) == now


def test_accepting_what_is_there_already_changes_nothing() -> None:
    live = document()
    update, ledger = answer(live, of_lines(live, 4, 11, TEXT[4:11]), ClientId(9))
    assert update is None
    assert ledger.empty


def test_accepting_over_deleted_lines_puts_the_text_in_their_place() -> None:
    live = document()
    suggestion = of_lines(live, 4, 11, "two\n")
    live.edit(lambda editor: editor.splice(FILE, 4, 11, ""))
    assert current(live, suggestion) == ""
    accepted(live, suggestion)
    assert live.text(FILE) == "one\ntwo\nthree\n"


def test_accepting_in_a_deleted_file_is_a_conflict() -> None:
    live = document()
    suggestion = of_lines(live, 4, 11, "two\n")
    live.edit(lambda editor: editor.delete(FILE))
    with pytest.raises(Conflict, match=r"a\.txt was deleted"):
        answer(live, suggestion, ClientId(9))
    assert current(live, suggestion) == ""


def test_a_whole_file_is_replaced_to_its_end() -> None:
    live = document()
    suggestion = replace(of_lines(live, 0, 0, "new\n"), kind="whole_file", anchor=None, end=None)
    live.edit(lambda editor: editor.splice(FILE, len(TEXT), len(TEXT), "more\n"))
    assert current(live, suggestion) == TEXT + "more\n"
    ledger = accepted(live, suggestion)
    assert live.text(FILE) == "new\n"
    undone(live, ledger)
    assert live.text(FILE) == TEXT + "more\n"


def test_a_new_file_whose_path_is_taken_becomes_a_second_file() -> None:
    live = document()
    suggestion = replace(of_lines(live, 0, 0, "new\n"), kind="new_file", file=None, anchor=None, end=None)
    ledger = accepted(live, suggestion)
    shown = {file.shown: live.text(file.id) for file in live.listing().files.values()}
    assert shown == {"a.txt": TEXT, "a (2).txt": "new\n"}
    undone(live, ledger)
    assert list(live.listing().files) == [FILE]


def test_a_rename_is_undone_and_redone() -> None:
    live = document()
    suggestion = replace(of_lines(live, 0, 0, "b.txt"), kind="rename_file", before="a.txt")
    assert current(live, suggestion) == "a.txt"
    ledger = accepted(live, suggestion)
    assert live.listing().files[FILE].path == "b.txt"
    redo = undone(live, ledger)
    assert live.listing().files[FILE].path == "a.txt"
    undone(live, redo)
    assert live.listing().files[FILE].path == "b.txt"


def test_a_deleted_file_comes_back_with_its_text_and_goes_again() -> None:
    live = document()
    suggestion = replace(of_lines(live, 0, 0, ""), kind="delete_file", before=TEXT)
    ledger = accepted(live, suggestion)
    assert not live.listing().files
    redo = undone(live, ledger)
    assert live.text(live.file("a.txt").id) == TEXT
    again = undone(live, redo)
    assert not live.listing().files
    undone(live, again)
    assert live.text(live.file("a.txt").id) == TEXT


def test_the_first_answer_decides_and_a_second_is_told_whose_it_was() -> None:
    book = Suggestions()
    book.add(of_lines(document(), 4, 11, "x\n"))
    assert book.answered("s-1", "rejected", "Ada").answered_by == "Ada"
    assert book.open() == []
    with pytest.raises(Conflict, match="rejected already by Ada"):
        book.answered("s-1", "accepted", "Bob")
    with pytest.raises(NotFound):
        book.get("s-2")
    assert book.get("s-1").state == "rejected"


def test_a_suggestion_survives_the_store() -> None:
    suggestion = of_lines(document(), 4, 11, "zwei 😀\n")
    assert Suggestion.from_bytes(suggestion.to_bytes()) == suggestion
    with pytest.raises(StoreCorrupt):
        Suggestion.from_bytes(b"{}")

"""Bringing files back, as an edit that can be undone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collab.document import Document
from collab.editor import Editor
from collab.history.restoring import CHANGES_AT_ONCE, Wanted, restore
from collab.ids import ClientId, FileId
from collab.ledger import Ledger
from collab.undo import undo

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "𝄞é\n", "\n", "xyz\n", "end"]), max_size=8).map("".join)
STATES = st.dictionaries(st.sampled_from(["f1", "f2", "f3"]), TEXTS, max_size=3)


def room(files: dict[str, tuple[str, str]]) -> Document:
    document = Document(ClientId(1))

    def create(editor: Editor) -> None:
        for file, (path, text) in files.items():
            editor.create(FileId(file), path, text)

    document.edit(create)
    return document


def shown(document: Document) -> dict[str, str]:
    return {file.shown: document.text(file.id) for file in document.listing().files.values()}


def restored(document: Document, wanted: list[Wanted], *, whole: bool = True) -> Ledger:
    """Restores at once, and applies it."""
    updates, ledger = restore(document.fork(ClientId(77)), {one.file: one for one in wanted}, whole=whole)
    document.apply(updates)
    return ledger


def want(file: str, path: str, text: str | None) -> Wanted:
    return Wanted(FileId(file), path, text)


@settings(max_examples=100, deadline=None)
@given(STATES, STATES)
def test_a_room_is_as_it_was_and_an_undo_takes_that_back(now: dict[str, str], then: dict[str, str]) -> None:
    document = room({file: (f"{file}.txt", text) for file, text in now.items()})
    before = shown(document)
    ledger = restored(document, [want(file, f"{file}.txt", text) for file, text in then.items()])
    assert shown(document) == {f"{file}.txt": text for file, text in then.items()}
    update, again = undo(ledger, document)
    if update is not None:
        document.apply([update])
    assert shown(document) == before
    update, _ = undo(again, document, again=True)
    if update is not None:
        document.apply([update])
    assert shown(document) == {f"{file}.txt": text for file, text in then.items()}


def test_what_is_so_already_is_left_alone() -> None:
    document = room({"f": ("a", "x")})
    updates, ledger = restore(document.fork(ClientId(2)), {FileId("f"): want("f", "a", "x")}, whole=True)
    assert updates == []
    assert ledger.empty


def test_only_what_differs_is_written() -> None:
    document = room({"f": ("a", "one\nthe second line\nthree\n")})
    ledger = restored(document, [want("f", "a", "one\nthe line\nthree\n")])
    assert [item.text for item in ledger.deleted] == [" second"]


def test_what_others_type_meanwhile_stays() -> None:
    document = room({"f": ("a", "one\ntwo\n")})
    updates, _ = restore(document.fork(ClientId(2)), {FileId("f"): want("f", "a", "1\ntwo\n")}, whole=True)
    document.edit(lambda editor: editor.splice(FileId("f"), 8, 8, "typed\n"))
    document.apply(updates)
    assert shown(document) == {"a": "1\ntwo\ntyped\n"}


def test_renamed_files_get_their_paths_back() -> None:
    document = room({"f": ("new", "x")})
    ledger = restored(document, [want("f", "old", "x")])
    assert shown(document) == {"old": "x"}
    assert [(one.before, one.after) for one in ledger.renamed] == [("new", "old")]


def test_files_that_came_since_go_with_the_whole_room_only() -> None:
    document = room({"f": ("a", "x"), "g": ("b", "y")})
    restored(document, [want("f", "a", "z")], whole=False)
    assert shown(document) == {"a": "z", "b": "y"}
    restored(document, [want("f", "a", "z")])
    assert shown(document) == {"a": "z"}


def test_one_file_keeps_the_path_that_it_has_now() -> None:
    document = room({"f": ("new", "x")})
    restored(document, [want("f", "old", "y")], whole=False)
    assert shown(document) == {"new": "y"}


def test_a_file_that_was_made_anew_under_the_same_path_is_taken_for_it() -> None:
    document = room({"g": ("a", "one\ntwo\n")})
    ledger = restored(document, [want("f", "a", "one\n2\n")])
    assert shown(document) == {"a": "one\n2\n"}
    assert not ledger.removed


def test_a_deleted_file_comes_back_under_an_id_of_its_own() -> None:
    document = room({})
    restored(document, [want("f", "a", "x")], whole=False)
    assert shown(document) == {"a": "x"}
    assert FileId("f") not in document.listing().files


def test_a_text_that_is_to_stay_stays() -> None:
    document = room({"f": ("new", "x")})
    restored(document, [want("f", "old", None)])
    assert shown(document) == {"old": "x"}


def test_many_changes_are_many_small_updates_and_others_edits_between_them_stay() -> None:
    lines = [f"this is line {number}\n" for number in range(100)]
    document = room({"f": ("a", "".join(lines))})
    then = "".join(line.replace("line", "the line") for line in lines)
    updates, ledger = restore(document.fork(ClientId(2)), {FileId("f"): want("f", "a", then)}, whole=True)
    assert len(updates) == -(-100 // CHANGES_AT_ONCE)
    for number, update in enumerate(updates):
        document.apply([update])
        document.edit(lambda editor, n=number: editor.splice(FileId("f"), 0, 0, f"{n} "))  # type: ignore[misc]
    typed = "".join(f"{number} " for number in reversed(range(len(updates))))
    assert shown(document) == {"a": typed + then}
    undone, _ = undo(ledger, document)
    assert undone is not None
    document.apply([undone])
    assert shown(document) == {"a": typed + "".join(lines)}

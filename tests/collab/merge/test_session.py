from __future__ import annotations

import pytest

from collab.document import Document
from collab.errors import InvalidOperation, NotFound
from collab.ids import ClientId, FileId
from collab.merge.contest import Blocked
from collab.merge.items import State
from collab.merge.resolver import TextResolver
from collab.merge.session import MergeSession
from collab.undo import undo

FILE = FileId("f1")
TEXT = "one 1\ntwo 2\nthree 3\nfour 4\n"
TWO = (6, 12)


def document(text: str = TEXT) -> Document:
    live = Document(ClientId(1))
    live.edit(lambda editor: editor.create(FILE, "a.txt", text))
    return live


def pull(session: MergeSession, live: Document) -> list[Blocked]:
    pulled = session.pull(live)
    if pulled.update is not None:
        session.merged(live.apply([pulled.update], track=True), live)
    return pulled.blocked


def splice(live: Document, start: int, end: int, text: str) -> None:
    live.edit(lambda editor: editor.splice(FILE, start, end, text))


def hunk(live: Document, start: int, end: int, text: str) -> tuple[MergeSession, list[Blocked]]:
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, start, end)
    session.write(number, text)
    session.close(number)
    return session, pull(session, live)


@pytest.mark.parametrize(
    ("base", "start", "end", "new"),
    [
        ("", 0, 0, "first\n"),
        ("", 0, 0, "no newline 😀"),
        ("a\r\nb\r\nc\r\n", 3, 6, "B\r\nb2\r\n"),
        ("a\nb", 2, 3, "b\nc"),
        ("a\nb\n", 2, 4, "b"),
        ("x = '😀'\ny\n", 0, 8, "x = '😀😀'\n"),
        ("e\u0301te\u0301\nz\n", 0, 6, "e\u0301te\n"),
        ("a\nb\nc\n", 0, 2, ""),
        ("a\nb\nc\n", 4, 6, "c\nd\n"),
        ("a\nb\nc\n", 2, 2, "between\n"),
        ("a\nb\nc\n", 6, 6, "end"),
        ("👩\u200d👩\u200d👧\n", 0, 6, "👩\u200d👧\n"),
    ],
)
def test_a_hunk_lands_exactly_and_is_undone_exactly(base: str, start: int, end: int, new: str) -> None:
    live = document(base)
    session, blocked = hunk(live, start, end, new)
    assert blocked == []
    assert live.text(FILE) == base[:start] + new + base[end:]
    update, redo = undo(session.ledger, live)
    assert update is not None
    live.apply([update])
    assert live.text(FILE) == base
    update, _ = undo(redo, live)
    assert update is not None
    live.apply([update])
    assert live.text(FILE) == base[:start] + new + base[end:]


def test_text_streams_into_the_live_document_as_it_comes() -> None:
    live = document("a\n")
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, 2, 2)
    seen = []
    for piece in ["hel", "lo", "\n"]:
        session.write(number, piece)
        pull(session, live)
        seen.append(live.text(FILE))
    assert seen == ["a\nhel", "a\nhello", "a\nhello\n"]


def test_a_pull_with_nothing_new_hands_out_nothing() -> None:
    live = document()
    session, _ = hunk(live, *TWO, "zwei 2\n")
    splice(live, 0, 0, "x")
    assert session.pull(live).update is None


def test_a_merge_deletes_no_equal_line() -> None:
    live = document()
    keep = live.anchor(FILE, 12)
    session = MergeSession(live, ClientId(9))
    whole = session.open_whole(FILE)
    session.write(whole, TEXT.replace("two 2", "two 22"))
    session.close(whole)
    pull(session, live)
    ledger = session.ledger
    assert [item.text for item in ledger.deleted] == []
    assert sum(item.ids.length for item in ledger.inserted) == 1
    assert live.resolve(FILE, keep) == 13


@pytest.mark.parametrize("at", [6, 7, 11])
def test_text_typed_in_the_lines_blocks_the_hunk(at: int) -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    splice(live, at, at, "X")
    session.write(number, "2\n")
    assert pull(session, live) == []
    session.close(number)
    (blocked,) = pull(session, live)
    assert (blocked.kind, blocked.before, blocked.after) == ("hunk", "two 2\n", "2\n")
    assert live.text(FILE) == TEXT[:at] + "X" + TEXT[at:]


@pytest.mark.parametrize("at", [0, 5, 12, 14, len(TEXT)])
def test_text_typed_beside_the_lines_does_not_block_and_stays(at: int) -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    splice(live, at, at, "X")
    session.write(number, "zwei\ndrei\n")
    session.close(number)
    assert pull(session, live) == []
    typed = TEXT[:at] + "X" + TEXT[at:]
    assert live.text(FILE) == typed.replace("two 2\n", "zwei\ndrei\n")


def test_a_line_deleted_and_typed_again_is_noticed() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    splice(live, 6, 12, "")
    splice(live, 6, 6, "two 2\n")
    session.write(number, "new\n")
    session.close(number)
    assert len(pull(session, live)) == 1
    assert live.text(FILE) == TEXT


def test_what_a_blocked_hunk_had_written_is_taken_back_around_what_people_typed() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, 6, 20)
    session.write(number, "TWO\nand more\nthree 33\nx\n")
    pull(session, live)
    text = live.text(FILE)
    assert "and more\n" in text
    splice(live, text.index("more"), text.index("more"), "PERSON")
    session.close(number)
    (blocked,) = pull(session, live)
    assert "PERSON\n" in live.text(FILE)
    assert live.text(FILE).replace("PERSON\n", "") == TEXT
    assert blocked.after == "TWO\nand more\nthree 33\nx\n"
    # The line end that keeps their text apart is the job's still; once it keeps nothing apart, undo takes it.
    at = live.text(FILE).index("PERSON")
    splice(live, at, at + 6, "")
    update, _ = undo(session.ledger, live)
    assert update is not None
    live.apply([update])
    assert live.text(FILE) == TEXT


def test_a_pull_tells_what_its_update_does_and_which_hunks_may_still_be_taken_back() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    session.write(number, "zwei\nund")
    update = session.pull(live).update
    assert update is not None
    [(told, ledger)] = session.pulled.items()
    assert told == number
    assert [item.ids.client for item in ledger.inserted] == [9]
    assert session.unfinished == {number}
    session.merged(live.apply([update], track=True), live)
    assert session.pulled == {}
    assert session.unfinished == {number}
    session.write(number, " mehr\n")
    session.close(number)
    pull(session, live)
    assert session.unfinished == set()


def test_withdrawing_puts_the_base_back_and_reports_nothing() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    session.write(number, "two two\nmore\n")
    pull(session, live)
    session.withdraw(number)
    assert pull(session, live) == []
    assert live.text(FILE) == TEXT
    with pytest.raises(InvalidOperation):
        session.write(number, "x")


def test_text_that_a_withdrawal_puts_back_is_not_under_the_jobs_id() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    session.write(number, "two two\nthree 3\nmore\n")
    pull(session, live)
    session.withdraw(number)
    pull(session, live)
    owners = {run.ids.client for run in State(live).runs(FILE) if run.alive}
    assert ClientId(9) not in owners
    assert session.ledger.inserted == []


def test_withdrawn_lines_can_be_written_again() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    session.write(number, "completely different\n")
    pull(session, live)
    session.withdraw(number)
    pull(session, live)
    again = session.open_hunk(FILE, *TWO)
    session.write(again, "two 3\n")
    session.close(again)
    assert pull(session, live) == []
    assert live.text(FILE) == TEXT.replace("two 2", "two 3")


def test_neighbouring_hunks_land_in_their_order_whichever_is_first() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    second = session.open_hunk(FILE, 12, 20)
    first = session.open_hunk(FILE, *TWO)
    for number, text in [(second, "B\n"), (first, "A\nA\n")]:
        session.write(number, text)
        session.close(number)
        assert pull(session, live) == []
    assert live.text(FILE) == "one 1\nA\nA\nB\nfour 4\n"


def test_a_hunk_over_another_hunks_lines_is_blocked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    for text in ["A\n", "B\n"]:
        number = session.open_hunk(FILE, *TWO)
        session.write(number, text)
        session.close(number)
    (blocked,) = pull(session, live)
    assert blocked.after == "B\n"
    assert live.text(FILE) == TEXT.replace("two 2", "A")


def test_a_hunk_in_a_deleted_file_is_blocked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    rewriting = MergeSession(live, ClientId(10))
    whole = rewriting.open_whole(FILE)
    live.edit(lambda editor: editor.delete(FILE))
    session.write(number, "x\n")
    session.close(number)
    rewriting.write(whole, "x\n")
    rewriting.close(whole)
    (hunk,) = pull(session, live)
    (whole_file,) = pull(rewriting, live)
    assert (hunk.kind, hunk.file, hunk.after) == ("new_file", None, "one 1\nx\nthree 3\nfour 4\n")
    assert hunk.conflict == whole_file.conflict == "structural_conflict"
    assert (whole_file.kind, whole_file.file, whole_file.after) == ("new_file", None, "x\n")


def test_a_hunk_in_a_renamed_file_is_blocked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    live.edit(lambda editor: editor.rename(FILE, "b.txt"))
    session.write(number, "x\n")
    session.close(number)
    (blocked,) = pull(session, live)
    assert blocked.path == "b.txt"
    assert "b.txt" in blocked.reason


def test_a_new_file_streams_and_its_undo_removes_it() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_file(FileId("f2"), "new.py")
    session.write(number, "print(")
    pull(session, live)
    assert live.text(FileId("f2")) == "print("
    session.write(number, ")\n")
    session.close(number)
    pull(session, live)
    update, redo = undo(session.ledger, live)
    assert update is not None
    live.apply([update])
    assert [file.path for file in live.listing().files.values()] == ["a.txt"]
    update, _ = undo(redo, live)
    assert update is not None
    live.apply([update])
    assert live.text(live.file("new.py").id) == "print()\n"


def test_a_new_file_whose_path_was_taken_meanwhile_is_blocked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_file(FileId("f3"), "b.txt")
    live.edit(lambda editor: editor.create(FileId("f2"), "b.txt", "theirs"))
    session.write(number, "ours")
    session.close(number)
    (blocked,) = pull(session, live)
    assert (blocked.kind, blocked.file, blocked.after) == ("new_file", None, "ours")
    assert len(live.listing().files) == 2


def test_what_was_typed_at_the_end_of_a_withdrawn_line_joins_no_other_line() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, 6, 6)
    session.write(number, "between\n")
    pull(session, live)
    at = live.text(FILE).index("between") + len("between")
    splice(live, at, at, "  # coarse")
    session.withdraw(number)
    assert pull(session, live) == []
    assert live.text(FILE) == TEXT[:6] + "  # coarse\n" + TEXT[6:]


def test_a_new_file_in_which_somebody_typed_is_kept_with_their_text_alone() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    new = FileId("f2")
    number = session.open_file(new, "b.txt")
    session.write(number, "from the job\n")
    pull(session, live)
    live.edit(lambda editor: editor.splice(new, 4, 4, "PERSON"))
    session.withdraw(number)
    assert pull(session, live) == []
    assert live.text(new) == "PERSON"


def test_a_withdrawn_new_file_goes() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_file(FileId("f2"), "b.txt")
    session.write(number, "x")
    pull(session, live)
    session.withdraw(number)
    pull(session, live)
    assert list(live.listing().files) == [FILE]


def test_a_deletion_is_always_asked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    session.delete(FILE)
    (delete,) = pull(session, live)
    assert (delete.kind, delete.before, delete.after) == ("delete_file", TEXT, "")
    assert FILE in live.listing().files


def test_a_rename_lands_and_is_undone() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    session.rename(FILE, "b.txt")
    assert pull(session, live) == []
    assert live.listing().files[FILE].path == "b.txt"
    update, _ = undo(session.ledger, live)
    assert update is not None
    live.apply([update])
    assert live.listing().files[FILE].path == "a.txt"


def test_a_rename_of_a_file_that_was_renamed_meanwhile_is_asked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    session.rename(FILE, "b.txt")
    live.edit(lambda editor: editor.rename(FILE, "c.txt"))
    (asked,) = pull(session, live)
    assert (asked.kind, asked.after, asked.conflict) == ("rename_file", "b.txt", "structural_conflict")
    assert live.listing().files[FILE].path == "c.txt"


def test_a_rename_to_a_path_that_is_taken_is_asked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    session.rename(FILE, "b.txt")
    live.edit(lambda editor: editor.create(FileId("f2"), "b.txt", ""))
    (asked,) = pull(session, live)
    assert (asked.kind, asked.conflict) == ("rename_file", "same_file_different_content")


def test_a_rewrite_lands_where_nobody_typed_and_is_asked_where_somebody_did() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    whole = session.open_whole(FILE)
    splice(live, 11, 11, "X")
    session.write(whole, "uno 1\ndue 2\nthree 3\nquattro\n")
    session.close(whole)
    assert live.text(FILE) == "one 1\ntwo 2X\nthree 3\nfour 4\n"
    pulled = pull(session, live)
    assert [(one.kind, one.before, one.after) for one in pulled] == [("hunk", "one 1\ntwo 2\n", "uno 1\ndue 2\n")]
    assert live.text(FILE) == "one 1\ntwo 2X\nthree 3\nquattro\n"


def test_somebody_who_types_in_a_line_that_the_job_has_completed_does_not_stop_it() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, 6, 6)
    session.write(number, "first\nsec")
    pull(session, live)
    splice(live, 11, 11, " PERSON")
    session.write(number, "ond\n")
    session.close(number)
    assert pull(session, live) == []
    assert live.text(FILE) == "one 1\nfirst PERSON\nsecond\ntwo 2\nthree 3\nfour 4\n"


def test_somebody_who_types_in_the_line_that_is_being_written_stops_it() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, 6, 6)
    session.write(number, "first\nsec")
    pull(session, live)
    splice(live, 13, 13, "X")
    session.write(number, "ond\n")
    session.close(number)
    (blocked,) = pull(session, live)
    assert (blocked.before, blocked.after) == ("", "first\nsecond\n")
    assert live.text(FILE) == "one 1\nXtwo 2\nthree 3\nfour 4\n"


def test_what_waits_for_a_yes_is_not_written() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    whole = session.open_whole(FILE, asks="The room is asked first.")
    session.write(whole, TEXT.replace("two 2", "zwei").replace("four 4", "vier"))
    assert pull(session, live) == []
    session.close(whole)
    asked = pull(session, live)
    assert [(one.before, one.after, one.conflict) for one in asked] == [
        ("two 2\n", "zwei\n", "none"),
        ("four 4\n", "vier\n", "none"),
    ]
    assert live.text(FILE) == TEXT


def test_the_base_stays_what_the_model_was_shown() -> None:
    live = document()
    session, _ = hunk(live, *TWO, "x\n")
    splice(live, 0, 0, "typed")
    assert session.base_text(FILE) == TEXT
    with pytest.raises(NotFound):
        session.base_text(FileId("other"))


@pytest.mark.parametrize(("start", "end"), [(1, 6), (0, 3), (6, 0), (0, 99)])
def test_a_hunk_that_is_no_whole_lines_is_refused(start: int, end: int) -> None:
    session = MergeSession(document(), ClientId(9))
    with pytest.raises(InvalidOperation):
        session.open_hunk(FILE, start, end)


def test_an_unpaired_surrogate_is_refused() -> None:
    session = MergeSession(document(), ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    with pytest.raises(InvalidOperation):
        session.write(number, "\ud83d")


def test_the_cursor_is_behind_the_last_text_written() -> None:
    live = document("é😀\nb\n")
    session = MergeSession(live, ClientId(9))
    assert session.cursor() is None
    number = session.open_hunk(FILE, 3, 3)
    session.write(number, "x😀")
    pull(session, live)
    cursor = session.cursor()
    assert cursor is not None
    assert live.resolve(*cursor) == 5


def test_the_end_of_a_blocked_place_before_an_astral_character_holds() -> None:
    live = document("a\n😀\n")
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, 0, 2)
    splice(live, 1, 1, "X")
    session.write(number, "n\n")
    session.close(number)
    (blocked,) = pull(session, live)
    assert blocked.anchor is not None
    assert blocked.end is not None
    assert (live.resolve(FILE, blocked.anchor), live.resolve(FILE, blocked.end)) == (0, 3)


def test_all_replicas_agree_when_edits_arrive_after_the_merge() -> None:
    live = document()
    other = live.fork(ClientId(5))
    _, blocked = hunk(live, *TWO, "zwei\n")
    other.edit(lambda editor: editor.splice(FILE, 8, 8, "LATE"))
    live.apply([other.encode(live.state_vector())])
    other.apply([live.encode(other.state_vector())])
    assert blocked == []
    assert live.text(FILE) == other.text(FILE)
    assert "LATE" in live.text(FILE)


def test_each_of_several_collisions_is_merged_in_the_text_that_the_one_before_has_left() -> None:
    live = document("alpha = one(1)\nsame line\nbeta = two(2)\nlast line\n")
    session = MergeSession(live, ClientId(9), TextResolver())
    whole = session.open_whole(FILE)
    for place, typed in (("alpha", "my_"), ("beta", "your_")):
        at = live.text(FILE).index(place)
        splice(live, at, at, typed)
    session.write(whole, "alpha = one(1111)\nsame line\nbeta = two(2222)\nlast line\n")
    session.close(whole)
    assert pull(session, live) == []
    assert live.text(FILE) == "my_alpha = one(1111)\nsame line\nyour_beta = two(2222)\nlast line\n"


def test_a_new_file_that_somebody_types_in_while_it_is_written_stays_and_its_text_is_asked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    new = FileId("f2")
    number = session.open_file(new, "b.txt")
    session.write(number, "from the")
    pull(session, live)
    person = Document(ClientId(7))
    person.apply([live.encode()])
    live.edit(lambda editor: editor.splice(new, 4, 4, "X"))
    session.write(number, " job\n")
    pull(session, live)
    person.edit(lambda editor: editor.splice(new, 2, 2, "late"))
    live.apply([person.encode(live.state_vector())])
    session.close(number)
    (asked,) = pull(session, live)
    assert (asked.file, asked.kind, asked.after) == (new, "whole_file", "from the job\n")
    assert sorted(live.text(new)) == sorted("Xlate")
    update, _ = undo(session.ledger, live)
    if update is not None:
        live.apply([update])
    assert sorted(live.text(new)) == sorted("Xlate")


def test_a_hunk_that_has_landed_is_recalled_and_asked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    for start, end, text in ((*TWO, "zwei 2\n"), (20, 27, "vier 4\n")):
        number = session.open_hunk(FILE, start, end)
        session.write(number, text)
        session.close(number)
    assert pull(session, live) == []
    first = session._hunks[0].id
    assert session.recall(first, "Why.")
    [asked] = pull(session, live)
    assert live.text(FILE) == TEXT.replace("four 4", "vier 4")
    assert (asked.kind, asked.reason, asked.before, asked.after) == ("hunk", "Why.", "two 2\n", "zwei 2\n")
    assert asked.anchor is not None
    assert live.resolve(FILE, asked.anchor) == TWO[0]
    assert not session.recall(first, "Again.")


def test_what_somebody_typed_in_a_hunk_stays_when_it_is_recalled() -> None:
    live = document()
    session, _ = hunk(live, *TWO, "zwei 2\n")
    splice(live, 8, 8, "!")
    assert session.recall(session._hunks[0].id, "Why.")
    pull(session, live)
    assert live.text(FILE).count("!") == 1
    assert "zw" not in live.text(FILE)
    assert "two 2" in live.text(FILE)


def test_a_hunk_that_has_not_landed_cannot_be_recalled() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO, asks="First.")
    session.write(number, "zwei 2\n")
    session.close(number)
    pull(session, live)
    assert not session.recall(number, "Why.")


def test_a_recalled_new_file_is_there_no_more_and_asked() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_file(FileId("f2"), "b.txt")
    session.write(number, "new\n")
    session.close(number)
    pull(session, live)
    assert session.recall(number, "Why.")
    [asked] = pull(session, live)
    assert live.listing().by_path("b.txt") is None
    assert (asked.kind, asked.after) == ("new_file", "new\n")
    assert session.ledger.empty


def test_a_recalled_rewrite_is_asked_where_it_had_landed() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    whole = session.open_whole(FILE)
    session.write(whole, TEXT.replace("two 2", "zwei 2").replace("four 4", "vier 4"))
    session.close(whole)
    pull(session, live)
    assert session.recall(whole, "Why.")
    asked = pull(session, live)
    assert live.text(FILE) == TEXT
    assert [(one.before, one.after) for one in asked] == [("two 2\n", "zwei 2\n"), ("four 4\n", "vier 4\n")]


def test_a_hunk_that_is_held_is_taken_back_at_once_and_asked_when_it_is_complete() -> None:
    live = document()
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, *TWO)
    session.write(number, "zwei ")
    pull(session, live)
    session.hold(number, "Why.")
    assert pull(session, live) == []
    session.write(number, "2\n")
    pull(session, live)
    assert live.text(FILE) == TEXT
    session.close(number)
    [asked] = pull(session, live)
    assert (asked.reason, asked.after) == ("Why.", "zwei 2\n")

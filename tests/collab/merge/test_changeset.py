from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.merge.changeset import (
    CreateFile,
    Decision,
    DeleteFile,
    EditHunk,
    Intent,
    RenameFile,
    ReplaceFile,
    decide,
)
from collab.merge.resolver import TextResolver
from collab.syntax.syntax import Syntax
from tests.collab.merge.changesets import MERGER, three

BASE = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
ODD = st.text(st.characters(exclude_categories=[]), max_size=30)


def only(base: dict[str, str], live: dict[str, str], *intents: Intent, **moved: str) -> Decision:
    (decision,) = decide(base, live, intents, MERGER, moved)
    return decision


def result(decision: Decision, ours: str) -> str:
    for start, end, text in reversed(decision.changes):
        ours = ours[:start] + text + ours[end:]
    return ours


def test_what_nobody_else_touched_is_done() -> None:
    ours = BASE.replace("seven", "SEVEN")
    decision = only({"a": BASE}, {"a": ours}, ReplaceFile("a", BASE.replace("two", "TWO")))
    assert (decision.outcome, decision.conflict, decision.landed) == ("done", "none", 1)
    assert result(decision, ours) == BASE.replace("two", "TWO").replace("seven", "SEVEN")


def test_changes_of_an_untouched_text_are_minimal() -> None:
    decision = only({"a": BASE}, {"a": BASE}, ReplaceFile("a", BASE.replace("three", "threw") + "eight\n"))
    assert decision.changes == [(12, 13, "w"), (len(BASE), len(BASE), "eight\n")]
    assert decision.landed == 2


def test_colliding_lines_stay_as_people_have_them_and_are_asked() -> None:
    ours = BASE.replace("three", "3")
    decision = only({"a": BASE}, {"a": ours}, ReplaceFile("a", BASE.replace("three", "III").replace("six", "6")))
    assert decision.outcome == "asked"
    assert decision.conflict == "same_file_different_content"
    (question,) = decision.questions
    assert (question.base, question.ours, question.theirs) == ("three\n", "3\n", "III\n")
    assert ours[question.start : question.end] == "3\n"
    assert result(decision, ours) == ours.replace("six", "6")


def test_hunks_that_collide_overlap() -> None:
    decision = only({"a": BASE}, {"a": BASE.replace("two", "2")}, EditHunk("a", 4, 8, "II\n"))
    assert decision.conflict == "overlapping_edits"


def test_words_of_one_line_are_merged_with_the_layer_that_did_it() -> None:
    base = "call(first, second)\n"
    ours, theirs = "call(first, second, third)\n", "called(first, second)\n"
    decision = only({"a": base}, {"a": ours}, ReplaceFile("a", theirs))
    assert decision.outcome == "merged"
    assert [piece.layer for piece in decision.pieces] == ["tokens"]
    assert result(decision, ours) == "called(first, second, third)\n"


def test_hunks_in_any_order_are_all_in() -> None:
    decision = only({"a": BASE}, {"a": BASE}, EditHunk("a", 19, 19, "4b\n"), EditHunk("a", 0, 3, "ONE"))
    assert result(decision, BASE) == BASE.replace("one", "ONE").replace("five", "4b\nfive")


def test_an_edit_and_a_rename_of_one_file_are_both_carried_out() -> None:
    edit, rename = decide({"a": BASE}, {"a": BASE}, [RenameFile("a", "b"), EditHunk("a", 0, 3, "ONE")], MERGER)
    assert (edit.kind, edit.path, edit.landed) == ("hunk", "a", 1)
    assert (rename.kind, rename.text, rename.outcome) == ("rename_file", "b", "done")


def test_a_path_that_a_rename_made_free_is_taken_by_a_new_file() -> None:
    rename, new = decide({"a": BASE}, {"a": BASE}, [RenameFile("a", "b"), CreateFile("a", "new\n")], MERGER)
    assert (rename.kind, rename.outcome) == ("rename_file", "done")
    assert (new.kind, new.outcome, new.text) == ("new_file", "done", "new\n")


def test_a_file_that_is_deleted_and_written_again_is_replaced() -> None:
    decision = only({"a": BASE}, {"a": BASE}, DeleteFile("a"), CreateFile("a", "new\n"))
    assert (decision.kind, decision.outcome, result(decision, BASE)) == ("hunk", "done", "new\n")


def test_a_file_of_which_no_base_is_known_is_asked_as_a_whole() -> None:
    decision = only({}, {"a": "ours\n"}, CreateFile("a", "theirs\n"))
    assert (decision.kind, decision.outcome) == ("whole_file", "asked")
    assert decision.conflict == "same_file_different_content"


def test_the_same_file_created_twice_is_there_already() -> None:
    assert only({}, {"a": "same\n"}, CreateFile("a", "same\n")).outcome == "already"


@pytest.mark.parametrize("theirs", ["one\n", BASE])
def test_a_deleted_file_comes_back_only_as_a_question_about_a_change(theirs: str) -> None:
    decision = only({"a": BASE}, {}, ReplaceFile("a", theirs))
    expected = ("already", "none") if theirs == BASE else ("asked", "structural_conflict")
    assert (decision.outcome, decision.conflict) == expected


def test_changes_of_a_file_that_was_renamed_are_asked_about_where_it_is_now() -> None:
    decision = only({"a": BASE}, {"b": BASE}, ReplaceFile("a", BASE.replace("two", "2")), a="b")
    assert (decision.path, decision.outcome, decision.conflict) == ("b", "asked", "structural_conflict")
    assert [piece.theirs for piece in decision.questions] == ["2\n"]
    assert decision.changes == []


def test_both_renamed_a_file_to_the_same_path() -> None:
    edit, rename = decide(
        {"a": BASE}, {"b": BASE}, [EditHunk("a", 0, 3, "ONE"), RenameFile("a", "b")], MERGER, {"a": "b"}
    )
    assert (edit.path, edit.outcome) == ("b", "done")
    assert rename.outcome == "already"


@pytest.mark.parametrize(
    ("live", "moved", "outcome", "conflict"),
    [
        ({"a": BASE}, {}, "done", "none"),
        ({"a": "typed\n"}, {}, "asked", "structural_conflict"),
        ({"b": BASE}, {"a": "b"}, "asked", "structural_conflict"),
        ({}, {}, "already", "none"),
    ],
)
def test_a_deletion_waits_for_the_room_if_somebody_changed_the_file(
    live: dict[str, str], moved: dict[str, str], outcome: str, conflict: str
) -> None:
    decision = only({"a": BASE}, live, DeleteFile("a"), **moved)
    assert (decision.kind, decision.outcome, decision.conflict) == ("delete_file", outcome, conflict)


@pytest.mark.parametrize(
    ("live", "moved", "kind", "outcome"),
    [
        ({"a": BASE}, {}, "rename_file", "done"),
        ({"a": BASE, "b": "x"}, {}, "rename_file", "asked"),
        ({"c": BASE}, {"a": "c"}, "rename_file", "asked"),
        ({}, {}, "new_file", "asked"),
    ],
)
def test_a_rename_is_done_or_asked(live: dict[str, str], moved: dict[str, str], kind: str, outcome: str) -> None:
    decision = only({"a": BASE}, live, RenameFile("a", "b"), **moved)
    assert (decision.kind, decision.outcome) == (kind, outcome)


class Objecting(TextResolver):
    def objection(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        return f"It uses {replacement.strip()}, which was renamed." if "old()" in replacement else ""


def test_a_hunk_that_needs_what_is_gone_is_asked_though_nobody_touched_its_lines() -> None:
    ours = BASE.replace("seven", "SEVEN")
    theirs = BASE.replace("two", "old()").replace("four", "4")
    (decision,) = decide({"a": BASE}, {"a": ours}, [ReplaceFile("a", theirs)], Objecting())
    assert [piece.conflict for piece in decision.questions] == ["structural_conflict"]
    assert decision.reason == "It uses old(), which was renamed."
    assert result(decision, ours) == ours.replace("four", "4")


def test_the_same_import_added_by_both_at_other_places_is_there_once() -> None:
    base = "import a\n\n\ndef f():\n    return a\n\n\ndef g():\n    return a\n"
    ours = "import a\nimport b\n\n\ndef f():\n    return b\n\n\ndef g():\n    return a\n"
    theirs = "import b\nimport a\n\n\ndef f():\n    return a\n\n\ndef g():\n    return a + b\n"
    (decision,) = decide({"a.py": base}, {"a.py": ours}, [ReplaceFile("a.py", theirs)], TextResolver(Syntax()))
    assert decision.questions == []
    assert result(decision, ours) == ours.replace("return a\n", "return a + b\n")


@given(three())
def test_every_line_that_people_typed_is_in_the_result(case: tuple[str, str, str]) -> None:
    base, ours, theirs = case
    decision = only({"a": base}, {"a": ours}, ReplaceFile("a", theirs))
    words = Counter(re.findall(r"ours\d", ours))
    assert Counter(re.findall(r"ours\d", result(decision, ours))) == words


@given(three())
def test_all_that_the_writer_changed_is_in_or_asked(case: tuple[str, str, str]) -> None:
    base, ours, theirs = case
    decision = only({"a": base}, {"a": ours}, ReplaceFile("a", theirs))
    asked = "".join(question.theirs for question in decision.questions)
    there = Counter(re.findall(r"theirs\d", result(decision, ours) + asked))
    assert there >= Counter(re.findall(r"theirs\d", theirs))
    if not decision.questions and ours == base:
        assert result(decision, ours) == theirs


@given(three())
def test_pieces_say_what_stands_where(case: tuple[str, str, str]) -> None:
    base, ours, theirs = case
    decision = only({"a": base}, {"a": ours}, ReplaceFile("a", theirs))
    at = 0
    for piece in decision.pieces:
        assert at <= piece.start <= piece.end
        assert ours[piece.start : piece.end] == piece.ours
        assert piece.base in base
        assert piece.theirs in theirs
        assert all(piece.start <= start <= end <= piece.end for start, end, _ in piece.changes)
        assert (piece.outcome == "asked") == (not piece.changes)
        at = piece.end
    assert decision == only({"a": base}, {"a": ours}, ReplaceFile("a", theirs))


@given(
    st.dictionaries(st.sampled_from("ab"), ODD),
    st.dictionaries(st.sampled_from("abc"), ODD),
    st.lists(
        st.one_of(
            st.builds(CreateFile, st.sampled_from("ab"), ODD),
            st.builds(ReplaceFile, st.sampled_from("ab"), ODD),
            st.builds(EditHunk, st.sampled_from("ab"), st.integers(0, 40), st.integers(0, 40), ODD),
            st.builds(RenameFile, st.sampled_from("ab"), st.sampled_from("abc")),
            st.builds(DeleteFile, st.sampled_from("ab")),
        ),
        max_size=5,
    ),
)
def test_odd_intents_about_odd_texts_are_decided(
    base: dict[str, str], live: dict[str, str], intents: list[Intent]
) -> None:
    decisions = decide(base, live, intents, MERGER)
    assert {intent.path for intent in intents} <= {
        path for one in decisions for path in (one.path, one.text, one.before)
    } | {intent.path for intent in intents if isinstance(intent, RenameFile)}
    assert decisions == decide(base, live, intents, MERGER)

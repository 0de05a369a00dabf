from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given

from collab.document import Document
from collab.errors import InvalidOperation
from collab.ids import ClientId, FileId
from collab.merge.changeset import (
    CreateFile,
    DeleteFile,
    EditHunk,
    Intent,
    RenameFile,
    ReplaceFile,
    decide,
)
from collab.merge.landing import Landed, Landing, land, question_id
from collab.merge.suggestions import answer, current
from collab.undo import undo
from tests.collab.merge.changesets import MERGER, distinct, ids, room, texts, three

BASE = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"


def applied(
    live: Document,
    base: dict[str, str],
    intents: Sequence[Intent],
    number: int = 1,
    moved: dict[str, str] | None = None,
) -> Landed:
    """Decides about a changeset and lands it."""
    landed = land(live, decide(base, texts(live), intents, MERGER, moved), ids(number), 7)
    if landed.update is not None:
        live.apply([landed.update])
    return landed


def everything(path: str) -> list[Intent]:
    return [
        EditHunk(path, 0, 3, "ONE"),
        RenameFile(path, "renamed.txt"),
        CreateFile("new.txt", "new 𝄞\n"),
        CreateFile("empty.txt", ""),
        DeleteFile("old.txt"),
    ]


def test_all_kinds_of_intents_land_and_are_undone_together() -> None:
    before = {"a.txt": BASE, "old.txt": "old\n"}
    live = room(before)
    landed = applied(live, before, everything("a.txt"))
    assert texts(live) == {
        "renamed.txt": BASE.replace("one", "ONE"),
        "new.txt": "new 𝄞\n",
        "empty.txt": "",
    }
    assert landed.suggestions == []
    update, redo = undo(landed.ledger, live)
    assert update is not None
    live.apply([update])
    assert texts(live) == before
    update, _ = undo(redo, live, again=True)
    assert update is not None
    live.apply([update])
    assert texts(live)["renamed.txt"] == BASE.replace("one", "ONE")


def test_a_landing_waits_for_nothing_and_leaves_the_live_document_alone() -> None:
    live = room({"a.txt": BASE})
    landed = land(live, decide({}, {}, [CreateFile("b.txt", "x")], MERGER), ids(), 7)
    assert texts(live) == {"a.txt": BASE}
    assert landed.update is not None


def test_a_question_is_anchored_to_its_lines_and_can_be_answered() -> None:
    live = room({"a.txt": "0\n" + BASE.replace("three", "3")})
    theirs = "zero\n" * 3 + BASE.replace("three", "III").replace("seven", "7")
    landed = applied(live, {"a.txt": BASE}, [ReplaceFile("a.txt", theirs)])
    question = landed.suggestions[-1]
    assert (question.before, question.ours, question.after) == ("three\n", "3\n", "III\n")
    assert (question.job, question.state, question.conflict) == ("c1", "open", "same_file_different_content")
    assert question.at_ms == 7
    live.edit(lambda editor: editor.splice(FileId("a.txt"), 0, 0, "typed\n"))
    assert current(live, question) == "3\n"
    update, _ = answer(live, question, ClientId(77))
    assert update is not None
    live.apply([update])
    assert "\nIII\n" in texts(live)["a.txt"]
    assert "3\n" not in texts(live)["a.txt"]


def test_what_was_merged_is_noted_with_all_sides() -> None:
    live = room({"a.txt": "call(first, second, third)\nlast\n"})
    base, theirs = "call(first, second)\nlast\n", "zero\n\n\ncalled(first, second)\nlast\n"
    landed = applied(live, {"a.txt": base}, [ReplaceFile("a.txt", theirs)])
    assert texts(live)["a.txt"] == "zero\n\n\ncalled(first, second, third)\nlast\n"
    (noted,) = landed.suggestions
    assert (noted.state, noted.layer, noted.answered_ms) == ("merged", "tokens", 7)
    assert (noted.before, noted.ours) == ("call(first, second)\n", "call(first, second, third)\n")
    assert noted.after.endswith("called(first, second)\n")
    assert current(live, noted).endswith("called(first, second, third)\n")


def test_a_file_without_a_known_base_is_asked_about_as_a_whole() -> None:
    live = room({"a.txt": "ours\n"})
    landed = applied(live, {}, [CreateFile("a.txt", "theirs\n")])
    (question,) = landed.suggestions
    assert (question.kind, question.file, question.after) == ("whole_file", "a.txt", "theirs\n")
    assert landed.update is None
    update, _ = answer(live, question, ClientId(77), "both")
    assert update is not None
    live.apply([update])
    assert texts(live) == {"a.txt": "ours\n", "a-2.txt": "theirs\n"}


@pytest.mark.parametrize(
    ("live", "intent", "expected"),
    [
        ({}, ReplaceFile("a.txt", "new\n"), {"a.txt": "new\n"}),
        ({"a.txt": "typed\n"}, DeleteFile("a.txt"), {}),
        ({}, RenameFile("a.txt", "b.txt"), {"b.txt": BASE}),
        ({"a.txt": BASE, "b.txt": "x"}, RenameFile("a.txt", "c.txt"), {"c.txt": BASE, "b.txt": "x"}),
    ],
)
def test_accepting_does_what_the_writer_wanted(
    live: dict[str, str], intent: Intent, expected: dict[str, str]
) -> None:
    document = room(live)
    landed = applied(document, {"a.txt": BASE}, [intent])
    for question in landed.suggestions:
        assert texts(document) == live
        update, _ = answer(document, question, ClientId(77))
        assert update is not None
        document.apply([update])
    assert texts(document) == expected


def test_a_rename_of_a_file_that_was_renamed_is_asked_about_the_file() -> None:
    document = room({"c.txt": BASE})
    (question,) = applied(
        document, {"a.txt": BASE}, [RenameFile("a.txt", "b.txt")], moved={"a.txt": "c.txt"}
    ).suggestions
    assert (question.kind, question.file, question.after) == ("rename_file", "c.txt", "b.txt")


def test_batches_go_on_from_one_another_and_from_what_people_do() -> None:
    live = room({"a.txt": BASE, "b.txt": BASE})
    landing = Landing(ids())
    for path in ("a.txt", "b.txt"):
        live.edit(lambda editor: editor.splice(FileId("b.txt"), 0, 0, "typed\n"))
        intents = [ReplaceFile(path, texts(live)[path].replace("two", "2"))]
        update = landing.write(live, decide(texts(live), texts(live), intents, MERGER))
        assert update is not None
        live.apply([update])
        assert list(landing.suggestions(7)) == []
    assert texts(live) == {
        "a.txt": BASE.replace("two", "2"),
        "b.txt": "typed\ntyped\n" + BASE.replace("two", "2"),
    }
    update, _ = undo(landing.ledger, live)
    assert update is not None
    live.apply([update])
    assert texts(live) == {"a.txt": BASE, "b.txt": "typed\ntyped\n" + BASE}


def test_decisions_about_another_text_are_refused() -> None:
    decisions = decide({"a.txt": BASE}, {"a.txt": BASE}, [EditHunk("a.txt", 33, 34, "x")], MERGER)
    with pytest.raises(InvalidOperation, match="outside of the text"):
        land(room({"a.txt": "short\n"}), decisions, ids(), 7)


def test_a_question_has_an_id_of_its_own_that_follows_from_it() -> None:
    assert question_id("kim", "x") == question_id("kim", "x")
    assert len({question_id("kim", "x"), question_id("lee", "x"), question_id("kim", "y")}) == 3


@given(distinct())
def test_applied_twice_is_applied_once(case: tuple[str, str, str]) -> None:
    base, ours, theirs = case
    live = room({"a.txt": ours})
    first = applied(live, {"a.txt": base}, [ReplaceFile("a.txt", theirs)])
    after = texts(live)
    second = applied(live, {"a.txt": base}, [ReplaceFile("a.txt", theirs)], 2)
    assert texts(live) == after
    assert second.ledger.empty
    if not any(one.state == "merged" for one in first.suggestions):
        # Lines that were merged word by word are other lines than either side's, so they may be asked about.
        asked = {one.suggestion for one in first.suggestions}
        assert {one.suggestion for one in second.suggestions if one.state == "open"} <= asked


@given(three())
def test_the_undo_gives_back_what_was_there(case: tuple[str, str, str]) -> None:
    base, ours, theirs = case
    live = room({"a.txt": ours, "b.txt": base})
    landed = applied(live, {"a.txt": base}, [ReplaceFile("a.txt", theirs), CreateFile("c.txt", theirs)])
    if landed.update is None:
        return
    update, redo = undo(landed.ledger, live)
    assert update is not None
    after = texts(live)
    live.apply([update])
    assert texts(live) == {"a.txt": ours, "b.txt": base}
    update, _ = undo(redo, live, again=True)
    assert update is not None
    live.apply([update])
    assert texts(live) == after

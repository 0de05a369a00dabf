from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collab.merge.changeset import Decision, ReplaceFile, decide
from collab.merge.rebasing import rebase
from tests.collab.merge.changesets import MERGER, distinct

BASE = "".join(f"line {number}\n" for number in range(9))


def decided(base: str, ours: str, theirs: str) -> Decision:
    (decision,) = decide({"a": base}, {"a": ours}, [ReplaceFile("a", theirs)], MERGER)
    return decision


def result(decision: Decision, ours: str) -> str:
    for start, end, text in reversed(decision.changes):
        ours = ours[:start] + text + ours[end:]
    return ours


def test_a_decision_moves_with_what_is_typed_elsewhere() -> None:
    decision = decided(BASE, BASE, BASE.replace("line 4", "LINE 4"))
    now = "typed\n" + BASE.replace("line 7\n", "")
    moved = rebase(decision, BASE, now)
    assert moved is not None
    assert result(moved, now) == now.replace("line 4", "LINE 4")
    assert moved.outcome == "done"


def test_a_decision_does_not_hold_where_somebody_types() -> None:
    decision = decided(BASE, BASE, BASE.replace("line 4", "LINE 4"))
    assert rebase(decision, BASE, BASE.replace("line 4", "line 4, typed")) is None
    assert rebase(decision, BASE, BASE.replace("line 3", "line 3, typed")) is None


def test_what_would_have_landed_there_can_be_asked_instead() -> None:
    theirs = BASE.replace("line 4", "LINE 4").replace("line 7", "LINE 7")
    now = "typed\n" + BASE.replace("line 4\n", "line 4, typed\nand on\n")
    moved = rebase(decided(BASE, BASE, theirs), BASE, now, force=True)
    assert moved is not None
    (question,) = moved.questions
    assert (question.base, question.theirs) == ("line 4\n", "LINE 4\n")
    assert question.ours == now[question.start : question.end] == "line 4, typed\nand on\n"
    assert question.conflict == moved.conflict == "overlapping_edits"
    assert result(moved, now) == now.replace("line 7", "LINE 7")


def test_a_question_follows_the_lines_that_it_is_about() -> None:
    ours = BASE.replace("line 4", "ours 4")
    now = "typed\n" + ours.replace("ours 4", "ours 4, typed")
    moved = rebase(decided(BASE, ours, BASE.replace("line 4", "theirs 4")), ours, now)
    assert moved is not None
    assert [question.ours for question in moved.questions] == ["ours 4, typed\n"]


@given(distinct(), st.integers(0, 12), st.integers(0, 2))
def test_nothing_typed_meanwhile_is_lost_and_nothing_of_the_writer(
    case: tuple[str, str, str], line: int, gone: int
) -> None:
    base, ours, theirs = case
    lines = ours.splitlines(keepends=True)
    lines[line : line + gone] = ["typed meanwhile\n"]
    now = "".join(lines)
    decision = decided(base, ours, theirs)
    for force in (False, True):
        moved = rebase(decision, ours, now, force=force)
        if moved is None:
            assert not force
            continue
        assert "typed meanwhile\n" in result(moved, now)
        assert len(moved.pieces) == len(decision.pieces)
        for before, after in zip(decision.pieces, moved.pieces, strict=True):
            assert (before.base, before.theirs) == (after.base, after.theirs)
            assert now[after.start : after.end] == after.ours or after.outcome != "asked"

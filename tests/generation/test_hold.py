from __future__ import annotations

from collab.ids import FilePath
from generation.answer import (
    FileClosed,
    FileDeleted,
    FileOpened,
    FileText,
    HunkClosed,
    ParseEvent,
    ProseSkipped,
    ReplaceText,
    SearchCompleted,
    WholeFileOpened,
)
from generation.hold import Hold, OpenGate

A, B = FilePath("a.py"), FilePath("b.py")
HUNK: list[ParseEvent] = [FileOpened(A), SearchCompleted(A, "x\n"), ReplaceText("y\n"), HunkClosed()]
NEW: list[ParseEvent] = [WholeFileOpened(B), FileText("z\n"), FileClosed()]


class Gates:
    """A gate that other jobs hold shut."""

    def __init__(self, *shut: str) -> None:
        self.shut = set(shut)
        self.refused = ""

    def enter(self, path: str) -> bool:
        return path not in self.shut

    def refusal(self, path: str) -> str:
        return self.refused


def passed(hold: Hold, events: list[ParseEvent]) -> list[ParseEvent]:
    return [event for event in events if not hold.keeps(event)]


def test_what_is_about_free_files_passes() -> None:
    hold = Hold(OpenGate())
    assert passed(hold, [*HUNK, *NEW]) == [*HUNK, *NEW]
    assert hold.path is None


def test_what_follows_a_taken_file_waits_in_order_until_it_is_free() -> None:
    gate = Gates(A)
    hold = Hold(gate)
    assert passed(hold, [ProseSkipped("Sure."), *HUNK, *NEW]) == [ProseSkipped("Sure.")]
    waited_for = [hold.path]
    assert list(hold.release()) == []
    gate.shut.clear()
    assert list(hold.release()) == [*HUNK, *NEW]
    waited_for.append(hold.path)
    assert waited_for == [A, None]
    assert not hold.keeps(FileDeleted(A))


def test_the_next_taken_file_is_waited_for_in_its_turn() -> None:
    gate = Gates(A, B)
    hold = Hold(gate)
    passed(hold, [*HUNK, *NEW])
    gate.shut = {B}
    assert list(hold.release()) == HUNK
    assert hold.path == B


def test_where_waiting_would_never_end_it_goes_on_and_is_told_why() -> None:
    gate = Gates(A)
    gate.refused = "They wait for each other."
    hold = Hold(gate)
    assert passed(hold, HUNK) == HUNK
    told = [hold.told]
    assert passed(hold, NEW) == NEW
    told.append(hold.told)
    assert told == ["They wait for each other.", ""]


def test_at_the_end_what_is_not_free_is_only_proposed() -> None:
    gate = Gates(A)
    hold = Hold(gate)
    passed(hold, [*HUNK, *NEW])
    told = [(event, hold.told) for event in hold.give_up()]
    assert [event for event, _ in told] == [*HUNK, *NEW]
    assert {reason for event, reason in told[:4]} == {"Another job is writing a.py too."}
    assert {reason for event, reason in told[4:]} == {""}


def test_what_was_dropped_does_not_come() -> None:
    gate = Gates(A)
    hold = Hold(gate)
    passed(hold, HUNK)
    hold.drop()
    gate.shut.clear()
    assert list(hold.release()) == []

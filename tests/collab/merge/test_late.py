from __future__ import annotations

from collections.abc import Callable

from collab.document import Document
from collab.editor import Editor
from collab.ids import ClientId, ConnectionId, FileId, JobId, PersonId
from collab.merge.late import Late, LateEdits
from collab.merge.session import MergeSession
from collab.origin import ChangeOrigin, JobOrigin, Origin, PersonOrigin, UndoOrigin
from collab.ports import LogEntry
from collab.wire import IdRange

FILE = FileId("f1")
TEXT = "one 1\ntwo 2\nthree 3\n"
JOB, ADA = JobId("j1"), PersonId("Ada")
BY_ADA = PersonOrigin(ADA, ConnectionId("c"))


def entry(update: bytes | None, origin: Origin) -> LogEntry:
    assert update is not None
    return LogEntry(1, 0, origin, update)


class Scene:
    """A room in which a job rewrites a line, and somebody who has not seen that."""

    def __init__(self) -> None:
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FILE, "a.txt", TEXT))
        self.ada = Document(ClientId(7))
        self.ada.apply([self.live.encode()])
        self.late = LateEdits()

    def rewrite(self, new: str) -> None:
        session = MergeSession(self.live, ClientId(9))
        whole = session.open_whole(FILE)
        session.write(whole, new)
        session.close(whole)
        update = session.pull(self.live).update
        assert update is not None
        session.merged(self.live.apply([update], track=True), self.live)
        assert self.late.see(entry(update, JobOrigin(JOB, ADA))) == []
        self.ledger = session.ledger

    def edit(self, change: Callable[[Editor], None]) -> list[Late]:
        _, applied = self.ada.edit(change)
        return self.late.see(entry(applied.update, BY_ADA))


def test_text_typed_in_a_line_that_is_gone_is_late() -> None:
    scene = Scene()
    scene.rewrite(TEXT.replace("two 2", "zwei"))
    assert scene.edit(lambda editor: editor.splice(FILE, 8, 8, "X")) == [Late(JOB, IdRange(ClientId(7), 0, 1))]


def test_so_it_is_with_a_change_that_came_by_http() -> None:
    scene = Scene()
    session = MergeSession(scene.live, ClientId(9))
    whole = session.open_whole(FILE)
    session.write(whole, TEXT.replace("two 2", "zwei"))
    session.close(whole)
    update = session.pull(scene.live).update
    assert scene.late.see(entry(update, ChangeOrigin("c1", ADA, "put"))) == []
    late = scene.edit(lambda editor: editor.splice(FILE, 8, 8, "X"))
    assert late == [Late(JobId("c1"), IdRange(ClientId(7), 0, 1))]
    assert scene.late.see(entry(update, ChangeOrigin("", ADA, "undo"))) == []


def test_text_typed_where_the_job_wrote_within_a_line_is_late() -> None:
    scene = Scene()
    scene.rewrite(TEXT.replace("two 2", "two, 2"))
    assert len(scene.edit(lambda editor: editor.splice(FILE, 9, 9, "X"))) == 1


def test_text_typed_by_somebody_who_has_seen_it_is_not_late() -> None:
    scene = Scene()
    scene.rewrite(TEXT.replace("two 2", "zwei"))
    scene.ada.apply([scene.live.encode(scene.ada.state_vector())])
    assert scene.edit(lambda editor: editor.splice(FILE, 8, 8, "X")) == []


def test_text_typed_elsewhere_is_not_late() -> None:
    scene = Scene()
    scene.rewrite(TEXT.replace("two 2", "zwei"))
    assert scene.edit(lambda editor: editor.splice(FILE, 2, 2, "X")) == []


def test_what_a_job_of_before_has_deleted_is_remembered_by_its_ledger() -> None:
    scene = Scene()
    scene.rewrite(TEXT.replace("two 2", "zwei"))
    scene.late = LateEdits()
    scene.late.remember(JOB, scene.ledger)
    assert len(scene.edit(lambda editor: editor.splice(FILE, 8, 8, "X"))) == 1


def test_after_an_undo_nothing_is_late() -> None:
    scene = Scene()
    scene.rewrite(TEXT.replace("two 2", "zwei"))
    scene.late.see(entry(b"\0\0", UndoOrigin(JOB, ADA)))
    assert scene.edit(lambda editor: editor.splice(FILE, 8, 8, "X")) == []

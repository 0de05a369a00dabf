from __future__ import annotations

import pytest

from collab.document import Document
from collab.editor import Editor
from collab.ids import ClientId, ConnectionId, FileId, JobId, PersonId
from collab.ledger import Ledger
from collab.merge.session import MergeSession
from collab.merge.strays import LOST_AND_FOUND, Shelters, Stray, Strays, in_no_file
from collab.origin import JobOrigin, Origin, PersonOrigin, UndoOrigin
from collab.ports import LogEntry
from collab.undo import undo
from collab.wire import IdRange

JOB, ADA = JobId("j1"), PersonId("Ada")
BY_ADA = PersonOrigin(ADA, ConnectionId("c"))
NEW = FileId("new")


class Scene:
    """A job writes a new file and takes it away again; Ada, who is far away, types in it."""

    def __init__(self) -> None:
        self.live = Document(ClientId(1))
        self.ada = Document(ClientId(7))
        self.strays = Strays()
        self.session = MergeSession(self.live, ClientId(9))
        self.hunk = self.session.open_file(NEW, "new.txt")
        self.session.write(self.hunk, "one\ntwo\n")
        self.pull()
        self.ada.apply([self.live.encode()])

    def pull(self) -> None:
        update = self.session.pull(self.live).update
        assert update is not None
        self.session.merged(self.live.apply([update], track=True), self.live)
        self.told(update, JobOrigin(JOB, ADA))

    def told(self, update: bytes, origin: Origin) -> list[Stray]:
        return self.strays.see(LogEntry(1, 0, origin, update))

    def take_away(self) -> None:
        self.session.withdraw(self.hunk)
        self.pull()
        assert not self.live.listing().files

    def type(self, at: int, text: str) -> list[Stray]:
        """What is in no file of what she types and sends."""
        _, applied = self.ada.edit(lambda editor: editor.splice(NEW, at, at, text))
        return self.send(applied.update)

    def send(self, update: bytes | None) -> list[Stray]:
        assert update is not None
        beside = self.told(update, BY_ADA)
        self.live.apply([update])
        return in_no_file(self.live, beside)

    def put_back(self, shelters: Shelters, strays: list[Stray]) -> None:
        for stray in strays:
            shelter = shelters.of(stray, self.session.ledger)
            taken = shelter.take_in(self.live, stray)
            assert taken is not None
            update, copies = taken
            self.live.apply([update])
            assert [copy.of for copy in copies] == [(stray.ids,)]
            assert shelter.take_in(self.live, stray) is None


def shown(document: Document) -> dict[str, str]:
    return {file.shown: document.text(id_) for id_, file in document.listing().files.items()}


def test_what_is_typed_in_a_file_that_is_gone_comes_back_under_its_name() -> None:
    scene, made = Scene(), Shelters()
    scene.take_away()
    scene.put_back(made, scene.type(3, "X"))
    scene.put_back(made, scene.type(4, "YZ"))
    assert shown(scene.live) == {"new.txt": "XYZ"}


def test_what_is_typed_in_front_of_other_strays_and_elsewhere_goes_to_the_same_file() -> None:
    scene, made = Scene(), Shelters()
    scene.take_away()
    scene.put_back(made, scene.type(3, "def"))
    scene.put_back(made, scene.type(4, "+"))
    scene.put_back(made, scene.type(0, "# 😀"))
    assert shown(scene.live) == {"new.txt": "d+ef# 😀"}


def test_what_is_typed_in_place_of_all_that_a_job_wrote_comes_back() -> None:
    scene = Scene()
    scene.take_away()
    _, applied = scene.ada.edit(lambda editor: editor.splice(NEW, 0, 8, "mine"))
    scene.put_back(Shelters(), scene.send(applied.update))
    assert shown(scene.live) == {"new.txt": "mine"}


def test_a_file_that_was_deleted_again_is_made_anew() -> None:
    scene, made = Scene(), Shelters()
    scene.take_away()
    scene.put_back(made, scene.type(3, "one"))
    [shelter] = scene.live.listing().files
    scene.live.edit(lambda editor: editor.delete(shelter))
    scene.put_back(made, scene.type(6, "two"))
    assert shown(scene.live) == {"new.txt": "two"}


def test_after_an_undo_of_the_job_it_comes_back_too() -> None:
    scene, made = Scene(), Shelters()
    scene.session.close(scene.hunk)
    scene.session.pull(scene.live)
    update, reverse = undo(scene.session.ledger, scene.live)
    assert update is not None
    scene.live.apply([update])
    scene.told(update, UndoOrigin(JOB, ADA))
    [stray] = scene.type(3, "X")
    taken = made.of(stray, reverse).take_in(scene.live, stray)
    assert taken is not None
    scene.live.apply([taken[0]])
    assert shown(scene.live) == {"new.txt": "X"}


def test_the_ledger_remembers_it_over_a_restart() -> None:
    scene = Scene()
    scene.take_away()
    ledger = Ledger.from_bytes(scene.session.ledger.to_bytes())
    assert [(one.file, one.path) for one in ledger.away] == [(NEW, "new.txt")]
    scene.strays = Strays()
    scene.strays.remember(JOB, ledger)
    [stray] = scene.type(3, "X")
    assert Shelters().of(stray, ledger).path == "new.txt"


def test_a_file_whose_name_nobody_knows_gets_one() -> None:
    scene = Scene()
    scene.take_away()
    [stray] = scene.type(3, "X")
    assert Shelters().of(stray, Ledger()).path == LOST_AND_FOUND


def test_text_beside_what_a_job_took_back_in_a_file_that_stays_is_in_no_need() -> None:
    live = Document(ClientId(1))
    file = FileId("f")
    live.edit(lambda editor: editor.create(file, "a.txt", "one\ntwo\n"))
    session, strays = MergeSession(live, ClientId(9)), Strays()
    hunk = session.open_whole(file)
    session.write(hunk, "one\nnew line\ntwo\n")

    def pull() -> None:
        update = session.pull(live).update
        assert update is not None
        session.merged(live.apply([update], track=True), live)
        strays.see(LogEntry(1, 0, JobOrigin(JOB, ADA), update))

    pull()
    ada = Document(ClientId(7))
    ada.apply([live.encode()])
    session.withdraw(hunk)
    pull()
    _, applied = ada.edit(lambda editor: editor.splice(file, 7, 7, "X"))
    assert applied.update is not None
    beside = strays.see(LogEntry(2, 0, BY_ADA, applied.update))
    assert [one.text for one in beside] == ["X"]
    live.apply([applied.update])
    assert in_no_file(live, beside) == []


def test_what_its_author_deleted_at_once_in_a_file_that_stays_is_not_put_back() -> None:
    scene = Scene()
    live = scene.live
    beside = FileId("beside")
    live.edit(lambda editor: editor.create(beside, "b.txt", "text"))
    ada = Document(ClientId(8))
    ada.apply([live.encode()])
    _, typed = ada.edit(lambda editor: editor.splice(beside, 2, 2, "X"))
    _, deleted = ada.edit(lambda editor: editor.splice(beside, 2, 3, ""))
    assert typed.update is not None
    assert deleted.update is not None
    live.apply([typed.update, deleted.update])
    assert in_no_file(live, [Stray(JOB, IdRange(ClientId(8), 0, 1), "X", None)]) == []


@pytest.mark.parametrize("update", [b"", b"\x01\x01", b"nothing"])
def test_an_update_that_cannot_be_read_is_passed_over(update: bytes) -> None:
    scene = Scene()
    scene.take_away()
    assert scene.told(update, BY_ADA) == scene.told(update, JobOrigin(JOB, ADA)) == []


def test_other_edits_are_nobodys_strays() -> None:
    scene = Scene()
    scene.take_away()

    def make(editor: Editor) -> None:
        editor.create(FileId("mine"), "mine.txt", "text")

    _, applied = scene.ada.edit(make)
    assert scene.send(applied.update) == []
    assert shown(scene.live) == {"mine.txt": "text"}

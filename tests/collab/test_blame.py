"""The table of who wrote what, mapped to the ranges of a text."""

from __future__ import annotations

import pytest

from collab.attribution import NOBODY, Activity, Author
from collab.attribution_codec import pack_copies
from collab.authorship import Authorship
from collab.blame import SITTING_MS, activity, blame
from collab.document import Document
from collab.errors import NotFound
from collab.ids import ClientId, ConnectionId, FileId, JobId, PersonId
from collab.ledger import Ledger
from collab.merge.edits import splice
from collab.merge.session import MergeSession
from collab.origin import ImportOrigin, JobOrigin, Origin, PersonOrigin, UndoOrigin
from collab.ports import LogEntry
from collab.undo import undo

FILE = FileId("f1")
NOON = 1_700_000_000_000


class World:
    """A room's document and its log."""

    def __init__(self) -> None:
        self.live = Document(ClientId(1))
        self.authorship = Authorship()
        self.now = NOON
        _, applied = self.live.edit(lambda editor: editor.create(FILE, "a.txt"))
        self.log(applied.update, ImportOrigin(PersonId("Zoe")))

    def log(self, update: bytes | None, origin: Origin) -> None:
        assert update is not None
        self.authorship.add(LogEntry(0, self.now, origin, update))

    def person(self, name: str, client: int, start: int, end: int, text: str) -> None:
        self._write(client, PersonOrigin(PersonId(name), ConnectionId("c")), start, end, text)

    def job(self, job: str, client: int, start: int, end: int, text: str) -> Ledger:
        return self._write(client, JobOrigin(JobId(job), PersonId("Ann")), start, end, text)

    def _write(self, client: int, origin: Origin, start: int, end: int, text: str) -> Ledger:
        ledger = Ledger()
        update, _ = splice(self.live.fork(ClientId(client)), FILE, [(start, end, text)], ledger)
        assert update is not None
        self.live.apply([update])
        self.log(update, origin)
        return ledger

    def undo(self, ledger: Ledger, *, redo: bool = False) -> Ledger:
        update, reverse = undo(ledger, self.live, again=redo)
        assert update is not None
        self.live.apply([update])
        copies = pack_copies(reverse.copies[len(ledger.copies) :])
        self.log(update, UndoOrigin(JobId("j1"), PersonId("Bob"), redo, copies))
        return reverse

    def shown(self) -> list[tuple[str, str]]:
        text = self.live.text(FILE)
        ranges = blame(self.live, FILE, self.authorship.table())
        assert [one.start for one in ranges] == [0, *(one.end for one in ranges)][: len(ranges)]
        assert not ranges or ranges[-1].end == len(text)
        return [(text[one.start : one.end], one.author.id) for one in ranges]


def test_each_range_is_of_who_wrote_it() -> None:
    world = World()
    world.person("Ann", 5, 0, 0, "hello world")
    world.person("Bob", 6, 5, 5, ", dear")
    world.job("j1", 7, 17, 17, "!")
    assert world.shown() == [("hello", "Ann"), (", dear", "Bob"), (" world", "Ann"), ("!", "j1")]


def test_offsets_are_characters_whatever_they_take() -> None:
    world = World()
    world.person("Ann", 5, 0, 0, "𝄞ä𝄞")
    world.person("Bob", 6, 1, 1, "😀b")
    world.person("Ann", 8, 4, 5, "𝄞")
    assert world.shown() == [("𝄞", "Ann"), ("😀b", "Bob"), ("ä𝄞", "Ann")]


def test_a_break_in_time_begins_another_range_and_the_newest_time_is_told() -> None:
    world = World()
    world.person("Ann", 5, 0, 0, "one ")
    world.now += 20_000
    world.person("Ann", 6, 4, 4, "two ")
    world.now += SITTING_MS
    world.person("Ann", 7, 8, 8, "three")
    found = [(one.end, one.at_ms) for one in blame(world.live, FILE, world.authorship.table())]
    assert found == [(8, NOON + 20_000), (13, NOON + 20_000 + SITTING_MS)]


def test_text_that_an_undo_puts_back_is_of_who_wrote_it() -> None:
    world = World()
    world.person("Ann", 5, 0, 0, "one two three")
    world.now += 60_000
    world.person("Bob", 6, 7, 7, " and")
    world.now += 60_000
    ledger = world.job("j1", 7, 4, 12, "2 & ")
    assert world.shown() == [("one ", "Ann"), ("2 & ", "j1"), ("three", "Ann")]
    redo = world.undo(ledger)
    assert world.live.text(FILE) == "one two and three"
    assert world.shown() == [("one two", "Ann"), (" and", "Bob"), (" three", "Ann")]
    ranges = blame(world.live, FILE, world.authorship.table())
    assert [one.at_ms for one in ranges] == [NOON, NOON + 60_000, NOON]
    again = world.undo(redo, redo=True)
    assert [author for _, author in world.shown()] == ["Ann", "j1", "Ann"]
    world.undo(again)
    assert world.shown() == [("one two", "Ann"), (" and", "Bob"), (" three", "Ann")]


def test_text_that_a_job_takes_back_itself_is_of_who_wrote_it() -> None:
    world = World()
    world.person("Ann", 5, 0, 0, "one\ntwo\nthree\n")
    session = MergeSession(world.live, ClientId(9))
    number = session.open_hunk(FILE, 0, 14)
    told = 0
    shown: list[tuple[str, str]] = []
    session.write(number, "three\nmore\n")
    for _ in range(2):
        update = session.pull(world.live).update
        assert update is not None
        origin = JobOrigin(JobId("j1"), PersonId("Bob"), pack_copies(session.copies[told:]))
        told = len(session.copies)
        session.merged(world.live.apply([update], track=True), world.live)
        world.log(update, origin)
        shown = world.shown()
        session.withdraw(number)
    assert told > 0
    assert shown == [("one\ntwo\nthree\n", "Ann")]


def test_a_text_of_which_nothing_is_known_is_of_nobody() -> None:
    live = Document(ClientId(1))
    live.edit(lambda editor: editor.create(FILE, "a.txt", "old"))
    (found,) = blame(live, FILE, Authorship().table())
    assert (found.start, found.end, found.author, found.at_ms) == (0, 3, NOBODY, 0)


def test_an_empty_text_has_no_ranges_and_a_missing_one_is_not_found() -> None:
    world = World()
    assert world.shown() == []
    with pytest.raises(NotFound):
        blame(world.live, FileId("f2"), world.authorship.table())


def test_activity_is_told_by_file_with_what_was_deleted_since() -> None:
    world = World()
    world.person("Ann", 5, 0, 0, "before")
    world.now += 600_000
    world.person("Bob", 6, 0, 6, "12345678")
    world.person("Bob", 7, 0, 3, "")
    other = FileId("f2")
    _, applied = world.live.edit(lambda editor: editor.create(other, "b.txt", "xyz"))
    world.log(applied.update, ImportOrigin(PersonId("Zoe")))
    found = activity(world.live, world.authorship.table(), NOON + 1)
    at = NOON + 600_000
    assert found == {
        FILE: [Activity(Author("person", "Bob"), at, at, 8)],
        other: [Activity(Author("import", "Zoe"), at, at, 3)],
    }

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest

from collab.document import Document
from collab.ids import ClientId, FileId, FilePath
from collab.presence import PresenceView
from collab.text_ops import Delete, Insert, Retain
from collab.versions import FileAdded, FileGone, FileMoved, TextVersioned
from collab.wire import anchor_json
from generation import events as happened
from server.announce import Announcer, control_frame, cursor_moved, native_frame
from server.messages import events, parts
from tests.server.native_fakes import job_view, suggestion_view

FILE = FileId("f")
PATH = FilePath("a.txt")


@pytest.fixture
def document() -> Document:
    live = Document(ClientId(5))
    live.edit(lambda editor: editor.create(FILE, "a.txt", "one\né😀two"))
    return live


def view(cursor: Any = None, *, name: str = "Ann", file: str | None = FILE, kind: str = "person") -> PresenceView:
    return PresenceView(ClientId(7), name, "#000000", kind, file, cursor)


def cursor(document: Document, anchor: int, head: int) -> dict[str, object]:
    return {"anchor": anchor_json(document.anchor(FILE, anchor)), "head": anchor_json(document.anchor(FILE, head))}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (happened.JobStarted(job_view()), events.GenerationStarted),
        (happened.JobProgressed(job_view(), "reading"), events.GenerationProgress),
        (happened.JobTokens("j1", "a.py", "x"), events.GenerationToken),
        (happened.JobFinished(job_view(state="complete")), events.GenerationComplete),
        (happened.JobChanged(job_view(undone=True)), events.JobChanged),
        (happened.SuggestionAdded(suggestion_view()), events.SuggestionAdded),
        (happened.SuggestionAnswered(suggestion_view(state="gone")), events.SuggestionAnswered),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, type) else "",
)
def test_what_happens_in_a_generation_is_told_to_the_room(
    event: happened.GenerationEvent, message: type[events.Event]
) -> None:
    (told,) = Announcer().messages(event)
    assert type(told) is message


@pytest.mark.parametrize(
    "event",
    [
        happened.ContextReady("j1", ("a.py",), 10),
        happened.StrategyDetermined("j1", "full", "new project"),
        happened.FileStarted("j1", "a.py"),
        happened.FileEnded("j1", "a.py", 1, 0),
    ],
)
def test_steps_for_the_asker_alone_are_not_told_to_the_room(event: happened.GenerationEvent) -> None:
    assert Announcer().messages(event) == []


def test_a_job_travels_with_all_its_fields() -> None:
    (told,) = Announcer().messages(happened.JobProgressed(job_view(progress=0.5, tokens=9), "writing"))
    assert isinstance(told, events.GenerationProgress)
    assert (told.job.progress, told.job.tokens, told.job.files, told.detail) == (0.5, 9, ["a.txt"], "writing")


def test_a_message_is_told_as_it_is() -> None:
    message = events.NotSaved(reason="disk full")
    assert Announcer().messages(message) == [message]


def test_changes_of_files_are_told() -> None:
    announcer = Announcer()
    op = (Retain(1), Insert("x"), Delete(2))
    assert announcer.change(TextVersioned(FILE, PATH, 4, op, "Ann")) == [
        events.TextChanged(
            file=FILE,
            path=PATH,
            version=4,
            ops=[parts.Retain(retain=1), parts.Insert(insert="x"), parts.Delete(delete=2)],
            by="Ann",
        )
    ]
    assert announcer.change(FileAdded(FILE, PATH, 1, 3)) == [
        events.FileCreated(file=parts.FileInfo(file=FILE, path=PATH, version=1, length=3))
    ]
    assert announcer.change(FileMoved(FILE, PATH, FilePath("b.txt"))) == [
        events.FileRenamed(file=FILE, path=PATH, before="b.txt")
    ]
    assert announcer.change(FileGone(FILE, PATH)) == [events.FileDeleted(file=FILE, path=PATH)]


def test_who_comes_changes_and_goes_is_told(document: Document) -> None:
    announcer = Announcer()
    (joined,) = announcer.presence(None, view(), document)
    assert isinstance(joined, events.UserJoined)
    (changed,) = announcer.presence(view(), view(name="Bea"), document)
    assert isinstance(changed, events.UserChanged)
    assert announcer.presence(view(), None, document) == [events.UserLeft(client=7, name="Ann")]
    assert announcer.presence(view(), view(), document) == []
    assert announcer.presence(None, None, document) == []


def test_a_job_is_told_as_one(document: Document) -> None:
    (joined,) = Announcer().presence(None, view(kind="job"), document)
    assert isinstance(joined, events.UserJoined)
    assert joined.person.kind == "job"


def test_a_moved_cursor_is_told_once(document: Document) -> None:
    before, now = view(cursor(document, 1, 1)), view(cursor(document, 6, 6))
    (moved,) = Announcer().presence(before, now, document)
    assert isinstance(moved, events.CursorMoved)
    assert moved.position == parts.Position(line=1, character=3)
    assert Announcer().presence(now, now, document) == []


def test_a_selection_is_told_with_both_ends(document: Document) -> None:
    moved = cursor_moved(view(cursor(document, 0, 2)), document)
    assert moved is not None
    assert moved.selection == parts.Selection(
        anchor=parts.Position(line=0, character=0), head=parts.Position(line=0, character=2)
    )


@pytest.mark.parametrize(("assoc", "character"), [(0, 6), (-1, 0)])
def test_a_cursor_that_holds_on_to_the_text_is_at_its_end_or_start(
    document: Document, assoc: int, character: int
) -> None:
    place = {"type": {"client": 5, "clock": 2}, "tname": None, "item": None, "assoc": assoc}
    moved = cursor_moved(view({"anchor": place, "head": place}), document)
    assert moved is not None
    assert (moved.position.character, moved.selection) == (character, None)


def test_a_cursor_before_an_item_is_where_browsers_put_it(document: Document) -> None:
    place = {"type": None, "tname": None, "item": {"client": 5, "clock": 5}, "assoc": 0}
    moved = cursor_moved(view({"anchor": place, "head": place}), document)
    assert moved is not None
    assert moved.position == parts.Position(line=0, character=2)


@pytest.mark.parametrize(
    "junk",
    [
        None,
        7,
        [],
        {},
        {"head": None},
        {"head": {"item": {"client": -1, "clock": 0}, "assoc": 0}},
        {"head": {"item": {"client": 2**60, "clock": 0}}},
        {"head": {"item": {"client": 5, "clock": 10**9}}},
        {"head": {"item": {"client": 99, "clock": 0}, "assoc": "x"}},
        {"head": {"item": {"client": "5", "clock": 1}}},
    ],
)
def test_what_is_no_cursor_is_left_out(document: Document, junk: Any) -> None:
    assert cursor_moved(view(junk), document) is None


def test_a_cursor_in_a_file_that_is_not_there_is_left_out(document: Document) -> None:
    assert cursor_moved(view(cursor(document, 0, 0), file="nope"), document) is None


def test_only_what_matters_now_may_be_missed(document: Document) -> None:
    announcer = Announcer()
    assert announcer.transient(events.GenerationToken(job="j", path="a", text="x"))
    assert not announcer.transient(events.SuggestionAnswered(suggestion=parts.Suggestion(**vars_of())))
    (changed,) = announcer.change(TextVersioned(FILE, PATH, 4, (Insert("x"),), ""))
    assert not announcer.transient(changed)


def vars_of() -> dict[str, Any]:
    shown = suggestion_view()
    return {name: getattr(shown, name) for name in shown.__slots__}


def test_a_message_is_encoded_once_for_each_kind_of_connection() -> None:
    announcer = Announcer()
    message = events.UserLeft(client=1, name="Ann")
    assert announcer.native_frame(message, packed=False) is announcer.native_frame(message, packed=False)
    assert announcer.native_frame(message, packed=True) is announcer.native_frame(message, packed=True)
    assert announcer.control_frame(message) is announcer.control_frame(message)
    other = events.UserLeft(client=2, name="Ann")
    assert announcer.native_frame(other, packed=False) != announcer.native_frame(message, packed=False)


def test_frames_hold_the_message_in_the_form_of_their_dialect() -> None:
    message = events.Pong(id=1)
    text = native_frame(message, packed=False)
    assert (text[0], json.loads(text[2:])) == (0x81, {"type": "pong", "id": 1})
    packed = native_frame(message, packed=True)
    assert (packed[0], msgpack.unpackb(packed[2:])) == (0x82, {"type": "pong", "id": 1})
    control = control_frame(message)
    assert (control[0], control[2], json.loads(control[4:])) == (0x82, 100, {"type": "pong", "id": 1})


def test_the_control_channel_carries_every_field() -> None:
    assert json.loads(control_frame(events.Done())[4:]) == {"type": "done", "id": None, "message": ""}

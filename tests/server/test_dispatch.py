from __future__ import annotations

import base64
import typing

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.limits import Limits
from collab.origin import PersonOrigin
from collab.versions import FileAdded, FileGone, FileMoved, TextVersioned
from generation.book import SENT
from generation.sent import Sent
from generation.service import Asker, GenerationRequest
from server.messages import blame, events, history, requests, search
from server.messages.parts import Delete, FileInfo, Insert, Position, Retain, Selection
from server.messages.requests import AnyRequest
from tests.server.native_fakes import Asking


@pytest.fixture
def asking() -> Asking:
    return Asking()


def at(line: int, character: int) -> Position:
    return Position(line=line, character=character)


async def test_welcome_shows_a_native_person_to_the_others_and_tells_all_that_is_there(asking: Asking) -> None:
    file = asking.host.create("a.txt", "é😀")
    welcome = await asking.dispatch.welcome(asking.host, asking.caller)
    assert welcome.files == [FileInfo(file=file, path="a.txt", version=11, length=3)]
    assert [person.name for person in welcome.people] == ["Ann"]
    assert (welcome.you.client, welcome.room, welcome.version, welcome.model) == (42, "demo", "1.2.3", "tiny")
    assert [(model.name, model.context_tokens) for model in welcome.models] == [
        ("tiny", 8_000),
        ("large", 128_000),
    ]
    assert [job.job for job in welcome.jobs] == ["j234567"]
    assert [one.suggestion for one in welcome.suggestions] == ["s234567"]
    assert "help" in welcome.hint
    assert asking.host.presence[ClientId(42)]["user"] == {
        "name": "Ann",
        "color": "#0f766e",
        "colorLight": "#0f766e33",
        "kind": "person",
    }


async def test_welcome_of_the_control_channel_lists_no_files_and_shows_nobody() -> None:
    asking = Asking(native=False)
    asking.host.create("a.txt")
    welcome = await asking.dispatch.welcome(asking.host, asking.caller)
    assert (welcome.files, asking.host.presence, welcome.hint) == ([], {}, "")


async def test_hello_changes_name_and_colour_and_keeps_the_cursor(asking: Asking) -> None:
    asking.host.create("a.txt", "abc")
    await asking.ask(requests.CursorUpdate(file="a.txt", position=at(0, 1)))
    reply = await asking.ask(requests.Hello(id=1, name="Bea", color="#123456"))
    assert reply == events.Done(id=1, message="You are Bea.")
    state = asking.host.presence[ClientId(42)]
    assert (state["user"]["name"], state["user"]["color"], state["file"]) == ("Bea", "#123456", "a_txt")
    assert state["cursor"] is not None


async def test_who_lists_people_and_then_jobs_by_name(asking: Asking) -> None:
    for client, name, kind in ((1, "zed", "person"), (2, "bot", "job"), (3, "ann", "person")):
        user = {"name": name, "color": "#000000", "kind": kind}
        asking.host.set_presence(ClientId(client), {"user": user, "file": None, "cursor": None})
    reply = await asking.ask(requests.Who())
    assert [person.name for person in reply.people] == ["ann", "zed", "bot"]


async def test_files_are_listed_by_path(asking: Asking) -> None:
    asking.host.create("b.txt", "x")
    asking.host.create("a.txt")
    reply = await asking.ask(requests.Files(id="f"))
    assert reply.id == "f"
    assert [(one.path, one.length) for one in reply.files] == [("a.txt", 0), ("b.txt", 1)]


@pytest.mark.parametrize("ref", ["src/a.txt", "src_a_txt"])
async def test_a_file_is_read_by_path_or_id(asking: Asking, ref: str) -> None:
    asking.host.create("src/a.txt", "text")
    reply = await asking.ask(requests.Read(file=ref))
    assert reply == events.FileContent(file="src_a_txt", path="src/a.txt", version=11, text="text")


async def test_a_file_that_is_not_there_is_an_error_that_repeats_the_id(asking: Asking) -> None:
    reply = await asking.ask(requests.Read(id=9, file="nope"))
    assert isinstance(reply, events.Error)
    assert (reply.id, reply.code, reply.field) == (9, "not_found", "file")


async def test_a_text_operation_is_applied_and_answered_with_the_new_version(asking: Asking) -> None:
    file = asking.host.create("a.txt", "é😀z")
    ops = [Retain(retain=1), Delete(delete=2), Insert(insert="ok")]
    reply = await asking.ask(requests.TextOperation(id=1, file="a.txt", version=11, ops=ops))
    assert reply == events.Applied(id=1, file=file, path="a.txt", version=12)
    assert asking.host.document.text(file) == "éokz"
    assert asking.host.origins == [PersonOrigin(asking.caller.person, asking.caller.connection)]


async def test_two_operations_against_one_version_converge(asking: Asking) -> None:
    file = asking.host.create("a.txt", "ab")
    await asking.ask(requests.TextOperation(file=file, version=11, ops=[Retain(retain=1), Insert(insert="1")]))
    reply = await asking.ask(
        requests.TextOperation(file=file, version=11, ops=[Retain(retain=1), Insert(insert="2")])
    )
    assert (reply.version, asking.host.document.text(file)) == (13, "a12b")


async def test_an_operation_is_transformed_over_what_comes_in_just_before_it(asking: Asking) -> None:
    file = asking.host.create("a.txt", "ab")

    def come_in() -> None:
        _, applied = asking.host.document.edit(lambda editor: editor.splice(file, 0, 0, ">>"))
        asking.host.versions.follow(applied, "Bea")

    asking.host.before_change = come_in
    await asking.ask(requests.TextOperation(file=file, version=11, ops=[Retain(retain=2), Insert(insert="c")]))
    assert asking.host.document.text(file) == ">>abc"


@pytest.mark.parametrize(
    ("version", "ops", "code", "field"),
    [
        (5, [Insert(insert="x")], "conflict", "version"),
        (12, [Insert(insert="x")], "conflict", "version"),
        (11, [Retain(retain=4), Insert(insert="x")], "invalid_operation", "ops"),
        (11, [Retain(retain=1), Insert(insert="x")], "invalid_operation", "ops"),
    ],
)
async def test_an_operation_that_does_not_fit_changes_nothing(
    asking: Asking, version: int, ops: list[typing.Any], code: str, field: str
) -> None:
    file = asking.host.create("a.txt", "😀c")
    reply = await asking.ask(requests.TextOperation(file=file, version=version, ops=ops))
    assert (reply.code, reply.field) == (code, field)
    assert asking.host.document.text(file) == "😀c"


async def test_an_operation_of_too_many_changes_in_a_long_text_is_refused(asking: Asking) -> None:
    file = asking.host.create("a.txt", "." * 1_000_000)
    ops = [Retain(retain=1), Insert(insert="x")] * 1_000
    reply = await asking.ask(requests.TextOperation(file=file, version=11, ops=ops))
    assert reply.code == "limit_exceeded"
    assert "at most 200 changes" in reply.message


async def test_edit_replaces_between_two_places(asking: Asking) -> None:
    file = asking.host.create("a.txt", "one\n😀two\n")
    reply = await asking.ask(requests.Edit(file=file, start=at(1, 2), end=at(1, 5), text="2"))
    assert reply.version == 12
    assert asking.host.document.text(file) == "one\n😀2\n"


async def test_edit_without_an_end_inserts(asking: Asking) -> None:
    file = asking.host.create("a.txt", "one\n")
    await asking.ask(requests.Edit(file=file, start=at(1, 0), text="two\n"))
    assert asking.host.document.text(file) == "one\ntwo\n"


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [(at(9, 0), None, "start"), (at(0, 0), at(9, 0), "end"), (at(0, 2), at(0, 1), "end")],
)
async def test_edit_names_the_place_that_does_not_fit(
    asking: Asking, start: Position, end: Position | None, field: str
) -> None:
    asking.host.create("a.txt", "one\n")
    reply = await asking.ask(requests.Edit(file="a.txt", start=start, end=end, text="x"))
    assert (reply.code, reply.field) == ("invalid_operation", field)


async def test_a_file_is_created_under_a_new_id(asking: Asking) -> None:
    reply = await asking.ask(requests.CreateFile(path="src/a.py", text="x = 1\n"))
    assert (reply.path, reply.version) == ("src/a.py", 11)
    assert asking.host.document.text(FileId(reply.file)) == "x = 1\n"
    assert isinstance(asking.host.changes[0], FileAdded)


async def test_a_path_that_is_taken_or_not_allowed_is_refused(asking: Asking) -> None:
    asking.host.create("a.txt")
    taken = await asking.ask(requests.CreateFile(path="a.txt"))
    bad = await asking.ask(requests.CreateFile(path="../a.txt"))
    assert (taken.code, taken.field, bad.code, bad.field) == ("conflict", "path", "invalid_path", "path")


async def test_files_are_bounded_in_number_and_size() -> None:
    asking = Asking(limits=Limits(files=1, file_bytes=4))
    large = await asking.ask(requests.CreateFile(path="a.txt", text="ééx"))
    assert (large.code, large.field) == ("limit_exceeded", "text")
    await asking.ask(requests.CreateFile(path="a.txt", text="éé"))
    assert (await asking.ask(requests.CreateFile(path="b.txt"))).code == "limit_exceeded"


async def test_a_file_is_renamed_unless_the_path_is_taken(asking: Asking) -> None:
    file = asking.host.create("a.txt")
    asking.host.create("b.txt")
    assert (await asking.ask(requests.RenameFile(file="a.txt", path="b.txt"))).code == "conflict"
    assert (await asking.ask(requests.RenameFile(file="a.txt", path="c.txt"))).path == "c.txt"
    assert asking.host.changes == [FileMoved(file, asking.host.document.file(file).path, "a.txt")]  # type: ignore[arg-type]


async def test_a_file_is_deleted(asking: Asking) -> None:
    file = asking.host.create("a.txt")
    reply = await asking.ask(requests.DeleteFile(file="a.txt"))
    assert reply == events.Applied(file=file, path="a.txt")
    assert isinstance(asking.host.changes[0], FileGone)


async def test_a_cursor_is_shown_in_the_form_of_browsers(asking: Asking) -> None:
    file = asking.host.create("a.txt", "one\ntwo")
    selection = Selection(anchor=at(0, 0), head=at(1, 1))
    assert await asking.ask(requests.CursorUpdate(file=file, position=at(1, 1), selection=selection)) is None
    state = asking.host.presence[ClientId(42)]
    assert state["file"] == file
    assert state["cursor"]["head"]["item"]["client"] == 1
    assert state["cursor"]["anchor"]["type"]["client"] == 1


async def test_generate_passes_the_request_on_and_answers_with_the_job(asking: Asking) -> None:
    request = requests.Generate(id=3, prompt="go", files=["a.txt"], mode="review", priority="high")
    reply = await asking.ask(request)
    assert isinstance(reply, events.GenerationStarted)
    assert (reply.id, reply.job.prompt) == (3, "go")
    asked = GenerationRequest("go", ("a.txt",), mode="review", priority="high")
    assert asking.generation.asked == [("submit", "demo", asked, Asker(asking.caller.person, "Ann"))]


async def test_generate_without_an_id_is_answered_by_the_event_for_the_room(asking: Asking) -> None:
    assert await asking.ask(requests.Generate(prompt="go")) is None
    assert len(asking.generation.asked) == 1


@pytest.mark.parametrize("make", [requests.Cancel, requests.Pause, requests.Undo, requests.Redo, requests.Retry])
async def test_what_is_asked_of_a_job_is_passed_on(
    asking: Asking, make: type[requests.Cancel] | type[requests.Undo]
) -> None:
    reply = await asking.ask(make(id=1, job="j234567"))
    refused = await asking.ask(make(id=2, job="j9"))
    assert reply.id == 1
    assert not isinstance(reply, events.Error)
    assert (refused.id, refused.code, refused.field) == (2, "not_found", "job")
    assert asking.generation.asked[0][0] == make.model_fields["type"].default


async def test_a_job_is_steered_resumed_and_given_another_place(asking: Asking) -> None:
    ann = Asker(asking.caller.person, "Ann")
    assert await asking.ask(requests.Steer(job="j234567", prompt="shorter")) == events.Done(
        message="j234567 is told so."
    )
    resumed = await asking.ask(requests.Resume(job="j2"))
    assert resumed == events.Done(message="j2 is number 2 in the queue, with low priority.")
    moved = await asking.ask(requests.Reorder(job="j2", position=3))
    assert moved == events.Done(message="j2 is number 3 in the queue, with normal priority.")
    assert await asking.ask(requests.Reorder(job="j2", priority="high")) == events.Done(message="j2 is paused.")
    assert asking.generation.asked == [
        ("steer shorter", "demo", "j234567", ann),
        ("resume", "demo", "j2", ann),
        ("move", "demo", "j2", 3, ann),
        ("prioritise", "demo", "j2", "high", ann),
    ]


async def test_a_suggestion_is_answered(asking: Asking) -> None:
    reply = await asking.ask(requests.Answer(suggestion="s234567", choice="reject"))
    assert reply == events.Done(message="s234567 is rejected.")


async def test_an_update_is_applied(asking: Asking) -> None:
    file = asking.host.create("a.txt", "abc")
    other = asking.host.document.fork(ClientId(9))
    _, applied = other.edit(lambda editor: editor.splice(file, 3, 3, "!"))
    assert applied.update is not None
    reply = await asking.ask(requests.Update(id=1, update=applied.update))
    assert reply == events.Applied(id=1)
    assert isinstance(asking.host.changes[0], TextVersioned)


async def test_an_update_that_cannot_be_read_is_refused_and_one_that_lacks_another_is_kept(asking: Asking) -> None:
    bad = await asking.ask(requests.Update(update=b"\xff\xff"))
    assert (bad.code, bad.field) == ("malformed_update", "update")
    other = Document(ClientId(9))
    other.edit(lambda editor: editor.create(FileId("x"), "x.txt"))
    _, applied = other.edit(lambda editor: editor.splice(FileId("x"), 0, 0, "!"))
    assert applied.update is not None
    lacking = await asking.ask(requests.Update(update=applied.update))
    assert (lacking.type, "needs edits" in lacking.message) == ("done", True)


async def test_what_is_no_core_error_is_raised(asking: Asking) -> None:
    asking.generation.fails = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await asking.ask(requests.Generate(id=1, prompt="go"))


async def test_retries_after_a_restart_are_spread(asking: Asking) -> None:
    waits = {asking.dispatch.retry_ms() for _ in range(50)}
    assert len(waits) > 25
    assert all(200 <= wait <= 3_200 for wait in waits)


async def test_all_suggestions_of_a_job_are_answered_at_once(asking: Asking) -> None:
    reply = await asking.ask(requests.AnswerAll(job="j234567", path="a.txt", choice="reject"))
    assert reply.message == "2 suggestions of j234567 answered."
    assert asking.generation.asked[-1][0] == "reject all of a.txt"


async def test_the_record_of_what_was_decided_is_told_when_asked_for(asking: Asking) -> None:
    reply = await asking.ask(requests.Suggestions(all=True))
    assert [one.state for one in reply.suggestions] == ["open", "merged"]


async def test_the_rooms_settings_are_changed_and_the_others_stay(asking: Asking) -> None:
    await asking.ask(requests.ChangeSettings(title="Demo", mode="review"))
    await asking.ask(requests.ChangeSettings(mode="auto"))
    assert asking.host.document.settings() == {"title": "Demo", "mode": "auto"}


async def test_ones_own_last_change_is_undone_and_redone(asking: Asking) -> None:
    await asking.ask(requests.UndoMine())
    await asking.ask(requests.RedoMine())
    assert asking.host.undone == [("ann", False), ("ann", True)]


SAMPLES: list[AnyRequest] = [
    requests.Hello(id=1),
    requests.Who(id=1),
    requests.Files(id=1),
    requests.Read(id=1, file="a.txt"),
    requests.TextOperation(id=1, file="a.txt", version=11, ops=[Insert(insert="x")]),
    requests.Edit(id=1, file="a.txt", start=at(0, 0), text="x"),
    requests.CreateFile(id=1, path="b.txt"),
    requests.RenameFile(id=1, file="a.txt", path="c.txt"),
    requests.DeleteFile(id=1, file="a.txt"),
    requests.CursorUpdate(id=1, file="a.txt", position=at(0, 0)),
    requests.Generate(id=1, prompt="x"),
    requests.Jobs(id=1),
    requests.Cancel(id=1, job="j234567"),
    requests.Retry(id=1, job="j234567"),
    requests.Pause(id=1, job="j234567"),
    requests.Resume(id=1, job="j234567"),
    requests.Steer(id=1, job="j234567", prompt="x"),
    requests.Reorder(id=1, job="j234567", position=1),
    requests.Undo(id=1, job="j234567"),
    requests.Redo(id=1, job="j234567"),
    requests.UndoMine(id=1),
    requests.RedoMine(id=1),
    requests.ChangeSettings(id=1, mode="ask"),
    requests.Suggestions(id=1),
    requests.AnswerAll(id=1, job="j234567", choice="accept"),
    requests.Answer(id=1, suggestion="s234567", choice="accept"),
    blame.Blame(id=1, file="a.txt"),
    search.Search(id=1, question="abc"),
    search.Sent(id=1, job="j234567"),
    history.History(id=1),
    history.SaveVersion(id=1, name="demo"),
    history.Compare(id=1, base="v234567"),
    history.Restore(id=1, version="v234567"),
    history.Activity(id=1),
    requests.Update(id=1, update=base64.b64decode("AAA=")),
    requests.Ping(id=1),
    requests.Help(id=1),
]


@pytest.mark.parametrize("request_", SAMPLES, ids=lambda request: request.type)
async def test_every_request_that_has_an_answer_is_answered_with_its_id(
    asking: Asking, request_: AnyRequest
) -> None:
    asking.host.create("a.txt", "abc")
    asking.host.stored[SENT] = {"j234567": Sent("j234567").to_bytes()}
    reply = await asking.ask(request_)
    if request_.type == "cursor_update":
        assert reply is None
    else:
        assert not isinstance(reply, events.Error)
        assert reply.id == 1


def test_the_samples_cover_every_request() -> None:
    assert {type(sample) for sample in SAMPLES} == set(typing.get_args(typing.get_args(AnyRequest)[0]))

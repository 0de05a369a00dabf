"""The document wrapper: files, texts in code points, anchors, forks, and clients that break the shape."""

from __future__ import annotations

from typing import Any
from weakref import ref

import pytest
from pycrdt import Array, Doc, Map, Text

from collab.delta import Delete, Insert, Retain
from collab.document import Document, merge_updates
from collab.editor import Editor
from collab.errors import InvalidOperation, InvalidPath, MalformedUpdate, NotFound
from collab.ids import ClientId, FileId
from collab.wire import anchor_json, write_uint
from tests.collab.replicas import FILE, Replica, copy_of

OTHER = FileId("f2")
WIDE = "aé€👋e\u0301z"


def document(text: str | None = None) -> Document:
    made = Document(ClientId(1000))
    if text is not None:
        made.edit(lambda editor: editor.create(FILE, "a.txt", text))
    return made


def broken(fill: Any) -> Document:
    """A document into whose files map a client has put something."""
    doc: Doc[Any] = Doc(client_id=5)
    files = doc.get("files", type=Map)
    fill(files)
    made = Document(ClientId(1000))
    made.apply([doc.get_update()])
    return made


# Files


def test_a_file_is_created_listed_read_renamed_and_deleted() -> None:
    made = document("text")
    assert made.file("a.txt") == made.file(FILE)
    assert made.text(FILE) == "text"
    made.edit(lambda editor: editor.rename(FILE, "src/b.txt"))
    assert [file.path for file in made.listing().files.values()] == ["src/b.txt"]
    made.edit(lambda editor: editor.delete(FILE))
    assert made.listing().files == {}


def test_renaming_keeps_the_text_itself() -> None:
    made = document("text")
    anchor = made.anchor(FILE, 2)
    made.edit(lambda editor: editor.rename(FILE, "b.txt"))
    assert made.resolve(FILE, anchor) == 2


@pytest.mark.parametrize("ref", ["nothing", "", "x" * 5000, "\ud800"])
def test_a_file_that_is_not_there_is_not_found(ref: str) -> None:
    with pytest.raises(NotFound) as caught:
        document("text").file(ref)
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda editor: editor.rename(OTHER, "b"),
        lambda editor: editor.delete(OTHER),
        lambda editor: editor.splice(OTHER, 0, 0, "x"),
        lambda editor: editor.splices(OTHER, []),
    ],
)
def test_a_change_of_a_file_that_is_not_there_is_refused(change: Any) -> None:
    with pytest.raises(NotFound):
        document("text").edit(change)


def test_an_id_that_is_taken_is_refused() -> None:
    with pytest.raises(InvalidOperation, match="already"):
        document("text").edit(lambda editor: editor.create(FILE, "b.txt"))


@pytest.mark.parametrize("path", ["../up", "", "a\0", "/abs"])
def test_a_path_that_is_not_allowed_changes_nothing(path: str) -> None:
    made = document("text")
    with pytest.raises(InvalidPath):
        made.edit(lambda editor: editor.create(OTHER, path))
    with pytest.raises(InvalidPath):
        made.edit(lambda editor: editor.rename(FILE, path))
    assert [file.path for file in made.listing().files.values()] == ["a.txt"]


def test_two_files_with_one_path_are_both_kept_and_the_later_id_has_a_suffix() -> None:
    made = document()

    def twice(editor: Editor) -> None:
        editor.create(FileId("b"), "src/app.py", "second")
        editor.create(FileId("a"), "src/app.py", "first")
        editor.create(FileId("c"), "src/app.py", "third")
        editor.create(FileId("d"), "src/app (2).py", "taken")

    made.edit(twice)
    shown = {file.id: file.shown for file in made.listing().files.values()}
    assert shown == {"a": "src/app.py", "b": "src/app (3).py", "c": "src/app (4).py", "d": "src/app (2).py"}
    assert made.text(made.file("src/app (3).py").id) == "second"


@pytest.mark.parametrize(
    ("path", "suffixed"), [("Makefile", "Makefile (2)"), (".env", ".env (2)"), ("a.b/c", "a.b/c (2)")]
)
def test_a_suffix_goes_before_the_extension_if_there_is_one(path: str, suffixed: str) -> None:
    made = document()
    for name in ("a", "b"):
        made.edit(lambda editor, name=name: editor.create(FileId(name), path))  # type: ignore[misc]
    assert made.listing().files[FileId("b")].shown == suffixed


def test_the_listing_follows_changes_of_other_clients() -> None:
    made, client = document(), Replica(1)
    made.apply([client.create("one.txt")])
    assert made.file("one.txt").id == FILE
    client.files[FILE]["path"] = "two.txt"
    made.apply([client.sent[-1]])
    assert made.file("two.txt").id == FILE


def test_the_listing_follows_changes_of_other_clients_while_files_are_watched() -> None:
    made, client = document(), Replica(1)
    made.watch_files()
    made.apply([client.create("one.txt", "text")])
    assert made.file("one.txt").id == FILE
    client.files[FILE]["path"] = "two.txt"
    made.apply([client.sent[-1]])
    assert made.file("two.txt").id == FILE
    del client.files[FILE]
    made.apply([client.sent[-1]])
    assert made.listing().files == {}


# Clients that break the shape


@pytest.mark.parametrize(
    ("fill", "problem"),
    [
        (lambda files: files.update({"x": "a string"}), "no map"),
        (lambda files: files.update({"x": 7}), "no map"),
        (lambda files: files.update({"x": Array([1])}), "no map"),
        (lambda files: files.update({"x": Map({"path": "a"})}), "no text"),
        (lambda files: files.update({"x": Map({"path": "a", "text": "plain"})}), "no text"),
        (lambda files: files.update({"x": Map({"text": Text("t")})}), "must be a string"),
        (lambda files: files.update({"x": Map({"path": 5, "text": Text("t")})}), "must be a string"),
        (lambda files: files.update({"x": Map({"path": "../up", "text": Text("t")})}), "relative"),
        (lambda files: files.update({"x": Map({"path": "a\0b", "text": Text("t")})}), "control"),
        (lambda files: files.update({"x": Map({"path": "p" * 5000, "text": Text("t")})}), "5000 bytes"),
    ],
)
def test_a_file_that_is_not_well_formed_is_skipped_and_reported(fill: Any, problem: str) -> None:
    def both(files: Any) -> None:
        fill(files)
        files["good"] = Map({"path": "good.txt", "text": Text("fine")})

    listing = broken(both).listing()
    assert list(listing.files) == ["good"]
    (said,) = listing.problems
    assert "files['x']" in said
    assert problem in said


def test_a_root_of_another_type_is_read_as_no_files() -> None:
    doc: Doc[Any] = Doc(client_id=5)
    doc["files"] = Array([1, "two", Map({"path": "a"})])
    made = Document(ClientId(1000))
    made.apply([doc.get_update()])
    assert made.listing().files == {}


def test_a_text_with_an_embedded_object_can_be_read_and_followed() -> None:
    made, client = document(), Replica(1)
    made.apply([client.create(text="ab")])
    made.watch_files()
    client.text().insert_embed(1, {"image": "x"})
    applied = made.apply([client.sent[-1]])
    assert applied.deltas[FILE][:2] == (Retain(1), Insert("\ufffc"))
    assert made.file("a.txt").id == FILE


def test_settings_are_the_plain_values() -> None:
    doc: Doc[Any] = Doc(client_id=5)
    doc["settings"] = Map({"title": "T", "n": 1, "nested": Map({"x": 1}), "list": [1]})
    made = Document(ClientId(1000))
    made.apply([doc.get_update()])
    assert made.settings() == {"title": "T", "n": 1.0}


# Texts


@pytest.mark.parametrize("start", range(7))
@pytest.mark.parametrize("end", range(7))
def test_a_splice_counts_code_points(start: int, end: int) -> None:
    if end < start:
        start, end = end, start
    made = document(WIDE)
    made.edit(lambda editor: editor.splice(FILE, start, end, "ß👍"))
    assert made.text(FILE) == WIDE[:start] + "ß👍" + WIDE[end:]


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (2, 1), (0, 100), (100, 100)])
def test_a_splice_outside_of_the_text_changes_nothing(start: int, end: int) -> None:
    made = document(WIDE)
    with pytest.raises(InvalidOperation, match="outside"):
        made.edit(lambda editor: editor.splice(FILE, start, end, "x"))
    assert made.text(FILE) == WIDE


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_text_with_an_unpaired_surrogate_is_refused_and_changes_nothing(text: str) -> None:
    made = document(WIDE)
    with pytest.raises(InvalidOperation, match="surrogate"):
        made.edit(lambda editor: editor.splice(FILE, 0, 1, text))
    with pytest.raises(InvalidOperation, match="surrogate"):
        made.edit(lambda editor: editor.create(OTHER, "b.txt", text))
    assert made.text(FILE) == WIDE
    assert list(made.listing().files) == [FILE]


def test_several_splices_are_in_offsets_of_the_text_before() -> None:
    made = document(WIDE)
    made.edit(lambda editor: editor.splices(FILE, [(0, 1, "A"), (3, 4, "bye"), (7, 7, "!")]))
    assert made.text(FILE) == "Aé€byee\u0301z!"


def test_splices_that_overlap_are_refused() -> None:
    made = document(WIDE)
    with pytest.raises(InvalidOperation, match="overlap"):
        made.edit(lambda editor: editor.splices(FILE, [(0, 3, "x"), (2, 4, "y")]))
    assert made.text(FILE) == WIDE


def test_a_change_is_one_update_however_much_it_does() -> None:
    made = document("")
    client = Replica(1)
    client.apply(made.encode())

    def much(editor: Editor) -> str:
        editor.create(OTHER, "b.txt", "two")
        editor.splice(FILE, 0, 0, "one")
        return "result"

    result, applied = made.edit(much)
    assert result == "result"
    assert applied.update is not None
    client.apply(applied.update)
    assert (client.read(), client.read(OTHER)) == ("one", "two")
    assert applied.before != applied.after


def test_a_change_that_does_nothing_has_no_update() -> None:
    made = document("text")
    before = made.version
    _, applied = made.edit(lambda editor: editor.splice(FILE, 1, 1, ""))
    assert applied.update is None
    assert made.version == before


def test_what_a_change_did_before_it_failed_is_known() -> None:
    made = document("text")

    def failing(editor: Editor) -> None:
        editor.splice(FILE, 0, 0, "kept ")
        editor.splice(FILE, 0, 1000, "")

    with pytest.raises(InvalidOperation):
        made.edit(failing)
    assert made.text(FILE) == "kept text"
    client = Replica(1)
    client.apply(document("").encode())
    assert made.last_applied.update is not None


# Applying


def test_several_updates_are_applied_as_one() -> None:
    client = Replica(1)
    updates = [client.create(text=""), client.insert(0, "b"), client.insert(0, "a")]
    made, watcher = document(), Replica(2)
    applied = made.apply(updates, track=True)
    assert applied.update is not None
    watcher.apply(applied.update)
    assert made.text(FILE) == watcher.read() == "ab"


def test_malformed_updates_are_listed_and_the_others_applied() -> None:
    client = Replica(1)
    made = document()
    applied = made.apply([b"", client.create(text="fine"), b"\x01\x01\x02\x03garbage", b"\xff" * 30])
    assert [index for index, _ in applied.rejected] == [0, 2, 3]
    assert all(reason for _, reason in applied.rejected)
    assert made.text(FILE) == "fine"


@pytest.mark.parametrize("count", [128, 2**20, 2**28, 2**53 - 1])
def test_an_update_that_claims_more_clients_than_it_has_bytes_is_rejected_unread(count: int) -> None:
    applied = document().apply([write_uint(count) + b"\x01\x01\x00"])
    assert applied.rejected == [(0, "it claims to hold more clients than it has bytes")]


def test_an_update_that_is_known_changes_nothing() -> None:
    client, made = Replica(1), document()
    update = client.create()
    made.apply([update])
    version, encoded = made.version, made.encode()
    assert made.apply([update]).update is None
    assert (made.version, made.encode()) == (version, encoded)


def test_deltas_say_what_happened_to_each_text_in_bytes() -> None:
    made = document(WIDE)
    made.watch_files()
    _, applied = made.edit(lambda editor: editor.splice(FILE, 2, 4, "new"))
    assert applied.deltas == {FILE: (Retain(3), Insert("new"), Delete(7))} or applied.deltas == {
        FILE: (Retain(3), Delete(7), Insert("new"))
    }
    assert not applied.files_changed


def test_files_that_come_go_or_move_are_named() -> None:
    made = document("text")
    made.watch_files()
    _, renamed = made.edit(lambda editor: editor.rename(FILE, "b.txt"))
    assert (renamed.files_changed, renamed.entries) == (True, {FILE})
    _, created = made.edit(lambda editor: editor.create(OTHER, "c.txt"))
    assert (created.files_changed, created.entries) == (True, {OTHER})
    _, deleted = made.edit(lambda editor: editor.delete(FILE))
    assert (deleted.files_changed, deleted.entries) == (True, {FILE})


# State


def test_what_a_state_lacks_brings_another_replica_up_to_date() -> None:
    made, client = document("text"), Replica(1)
    client.apply(made.encode())
    state = client.state()
    made.edit(lambda editor: editor.splice(FILE, 0, 0, "more "))
    client.apply(made.encode(state))
    assert client.read() == "more text"
    assert len(made.encode(state)) < len(made.encode())


def test_the_encoded_state_is_made_once_for_each_version() -> None:
    made = document("text")
    first = made.encode()
    assert made.encode(b"\0") is first
    made.edit(lambda editor: editor.splice(FILE, 0, 0, "x"))
    assert made.encode() is not first


@pytest.mark.parametrize("state", [b"\xff", b"\x05\x01", b"\x01\x80"])
def test_a_state_vector_that_cannot_be_decoded_is_refused(state: bytes) -> None:
    with pytest.raises(MalformedUpdate, match="state vector"):
        document("text").encode(state)


@pytest.mark.parametrize("clock", [2**31, 2**32, 2**53 - 1])
def test_a_state_vector_with_clocks_beyond_any_edit_is_answered(clock: int) -> None:
    from collab.wire import encode_state_vector

    assert isinstance(document("text").encode(encode_state_vector({ClientId(1000): clock})), bytes)


def test_what_a_document_lacks_of_an_update() -> None:
    client, made = Replica(1), document()
    first, second = client.create(text="a"), client.insert(0, "b")
    made.apply([first])
    assert made.lacks(first) == b"\0\0"
    assert made.lacks(second)[0] == 1
    with pytest.raises(MalformedUpdate):
        made.lacks(b"\xff\xff")


def test_a_fork_goes_its_own_way_and_can_be_merged_back() -> None:
    made = document("text")
    fork = made.fork(ClientId(2000))
    fork.edit(lambda editor: editor.splice(FILE, 0, 0, "fork "))
    made.edit(lambda editor: editor.splice(FILE, 4, 4, " live"))
    assert (fork.text(FILE), made.text(FILE)) == ("fork text", "text live")
    made.apply([fork.encode(made.state_vector())])
    assert made.text(FILE) == "fork text live"


def test_merged_updates_do_what_each_does() -> None:
    client = Replica(1)
    updates = [client.create(text=""), client.insert(0, "b"), client.insert(0, "a")]
    made = document()
    made.apply([merge_updates(updates)])
    assert made.text(FILE) == "ab"
    assert merge_updates(updates[:1]) is updates[0]


# Anchors


@pytest.mark.parametrize("index", range(len(WIDE) + 1))
def test_an_anchor_is_found_again_where_it_was(index: int) -> None:
    made = document(WIDE)
    assert made.resolve(FILE, made.anchor(FILE, index)) == index


def test_an_anchor_moves_with_what_it_holds_on_to() -> None:
    made = document("hello world")
    anchor = made.anchor(FILE, 5)
    made.edit(lambda editor: editor.splice(FILE, 0, 0, "👋 "))
    assert made.resolve(FILE, anchor) == 7
    made.edit(lambda editor: editor.splice(FILE, 7, 7, ","))
    assert made.resolve(FILE, anchor) == 7


def test_an_anchor_whose_character_is_deleted_is_where_that_was() -> None:
    made = document("hello world")
    anchor = made.anchor(FILE, 5)
    made.edit(lambda editor: editor.splice(FILE, 2, 8, ""))
    assert made.resolve(FILE, anchor) == 2


def test_an_anchor_of_what_is_not_there_is_nowhere() -> None:
    made = document("text")
    elsewhere = Document(ClientId(3000))
    elsewhere.edit(lambda editor: editor.create(FILE, "a.txt", "other"))
    assert made.resolve(FILE, elsewhere.anchor(FILE, 3)) is None
    assert made.resolve(OTHER, made.anchor(FILE, 2)) is None


@pytest.mark.parametrize(
    "anchor", [b"", b"\xff", b"\x01\x01a\x00", b"\x00\xe8\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
)
def test_garbage_is_no_anchor(anchor: bytes) -> None:
    with pytest.raises(MalformedUpdate):
        document("text").resolve(FILE, anchor)


@pytest.mark.parametrize("cut", range(1, 5))
def test_a_truncated_anchor_never_panics(cut: int) -> None:
    made = document("text")
    anchor = made.anchor(FILE, 2)[:-cut]
    with pytest.raises(MalformedUpdate, match="anchor"):
        made.resolve(FILE, anchor)


def test_an_anchor_of_another_text_never_raises_anything_unexpected() -> None:
    made = document("👋")
    made.edit(lambda editor: editor.create(OTHER, "b.txt", "a much longer text"))
    assert made.resolve(FILE, made.anchor(OTHER, 9)) is None


def test_an_anchor_is_what_a_yjs_client_reads_as_a_relative_position() -> None:
    made = document("hello")
    client = copy_of(Replica(1), 2)
    client.apply(made.encode())
    from pycrdt import StickyIndex

    position = StickyIndex.from_json(dict(anchor_json(made.anchor(FILE, 3))), client.text())
    with client.doc.transaction() as transaction:
        assert position.get_index(transaction) == 3


def test_a_closed_document_can_still_be_read() -> None:
    made = document("text")
    made.watch_files()
    made.close()
    made.close()
    assert made.text(FILE) == "text"


def test_anchors_are_right_in_a_text_of_many_pieces_and_wide_characters() -> None:
    made = document("start")
    for index, piece in enumerate(["né", "👋👋 ", "abc", "\u0301", "日本", "x\n"] * 3):
        made.edit(lambda editor, at=index * 2 % 5, piece=piece: editor.splice(FILE, at, at, piece))  # type: ignore[misc]
        made.edit(lambda editor: editor.splice(FILE, 1, 2, ""))
    text = made.text(FILE)
    anchors = [made.anchor(FILE, index) for index in range(len(text) + 1)]
    assert [made.resolve(FILE, anchor) for anchor in anchors] == list(range(len(text) + 1))
    made.edit(lambda editor: editor.splice(FILE, 3, 3, "ß👍"))
    moved = [index if index <= 3 else index + 2 for index in range(len(text) + 1)]
    assert [made.resolve(FILE, anchor) for anchor in anchors] == moved


def test_an_anchor_that_stays_before_its_character_is_found_there() -> None:
    made = document("é👋b")
    made.edit(lambda editor: editor.splice(FILE, 2, 2, "ñ"))
    behind = made.anchor(FILE, 3)
    before = behind[:-1] + b"\x00"
    assert (made.resolve(FILE, behind), made.resolve(FILE, before)) == (3, 2)
    made.edit(lambda editor: editor.splice(FILE, 2, 3, ""))
    assert (made.resolve(FILE, behind), made.resolve(FILE, before)) == (2, 2)


def test_many_anchors_in_a_row_stay_right() -> None:
    made = document("日本語")
    for _ in range(1200):
        assert made.resolve(FILE, made.anchor(FILE, 2)) == 2


def test_looking_for_places_changes_nothing_in_the_document() -> None:
    made = document("日本語")
    before = made.encode()
    made.resolve(FILE, made.anchor(FILE, 2))
    assert made.encode() is before


@pytest.mark.parametrize("watched", [False, True])
def test_a_document_that_nobody_holds_goes_without_being_closed(watched: bool) -> None:
    document = Document(ClientId(1))
    if watched:
        document.watch_files()
    document.edit(lambda editor: editor.create(FileId("f1"), "a.txt", "text"))
    gone = ref(document)
    del document
    assert gone() is None


def test_the_first_listing_can_be_made_in_steps_between_which_files_change() -> None:
    made = Document(ClientId(1))
    for number in range(450):
        made.edit(lambda editor, number=number: editor.create(FileId(f"f{number}"), f"{number}.txt", ""))  # type: ignore[misc]
    made.watch_files()
    steps = made.listing_in_steps()
    next(steps)
    made.edit(lambda editor: editor.delete(FileId("f7")))
    made.edit(lambda editor: editor.create(FileId("late"), "late.txt", ""))
    assert len([*steps]) >= 2
    listing = made.listing()
    assert (len(listing.files), FileId("f7") in listing.files, FileId("late") in listing.files) == (
        450,
        False,
        True,
    )
    assert [*made.listing_in_steps()] == []

"""Compaction: a checkpoint is equal to the log, keeps what waits, and is refused when it is not equal."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment

from collab.attribution_codec import decode
from collab.compaction import CompactionPolicy, build_checkpoint
from collab.errors import CompactionRefused
from collab.ids import ConnectionId, PersonId
from collab.limits import KIB, MIB
from collab.origin import PersonOrigin, RestoreOrigin
from collab.ports import Checkpoint, LogEntry, StoredRoom
from collab.replay import Replay


class Typist:
    """A client; ``sent`` are the updates that it made, in order."""

    def __init__(self, client: int) -> None:
        self.doc: Doc[Any] = Doc(client_id=client)
        self.sent: list[bytes] = []
        self._subscription = self.doc.observe(lambda event: self.sent.append(event.update))
        self.text: Text = self.doc.get("text", type=Text)
        self.sent.clear()

    def hear(self, *updates: bytes) -> None:
        before = len(self.sent)
        for update in updates:
            self.doc.apply_update(update)
        del self.sent[before:]


def stored(*updates: bytes, checkpoint: Checkpoint | None = None) -> StoredRoom:
    first = checkpoint.seq + 1 if checkpoint else 1
    return StoredRoom(
        checkpoint,
        tuple(LogEntry(seq, 0, RestoreOrigin(), update) for seq, update in enumerate(updates, first)),
    )


def loaded(checkpoint: Checkpoint, *more: bytes) -> str:
    """The text that a room has which loads the checkpoint and then hears more."""
    doc: Doc[Any] = Doc()
    for _ in range(2):
        for update in (checkpoint.state, *checkpoint.pending, *more):
            doc.apply_update(update)
    return str(doc.get("text", type=Text))


def test_a_checkpoint_is_what_the_log_gives() -> None:
    anna = Typist(1)
    anna.text += "hello "
    anna.text += "world"
    del anna.text[0:3]
    checkpoint = build_checkpoint(stored(*anna.sent))
    assert checkpoint.seq == 3
    assert checkpoint.pending == ()
    assert loaded(checkpoint) == "lo world"


def test_a_checkpoint_knows_who_wrote_what() -> None:
    anna, bob = Typist(1), Typist(2)
    anna.text += "hello "
    bob.text += "world"
    ann = LogEntry(1, 5_000, PersonOrigin(PersonId("Ann"), ConnectionId("c1")), anna.sent[0])
    first = build_checkpoint(StoredRoom(None, (ann,)))
    late = LogEntry(2, 90_000, PersonOrigin(PersonId("Bob"), ConnectionId("c2")), bob.sent[0])
    second = build_checkpoint(StoredRoom(first, (late,)))
    assert [
        (client, length, author.id, at) for client, _, length, author, at, _ in decode(second.attribution).rows()
    ] == [
        (1, 6, "Ann", 5),
        (2, 5, "Bob", 90),
    ]


def test_a_table_of_authors_that_cannot_be_read_is_not_replaced() -> None:
    with pytest.raises(CompactionRefused, match="who wrote what"):
        build_checkpoint(StoredRoom(Checkpoint(1, b"\x00\x00", (), b"garbage"), ()))


def test_a_checkpoint_goes_on_from_the_one_before() -> None:
    anna = Typist(1)
    anna.text += "one "
    anna.text += "two "
    first = build_checkpoint(stored(*anna.sent))
    anna.text += "three"
    second = build_checkpoint(stored(anna.sent[-1], checkpoint=first))
    assert second.seq == 3
    assert loaded(second) == "one two three"


def test_an_empty_room_has_an_empty_checkpoint() -> None:
    assert build_checkpoint(StoredRoom(None, ())) == Checkpoint(0, b"\x00\x00")


def test_typing_becomes_small() -> None:
    anna = Typist(1)
    for _ in range(2000):
        anna.text += "x"
    log = stored(*anna.sent)
    assert len(build_checkpoint(log).state) < 2100 < sum(len(one.update) for one in log.entries) / 5


def test_an_update_that_waits_for_a_missing_one_is_kept_raw() -> None:
    anna = Typist(1)
    anna.text += "first "
    anna.text += "second "
    anna.text += "third"
    first, second, third = anna.sent
    checkpoint = build_checkpoint(stored(first, third))
    assert checkpoint.pending == (third,)
    assert loaded(checkpoint) == "first "
    assert loaded(checkpoint, second) == "first second third"


def test_what_waited_is_part_of_the_state_once_its_dependency_came() -> None:
    anna = Typist(1)
    for word in ("first ", "second ", "third"):
        anna.text += word
    first, second, third = anna.sent
    waiting = build_checkpoint(stored(first, third))
    checkpoint = build_checkpoint(stored(second, checkpoint=waiting))
    assert checkpoint.pending == ()
    assert loaded(checkpoint) == "first second third"


def test_what_still_waits_is_kept_by_the_next_checkpoint_once() -> None:
    anna, ben = Typist(1), Typist(2)
    for word in ("first ", "second ", "third"):
        anna.text += word
    ben.text += "ben"
    first, second, third = anna.sent
    waiting = build_checkpoint(stored(first, third))
    checkpoint = build_checkpoint(stored(ben.sent[0], third, checkpoint=waiting))
    assert checkpoint.pending == (third,)
    assert sorted(loaded(checkpoint, second)) == sorted("benfirst second third")


def test_a_deletion_of_something_missing_is_kept_raw() -> None:
    anna, ben = Typist(1), Typist(2)
    anna.text += "keep "
    anna.text += "drop"
    ben.hear(*anna.sent)
    del ben.text[5:9]
    (deletion,) = ben.sent
    checkpoint = build_checkpoint(stored(anna.sent[0], deletion))
    assert checkpoint.pending == (deletion,)
    assert loaded(checkpoint, anna.sent[1]) == "keep "


def test_an_update_of_which_only_a_part_waits_is_kept_whole() -> None:
    anna, ben = Typist(1), Typist(2)
    anna.text += "a1 "
    ben.text += "b1 "
    ben.text += "b2 "
    both: Doc[Any] = Doc()
    for update in (anna.sent[0], ben.sent[0], ben.sent[1]):
        both.apply_update(update)
    known: Doc[Any] = Doc()
    known.apply_update(ben.sent[0])
    partly = both.get_update(known.get_state())
    checkpoint = build_checkpoint(stored(partly))
    assert checkpoint.pending == (partly,)
    assert sorted(loaded(checkpoint, ben.sent[0]).split()) == ["a1", "b1", "b2"]


def test_every_kind_of_content_is_kept() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    files = doc.get("files", type=Map)
    files["f1"] = Map({"path": "a/b.py", "text": Text("print('ä😀')\n")})
    files["f2"] = Map({"list": Array([1, 2.5, True, None, b"bytes", {"a": [1]}, Array(["x"]), float("nan")])})
    text = doc.get("rich", type=Text)
    text.insert(0, "bold", {"b": True})
    text.insert_embed(4, {"image": "x"})
    doc.get("array", type=Array).extend([1, Map({"k": "v"})])
    doc.get("xml", type=XmlFragment).children.append(XmlElement("p", {"class": "x"}, []))
    doc.get("sub", type=Map)["doc"] = Doc()
    del files["f1"]
    checkpoint = build_checkpoint(stored(*updates))
    copy = Replay()
    copy.apply(checkpoint.state)
    whole = Replay()
    whole.apply(doc.get_update())
    assert copy.content() == whole.content()
    assert "😀" not in str(copy.content())
    assert {"files", "rich", "array", "xml", "sub"} <= set(copy.content())
    doc.unobserve(subscription)


def test_a_document_nested_too_deeply_is_refused() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    inner = doc.get("root", type=Map)
    with doc.transaction():
        for _ in range(5000):
            inner["in"] = Map({})
            inner = inner["in"]
    with pytest.raises(CompactionRefused, match="nested too deeply"):
        build_checkpoint(stored(doc.get_update()))


def test_content_that_differs_is_seen() -> None:
    """The proof's comparison of contents must be able to fail."""
    replays = []
    for word in ("one", "two"):
        doc: Doc[Any] = Doc(client_id=1)
        files = doc.get("files", type=Map)
        files["f"] = Map({"text": Text(word)})
        replays.append(Replay())
        replays[-1].apply(doc.get_update())
    assert replays[0].state_vector() == replays[1].state_vector()
    assert replays[0].content() != replays[1].content()


@pytest.mark.parametrize(
    ("break_state", "said"),
    [
        (lambda state, anna: anna.sent[0], "state vectors and deletions and contents and updates"),
        (lambda state, anna: b"\x00\x00", "state vectors and deletions and contents and updates"),
        (lambda state, anna: anna.undeleted, "deletions and contents"),
    ],
)
def test_a_checkpoint_that_differs_is_refused(
    monkeypatch: pytest.MonkeyPatch, break_state: Any, said: str
) -> None:
    anna = Typist(1)
    anna.text += "one "
    anna.text += "two "
    anna.undeleted = anna.doc.get_update()  # type: ignore[attr-defined]
    del anna.text[0:2]
    right = Replay.state
    monkeypatch.setattr(Replay, "state", lambda self: break_state(right(self), anna))
    with pytest.raises(CompactionRefused, match=f"entry 3 would differ in its {said}. The log stays"):
        build_checkpoint(stored(*anna.sent))


def test_a_checkpoint_that_forgets_what_waits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = Typist(1)
    anna.text += "one "
    anna.text += "two "
    monkeypatch.setattr(Replay, "apply_all", lambda self, updates: [])
    with pytest.raises(CompactionRefused, match="would differ in its updates"):
        build_checkpoint(stored(anna.sent[1]))


def test_updates_out_of_order_are_complete_where_applying_each_once_is_not() -> None:
    """The fault of yrs that apply_all is for. If this fails at the first part, it is mended there."""
    anna = Typist(1)
    for word in ("a", "b", "c"):
        anna.text += word
    anna.text.insert(2, "d")
    anna.text.insert(3, "e")
    anna.text += "f"
    broken = []
    for order in permutations(anna.sent):
        once: Doc[Any] = Doc()
        for update in order:
            once.apply_update(update)
        broken += [order] if once.get_state() != anna.doc.get_state() else []
        replay = Replay()
        assert replay.apply_all(order) == []
        assert (replay.state_vector(), replay.content()["text"][1]) == ({1: 6}, ["text", [["abdecf", None]]])
    assert broken


@pytest.mark.parametrize("update", [b"", b"\x01", b"\x01\x02garbage", b"\xff" * 20, b"\x00"])
def test_a_log_that_cannot_be_decoded_is_refused(update: bytes) -> None:
    anna = Typist(1)
    anna.text += "one"
    with pytest.raises(CompactionRefused, match=r"cannot be decoded.*The log stays|ends within a number"):
        build_checkpoint(stored(anna.sent[0], update))


def test_a_log_is_due_by_entries_by_bytes_and_at_unload() -> None:
    policy = CompactionPolicy()
    assert not policy.due(2000, 1 * MIB, 0)
    assert policy.due(2001, 40 * KIB, 0)
    assert policy.due(10, 1 * MIB + 1, 0)
    assert not policy.due(10, 8 * MIB, 2 * MIB)
    assert policy.due(10, 8 * MIB + 1, 2 * MIB)
    assert not policy.due(200, 4 * KIB, 0, unloading=True)
    assert policy.due(201, 4 * KIB, 0, unloading=True)
    assert not policy.due(201, 4 * KIB, 0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_order_any_loss_any_cut_keeps_everything(data: st.DataObject) -> None:
    """Updates arrive shuffled, doubled and some late; checkpoints are made anywhere; the end is the same."""
    typists = [Typist(client) for client in (1, 2, 3)]
    log: list[bytes] = []
    for _ in range(data.draw(st.integers(1, 14))):
        typist = data.draw(st.sampled_from(typists))
        typist.hear(*data.draw(st.lists(st.sampled_from(log), max_size=4)) if log else [])
        before = len(typist.sent)
        length = len(str(typist.text))
        if length and data.draw(st.booleans()):
            start = data.draw(st.integers(0, length - 1))
            del typist.text[start : data.draw(st.integers(start + 1, length))]
        else:
            typist.text.insert(data.draw(st.integers(0, length)), data.draw(st.sampled_from(["a", "bc", "def"])))
        log += typist.sent[before:]
    whole = Replay()
    assert whole.apply_all(log) == []
    arriving = data.draw(st.permutations(log + data.draw(st.lists(st.sampled_from(log), max_size=3))))
    checkpoint: Checkpoint | None = None
    while arriving:
        count = data.draw(st.integers(1, len(arriving)))
        checkpoint = build_checkpoint(stored(*arriving[:count], checkpoint=checkpoint))
        arriving = arriving[count:]
    assert checkpoint is not None
    assert checkpoint.pending == ()
    copy = Replay()
    copy.apply(checkpoint.state)
    assert (copy.state_vector(), copy.deleted(), copy.content()) == (
        whole.state_vector(),
        whole.deleted(),
        whole.content(),
    )

"""I2: all replicas converge to the same text, whatever order and however often updates arrive."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from collab.editor import Editor
from collab.ids import ClientId
from collab.ports import StoredRoom
from collab.wire import decode_state_vector
from tests.collab.replicas import FILE, Replica, Setup, copy_of, entries_of, replica_with_file, updates_of

PIECES = st.sampled_from(["a", "bc", "é", "👋", "\n", "e\u0301", "xyz"])
EDIT = st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 4), st.one_of(st.just(""), PIECES))
EDITS = st.lists(EDIT, min_size=1, max_size=25)


def edited(replica: Replica, at: int, remove: int, insert: str) -> list[bytes]:
    """What one edit sends: nothing, one update or two."""
    before = len(replica.sent)
    length = len(replica.read())
    at = min(at, length)
    if remove and at < length:
        replica.delete(at, min(at + remove, length))
    if insert:
        replica.insert(at, insert)
    return replica.sent[before:]


def _splice(start: int, end: int, insert: str, editor: Editor) -> None:
    editor.splice(FILE, start, end, insert)


def text_of(setup: Setup) -> str:
    return setup.room.document.text(FILE)


@settings(max_examples=150, deadline=None)
@given(edits=EDITS, data=st.data())
def test_replicas_converge_whatever_order_updates_arrive_in(edits: list[Any], data: st.DataObject) -> None:
    base = replica_with_file(1, "start é👋")
    replicas = [base, *(copy_of(base, client) for client in (2, 3, 4))]
    updates = [base.sent[0]]
    for who, at, remove, insert in edits:
        updates += edited(replicas[who], at, remove, insert)
        if at % 5 == 0:
            replicas[who].apply(replicas[(who + 1) % 4].missing())
    repeats = data.draw(st.lists(st.sampled_from(updates), max_size=10))
    order = data.draw(st.permutations([*updates, *repeats]))

    setup = Setup()
    members = [setup.member() for _ in range(3)]
    watcher = Replica(50)
    stored = []
    position = 0
    while position < len(order):
        size = data.draw(st.integers(1, 4))
        for index, update in enumerate(order[position : position + size]):
            setup.room.push(members[(position + index) % 3], update)
        effects = setup.room.turn()
        stored += entries_of(effects)
        for update in updates_of(effects):
            watcher.apply(update)
        position += size

    for replica in replicas:
        for other in replicas:
            replica.apply(other.missing())
    assert {replica.read() for replica in replicas} == {base.read()}
    assert setup.room.waiting == []
    assert text_of(setup) == watcher.read() == base.read()
    assert decode_state_vector(setup.room.document.state_vector()) == decode_state_vector(base.state())

    again = setup.fresh(60)
    again.load(StoredRoom(None, tuple(stored)))
    assert again.document.text(FILE) == base.read()
    assert again.waiting == []


@settings(max_examples=100, deadline=None)
@given(edits=EDITS, rounds=st.lists(st.booleans(), min_size=25, max_size=25))
def test_clients_that_sync_now_and_then_converge_with_the_room(edits: list[Any], rounds: list[bool]) -> None:
    setup = Setup()
    members = [setup.member() for _ in range(4)]
    base = replica_with_file(1)
    setup.send(members[0], base.missing())
    replicas = [base, *(copy_of(base, client) for client in (2, 3, 4))]
    for (who, at, remove, insert), online in zip(edits, rounds, strict=False):
        updates = edited(replicas[who], at, remove, insert)
        if online:
            for update in updates_of(setup.send(members[who], *updates)):
                for index, replica in enumerate(replicas):
                    if index != who:
                        replica.apply(update)
    for member, replica in zip(members, replicas, strict=True):
        # As a connection does that comes back: both say what the other lacks.
        setup.send(member, replica.missing(setup.room.document.state_vector()))
    for replica in replicas:
        replica.apply(setup.room.document.encode(replica.state()))
    assert {replica.read() for replica in replicas} == {text_of(setup)}


@settings(max_examples=50, deadline=None)
@given(edits=EDITS)
def test_the_rooms_own_edits_converge_with_those_of_clients(edits: list[Any]) -> None:
    setup = Setup()
    member = setup.member()
    base = replica_with_file(1, "start")
    setup.send(member, base.missing())
    for who, at, remove, insert in edits:
        if who % 2:
            for update in edited(base, at, remove, insert):
                setup.send(member, update)
        else:
            length = len(text_of(setup))
            start = min(at, length)
            change = partial(_splice, start, min(start + remove, length), insert)
            setup.room.document.edit(change)
    base.apply(setup.room.document.encode(base.state()))
    assert base.read() == text_of(setup)
    assert setup.room.document.client_id != ClientId(1)

"""The room: what one turn brings becomes one message, one entry for each author, and acknowledgements."""

from __future__ import annotations

import pytest

from collab.document import EMPTY_UPDATE
from collab.effects import Broadcast, BroadcastPresence, Changed, Close, Durable, Effect, Persist, Send
from collab.errors import MalformedUpdate
from collab.ids import ClientId, ConnectionId, PersonId
from collab.limits import Limits
from collab.origin import ImportOrigin, PersonOrigin
from collab.ports import Checkpoint, LogEntry, StoredRoom
from collab.wire import sync_step1
from tests.collab.replicas import (
    FILE,
    Replica,
    Setup,
    copy_of,
    entries_of,
    of_kind,
    replica_with_file,
    updates_of,
)


def person_origin(entry: LogEntry) -> PersonOrigin:
    assert isinstance(entry.origin, PersonOrigin)
    return entry.origin


# One turn


def test_an_edit_goes_out_to_all_but_its_author_and_to_the_log() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    update = replica.create(text="hello")
    effects = setup.send(ann, update)
    (broadcast,) = of_kind(effects, Broadcast)
    assert broadcast.author is ann
    assert updates_of(effects) == [update]
    (entry,) = entries_of(effects)
    assert (entry.seq, entry.update) == (1, update)
    assert entry.origin == PersonOrigin(PersonId("Ann"), ann.holder.connection)
    assert setup.room.document.text(FILE) == "hello"


def test_an_edit_names_its_author_to_those_who_follow_texts() -> None:
    setup = Setup()
    (changed,) = of_kind(setup.send(setup.member("Ann"), Replica(1).create()), Changed)
    assert changed.by == "Ann"


def test_all_that_one_turn_brings_goes_out_as_one_update() -> None:
    setup = Setup()
    base = replica_with_file(1, "base")
    ann, bob = setup.member("Ann"), setup.member("Bob")
    setup.send(ann, base.missing())
    other = copy_of(base, 2)
    for index in range(5):
        setup.room.push(ann, base.insert(0, str(index)))
        setup.room.push(bob, other.insert(0, "x"))
    effects = setup.room.turn()
    (broadcast,) = of_kind(effects, Broadcast)
    assert broadcast.author is None
    late = Replica(3)
    late.apply(base.missing())
    late.apply(updates_of(effects)[0])
    assert late.read() == setup.room.document.text(FILE)
    assert late.read().count("x") == 5


def test_one_turn_writes_one_entry_for_each_author() -> None:
    setup = Setup()
    base = replica_with_file(1, "base")
    ann, bob = setup.member("Ann"), setup.member("Bob")
    setup.send(ann, base.missing())
    other = copy_of(base, 2)
    setup.room.push(ann, base.insert(0, "a"))
    setup.room.push(bob, other.insert(0, "b"))
    setup.room.push(ann, base.insert(0, "c"))
    origins = [person_origin(entry) for entry in entries_of(setup.room.turn())]
    assert [(origin.person, origin.relayed) for origin in origins] == [("Ann", ()), ("Bob", ())]


def test_several_edits_of_one_author_alone_are_not_sent_back() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    setup.room.push(ann, replica.create())
    setup.room.push(ann, replica.insert(0, "x"))
    (broadcast,) = of_kind(setup.room.turn(), Broadcast)
    assert broadcast.author is ann


def test_an_empty_update_does_nothing() -> None:
    setup = Setup()
    assert setup.room.push(setup.member(), EMPTY_UPDATE) is False
    assert not setup.room.has_incoming


def test_what_the_room_has_already_is_neither_stored_nor_sent() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    update = replica.create(text="once")
    setup.send(ann, update)
    assert setup.send(ann, update) == []
    assert setup.send(setup.member("Bob"), replica.missing()) == []


def test_an_update_that_is_partly_known_spreads_and_stores_the_new_part() -> None:
    # What a client brings after working offline: its deletions come along with all the old ones.
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    setup.send(ann, replica.create(text="hello"))
    other = copy_of(replica, 2)
    replica.delete(0, 1)
    setup.send(ann, replica.sent[-1])
    replica.insert(0, "J")
    effects = setup.send(ann, replica.missing())
    other.apply(updates_of(effects)[0])
    assert len(entries_of(effects)) == 1
    assert setup.room.document.text(FILE) == "Jello"
    assert other.has()


async def test_a_partly_known_update_survives_a_restart() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    stored = entries_of(setup.send(ann, replica.create(text="hello")))
    replica.delete(0, 1)
    replica.insert(0, "J")
    stored += entries_of(setup.send(ann, replica.missing()))
    assert (await setup.reload(stored)).document.text(FILE) == "Jello"


def test_a_malformed_update_closes_its_sender_and_nothing_else() -> None:
    setup = Setup()
    ann, mallory = setup.member("Ann"), setup.member("Mallory")
    replica = Replica(1)
    setup.room.push(mallory, b"\x01\x01\x02\x03garbage")
    setup.room.push(ann, replica.create(text="fine"))
    effects = setup.room.turn()
    (close,) = of_kind(effects, Close)
    assert (close.member, close.code) == (mallory, MalformedUpdate.close)
    assert "Malformed update" in close.reason
    assert [person_origin(entry).person for entry in entries_of(effects)] == ["Ann"]
    assert setup.room.document.text(FILE) == "fine"


def test_a_rejected_update_is_never_called_saved() -> None:
    setup = Setup()
    mallory = setup.member("Mallory", acknowledged=True)
    assert of_kind(setup.send(mallory, b"\x01\x01\x02\x03garbage"), Durable) == []


# Whose edits


def test_edits_under_another_persons_client_id_are_kept_and_attributed_as_relayed() -> None:
    setup = Setup()
    ann, bob = setup.member("Ann"), setup.member("Bob")
    replica = Replica(1)
    setup.send(ann, replica.create(text="Ann's"))
    effects = setup.send(bob, replica.insert(0, "also "))
    assert person_origin(entries_of(effects)[0]).relayed == (1,)
    assert setup.room.document.text(FILE) == "also Ann's"
    assert setup.room.owners[ClientId(1)] == "Ann"


def test_a_step_2_with_edits_of_several_clients_relays_only_those_of_others() -> None:
    setup = Setup()
    ann, bob = setup.member("Ann"), setup.member("Bob")
    replica = replica_with_file(1, "base")
    setup.send(ann, replica.missing())
    other = copy_of(replica, 2)
    other.apply(replica.insert(0, "offline "))  # Bob has it, the room has not.
    other.insert(0, "mine ")
    effects = setup.send(bob, other.missing(setup.room.document.state_vector()))
    origin = person_origin(entries_of(effects)[0])
    assert (origin.person, origin.relayed) == ("Bob", (1,))
    assert setup.room.owners[ClientId(2)] == "Bob"


async def test_who_introduced_a_client_id_is_known_after_a_restart() -> None:
    setup = Setup()
    ann, bob = setup.member("Ann"), setup.member("Bob")
    replica = Replica(1)
    stored = entries_of(setup.send(ann, replica.create()))
    setup.room = await setup.reload(stored)
    effects = setup.send(bob, replica.insert(0, "x"))
    assert person_origin(entries_of(effects)[0]).relayed == (1,)


# Gaps


def test_an_update_with_a_missing_dependency_is_stored_and_asked_for() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    replica.create()
    late = replica.insert(0, "late")
    effects = setup.send(ann, late)
    assert [entry.update for entry in entries_of(effects)] == [late]
    assert of_kind(effects, Broadcast) == []
    assert of_kind(effects, Send) == [Send(ann, sync_step1(setup.room.document.state_vector()))]
    assert [item.update for item in setup.room.waiting] == [late]


def test_a_client_that_lacks_the_missing_edit_itself_is_not_asked_again_and_again() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    replica.create()
    late = replica.insert(0, "late")
    setup.send(ann, late)
    assert setup.send(ann, late) == []
    assert of_kind(setup.send(ann, replica.insert(0, "later")), Send) == []


def test_the_missing_edit_brings_out_what_waited_for_it_also_to_its_author() -> None:
    setup = Setup()
    ann, bob = setup.member("Ann"), setup.member("Bob")
    replica = Replica(1)
    early, late = replica.create(text="!"), replica.insert(0, "late")
    setup.send(ann, late)
    effects = setup.send(bob, early)
    assert [effect.author for effect in of_kind(effects, Broadcast)] == [None]
    assert setup.room.document.text(FILE) == "late!"
    assert setup.room.waiting == []


@pytest.mark.parametrize("order", [(2, 1, 0), (2, 0, 1), (1, 2, 0), (0, 2, 1), (1, 0, 2)])
@pytest.mark.parametrize("together", [True, False])
def test_updates_in_any_order_arrive_whole_and_leave_nothing_waiting(
    order: tuple[int, ...], together: bool
) -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    replica.create()
    replica.insert(0, "b")
    replica.insert(0, "a")
    shuffled = [replica.sent[index] for index in order]
    watcher = Replica(9)
    batches = [shuffled] if together else [[update] for update in shuffled]
    for batch in batches:
        for update in updates_of(setup.send(ann, *batch)):
            watcher.apply(update)
    assert setup.room.document.text(FILE) == watcher.read() == "ab"
    assert setup.room.waiting == []


async def test_a_missing_dependency_may_come_after_a_restart() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    early, late = replica.create(text="!"), replica.insert(0, "late")
    stored = entries_of(setup.send(ann, late))
    setup.room = await setup.reload(stored)
    assert [item.update for item in setup.room.waiting] == [late]
    effects = setup.send(ann, early)
    watcher = Replica(2)
    for update in updates_of(effects):
        watcher.apply(update)
    assert setup.room.document.text(FILE) == watcher.read() == "late!"
    assert (await setup.reload([*stored, *entries_of(effects)])).document.text(FILE) == "late!"


def test_a_checkpoint_carries_what_waits() -> None:
    setup = Setup()
    replica = Replica(1)
    early, late = replica.create(text="!"), replica.insert(0, "late")
    setup.send(setup.member(), late)
    loaded = setup.fresh(7)
    loaded.load(StoredRoom(Checkpoint(1, setup.room.document.encode(), (late,)), ()))
    assert [item.update for item in loaded.waiting] == [late]
    loaded.push(setup.member(), early)
    loaded.turn()
    assert loaded.document.text(FILE) == "late!"


def test_a_deletion_that_waits_for_its_text_is_kept() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    early = replica.create(text="secret")
    other = copy_of(replica, 2)
    deletion = other.delete(0, 6)
    setup.send(setup.member("Bob"), deletion)
    assert [item.update for item in setup.room.waiting] == [deletion]
    setup.send(ann, early)
    assert setup.room.document.text(FILE) == ""
    assert setup.room.waiting == []


def test_too_much_that_waits_closes_who_brings_more() -> None:
    setup = Setup(Limits(pending_bytes=200))
    ann, replica = setup.member("Ann"), Replica(1)
    replica.create()
    assert of_kind(setup.send(ann, replica.insert(0, "x" * 100)), Close) == []
    replica.insert(0, "gap")
    (close,) = of_kind(setup.send(ann, replica.insert(0, "y" * 100)), Close)
    assert (close.member, close.code) == (ann, 1009)


# Saving


def test_an_edit_is_called_durable_only_when_its_entry_is_stored() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann", acknowledged=True), Replica(1)
    assert of_kind(setup.send(ann, replica.create()), Durable) == []
    assert setup.room.durable(1) == [Durable(ann, 1)]


def test_acknowledgements_come_in_order_and_name_the_newest_count() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann", acknowledged=True), Replica(1)
    setup.send(ann, replica.create())
    setup.send(ann, replica.insert(0, "a"), replica.insert(0, "b"))
    setup.send(ann, replica.insert(0, "c"))
    assert setup.room.durable(1) == [Durable(ann, 1)]
    assert setup.room.durable(3) == [Durable(ann, 4)]
    assert setup.room.durable(3) == []


def test_an_empty_sync_message_is_acknowledged_at_once_when_nothing_is_unsaved() -> None:
    setup = Setup()
    ann = setup.member("Ann", acknowledged=True)
    assert setup.send(ann, EMPTY_UPDATE) == [Durable(ann, 1)]


def test_an_empty_sync_message_waits_for_what_is_unsaved_before_it() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann", acknowledged=True), Replica(1)
    setup.send(ann, replica.create())
    assert setup.send(ann, EMPTY_UPDATE) == []
    assert setup.room.durable(1) == [Durable(ann, 2)]


def test_a_resent_edit_whose_entry_is_not_stored_yet_waits_for_it() -> None:
    setup = Setup()
    ann, bob = setup.member("Ann"), setup.member("Bob", acknowledged=True)
    update = Replica(1).create()
    setup.send(ann, update)
    assert setup.send(bob, update) == []
    assert setup.room.durable(1) == [Durable(bob, 1)]


def test_a_plain_yjs_client_is_told_nothing_about_saving() -> None:
    setup = Setup()
    setup.send(setup.member("Ann"), Replica(1).create())
    assert setup.room.durable(1) == []


def test_entries_are_numbered_without_gaps_also_after_a_restart() -> None:
    setup = Setup()
    ann, replica = setup.member("Ann"), Replica(1)
    stored = [*entries_of(setup.send(ann, replica.create())), *entries_of(setup.send(ann, replica.insert(0, "x")))]
    assert [entry.seq for entry in stored] == [1, 2]
    room = setup.fresh(7)
    room.load(StoredRoom(None, tuple(stored)))
    room.push(ann, replica.insert(0, "y"))
    assert [entry.seq for entry in entries_of(room.turn())] == [3]


def test_a_log_that_cannot_be_decoded_is_refused() -> None:
    setup = Setup()
    origin = PersonOrigin(PersonId("Ann"), ConnectionId("c1"))
    with pytest.raises(MalformedUpdate, match="room"):
        setup.fresh().load(StoredRoom(None, (LogEntry(1, 0, origin, b"\x01\x01\x02\x03garbage"),)))


# Rights and limits


def test_a_read_only_member_is_denied_once_and_changes_nothing() -> None:
    setup = Setup()
    reader = setup.member("Rea", can_edit=False)
    replica = Replica(1)
    assert setup.room.push(reader, replica.create()) is True
    assert setup.room.push(reader, replica.insert(0, "x")) is False
    assert setup.room.turn() == []
    assert setup.room.document.listing().files == {}
    denial = setup.room.denial(reader)
    assert denial.member is reader
    assert denial.payload[:2] == b"\x02\x00"


def test_a_document_over_its_limit_takes_nothing_more_and_says_why() -> None:
    setup = Setup(Limits(document_bytes=1000))
    ann, replica = setup.member("Ann", acknowledged=True), Replica(1)
    setup.send(ann, replica.create(text="x" * 2000))
    effects = setup.send(ann, replica.insert(0, "more"))
    (close,) = of_kind(effects, Close)
    assert (close.member, close.code) == (ann, 1009)
    assert "document_bytes" in close.reason
    assert of_kind(effects, Durable) == []
    assert len(setup.room.document.text(FILE)) == 2000


def test_a_document_whose_text_was_deleted_takes_edits_again() -> None:
    setup = Setup(Limits(document_bytes=1000))
    ann, replica = setup.member("Ann"), Replica(1)
    setup.send(ann, replica.create(text="x" * 900))
    setup.send(ann, replica.delete(0, 900))
    setup.send(ann, replica.insert(0, "y" * 500))
    assert of_kind(setup.send(ann, replica.insert(0, "fits")), Close) == []
    assert setup.room.document.text(FILE).startswith("fits")


# The server's own edits


def test_an_edit_of_the_server_goes_to_everybody_and_is_attributed() -> None:
    setup = Setup()
    _, applied = setup.room.document.edit(lambda editor: editor.create(FILE, "a.txt", "made"))
    origin = ImportOrigin(PersonId("Ann"))
    effects = setup.room.local(applied, origin, "Ann")
    assert [(effect.entry.seq, effect.entry.origin) for effect in of_kind(effects, Persist)] == [(1, origin)]
    assert [effect.author for effect in of_kind(effects, Broadcast)] == [None]
    assert setup.room.owners[setup.room.document.client_id] == "Ann"


def test_an_edit_that_changed_nothing_has_no_effects() -> None:
    setup = Setup()
    _, applied = setup.room.document.edit(lambda editor: None)
    assert setup.room.local(applied, ImportOrigin(PersonId("Ann")), "Ann") == []


def test_a_native_connection_is_acknowledged_for_what_it_did_through_the_server() -> None:
    setup = Setup()
    ann = setup.member("Ann", acknowledged=True)
    _, applied = setup.room.document.edit(lambda editor: editor.create(FILE, "a.txt"))
    setup.room.local(applied, PersonOrigin(PersonId("Ann"), ann.holder.connection), "Ann")
    setup.room.acknowledge(ann)
    assert setup.room.turn() == []
    assert setup.room.durable(1) == [Durable(ann, 1)]


def test_what_a_connection_sent_before_it_left_stays() -> None:
    setup = Setup()
    ann = setup.member("Ann", acknowledged=True)
    setup.room.push(ann, Replica(1).create(text="last words"))
    setup.room.leave(ann)
    effects: list[Effect] = setup.room.turn()
    assert len(entries_of(effects)) == 1
    assert setup.room.document.text(FILE) == "last words"


def test_changed_presence_goes_out_with_the_turn() -> None:
    setup = Setup()
    setup.room.presence.put(ClientId(5), {"user": {"name": "job"}}, 0.0)
    (effect,) = setup.room.turn()
    assert isinstance(effect, BroadcastPresence)
    assert effect.clients == (5,)
    assert setup.room.turn() == []

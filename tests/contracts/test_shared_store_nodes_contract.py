"""What every shared store must do for nodes: leases, who holds a room, who keeps its jobs."""

from __future__ import annotations

import pytest

from collab.errors import StoreFenced
from collab.ids import NodeId
from collab.shared import CommitState, Mark, SharedStore
from tests.contracts.shared_worlds import (
    OTHER,
    ROOM,
    World,
    commit,
    commit_entries,
    entry,
    stamps,
)

# Who keeps a room's jobs


async def test_the_first_to_claim_keeps_the_room(a: SharedStore, b: SharedStore) -> None:
    keep = await a.claim(ROOM, NodeId("a.0"), [])
    assert keep.node == "a.0"
    assert await b.claim(ROOM, NodeId("b.0"), []) == keep
    assert await b.claim(ROOM, NodeId("b.0"), [NodeId("c.0")]) == keep
    assert await a.claim(ROOM, NodeId("a.0"), []) == keep


async def test_a_dead_keepers_room_goes_to_another_with_a_higher_token(a: SharedStore, b: SharedStore) -> None:
    first = await a.claim(ROOM, NodeId("a.0"), [])
    second = await b.claim(ROOM, NodeId("b.0"), [NodeId("c.0"), NodeId("a.0")])
    assert second.node == "b.0"
    assert second.token > first.token


async def test_tokens_go_up_after_unclaiming_and_deleting(a: SharedStore) -> None:
    tokens = []
    node = NodeId("a.0")
    for end in ("unclaim", "delete", ""):
        keep = await a.claim(ROOM, node, [])
        tokens.append(keep.token)
        if end == "unclaim":
            await a.unclaim(ROOM, keep)
        elif end == "delete":
            await a.delete(ROOM)
    assert tokens == sorted(set(tokens))


async def test_unclaiming_what_another_has_taken_over_changes_nothing(a: SharedStore, b: SharedStore) -> None:
    old = await a.claim(ROOM, NodeId("a.0"), [])
    new = await b.claim(ROOM, NodeId("b.0"), [NodeId("a.0")])
    await a.unclaim(ROOM, old)
    assert await a.claim(ROOM, NodeId("a.0"), []) == new


async def test_an_entry_under_an_old_token_is_refused(a: SharedStore, b: SharedStore) -> None:
    old = await a.claim(ROOM, NodeId("a.0"), [])
    done = await commit_entries(a, Mark(), entry(1, fence=old.token))
    assert done.count == 1
    await b.claim(ROOM, NodeId("b.0"), [NodeId("a.0")])
    late = [entry(2), entry(3, fence=old.token), entry(4), entry(5, fence=old.token)]
    done = await commit_entries(a, Mark(), *late)
    assert (done.state, done.first, done.count) == (CommitState.STORED, 2, 2)
    assert (done.numbers, done.refused) == ((2, 4), (3, 5))
    assert await stamps(a) == [("a", 1), ("a", 2), ("a", 4)]
    # An answer that was lost: the same again is refused again, and what was stored in time is not.
    done = await commit_entries(a, Mark(), entry(1, fence=old.token), *late)
    assert (done.count, done.refused) == (0, (3, 5))
    assert (await commit(a, Mark(), 6)).numbers == (6,)


async def test_a_record_under_an_old_token_is_refused(a: SharedStore, b: SharedStore) -> None:
    old = await a.claim(ROOM, NodeId("a.0"), [])
    await a.put_record(ROOM, "job", "j", b"1", old.token)
    new = await b.claim(ROOM, NodeId("b.0"), [NodeId("a.0")])
    with pytest.raises(StoreFenced, match="another node"):
        await a.put_record(ROOM, "job", "j", b"2", old.token)
    with pytest.raises(StoreFenced):
        await a.put_record(ROOM, "job", "j", None, old.token)
    assert await b.records(ROOM, "job") == {"j": b"1"}
    await b.put_record(ROOM, "job", "j", b"3", new.token)
    await a.put_record(ROOM, "setting", "s", b"free", 0)
    assert await a.records(ROOM, "job") == {"j": b"3"}


async def test_the_token_of_one_who_left_is_old_as_soon_as_there_is_another(a: SharedStore) -> None:
    old = await a.claim(ROOM, NodeId("a.0"), [])
    await a.unclaim(ROOM, old)
    assert (await commit_entries(a, Mark(), entry(1, fence=old.token))).count == 1
    await a.claim(ROOM, NodeId("a.0"), [])
    assert (await commit_entries(a, Mark(), entry(2, fence=old.token))).refused == (2,)


# Nodes


async def test_nodes_see_each_other_while_their_leases_last(world: World, a: SharedStore, b: SharedStore) -> None:
    assert await a.enroll(NodeId("a.0"), b"A", 30) == {"a.0": b"A"}
    assert await b.enroll(NodeId("b.0"), b"B", 0.2) == {"a.0": b"A", "b.0": b"B"}
    assert await a.renew(NodeId("a.0"), b"A2", 30) == {"a.0": b"A2", "b.0": b"B"}
    await world.pass_seconds(0.25)
    assert await a.renew(NodeId("a.0"), b"A2", 30) == {"a.0": b"A2"}
    assert await b.renew(NodeId("b.0"), b"B", 30) is None
    assert await b.enroll(NodeId("b.1"), b"B", 30) == {"a.0": b"A2", "b.1": b"B"}


async def test_a_node_that_resigns_is_gone(a: SharedStore, b: SharedStore) -> None:
    await a.enroll(NodeId("a.0"), b"A", 30)
    await b.enroll(NodeId("b.0"), b"B", 30)
    await a.resign(NodeId("a.0"))
    assert await b.renew(NodeId("b.0"), b"B", 30) == {"b.0": b"B"}
    assert await a.renew(NodeId("a.0"), b"A", 30) is None


async def test_a_store_that_forgot_a_node_tells_it(world: World, a: SharedStore) -> None:
    await a.enroll(NodeId("a.0"), b"A", 30)
    await world.wipe()
    assert await a.renew(NodeId("a.0"), b"A", 30) is None


async def test_rooms_know_their_nodes(a: SharedStore, b: SharedStore) -> None:
    assert await a.enter([ROOM, OTHER], NodeId("a.0")) == [("a.0",), ("a.0",)]
    assert await b.enter([ROOM], NodeId("b.0")) == [("a.0", "b.0")]
    await a.leave(ROOM, [NodeId("a.0"), NodeId("unknown.0")])
    ours, other = await a.facts([ROOM, OTHER])
    assert (ours.nodes, other.nodes) == (("b.0",), ("a.0",))
    assert (ours.checkpoint_ms, ours.checkpoint_entries) == (0, 0)


async def test_a_node_that_leaves_a_room_keeps_its_jobs_until_it_unclaims(a: SharedStore, b: SharedStore) -> None:
    # A leave may come late, when the node holds the room again.
    keep = await a.claim(ROOM, NodeId("a.0"), [])
    await a.leave(ROOM, [NodeId("a.0")])
    assert await b.claim(ROOM, NodeId("b.0"), []) == keep


async def test_a_deleted_room_keeps_its_nodes(a: SharedStore) -> None:
    await a.enter([ROOM], NodeId("a.0"))
    await commit(a, Mark(), 1)
    await a.delete(ROOM)
    assert (await a.facts([ROOM]))[0].nodes == ("a.0",)


@pytest.mark.parametrize("newer", [b"new", None])
async def test_a_record_that_comes_late_does_not_replace_a_newer_one(a: SharedStore, newer: bytes | None) -> None:
    await a.put_record(ROOM, "job", "j1", b"first")
    await a.put_record(ROOM, "job", "j1", newer)
    kept = await a.records(ROOM, "job")
    a._puts = 0  # type: ignore[attr-defined]  # As if the next call had been made before those.
    await a.put_record(ROOM, "job", "j1", b"late")
    assert await a.records(ROOM, "job") == kept


async def test_another_writer_s_record_replaces_what_is_there(a: SharedStore, b: SharedStore) -> None:
    for number in range(3):
        await a.put_record(ROOM, "job", "j1", b"%d" % number)
    await b.put_record(ROOM, "job", "j1", b"b")
    assert await a.records(ROOM, "job") == {"j1": b"b"}

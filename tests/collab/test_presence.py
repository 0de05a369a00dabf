"""Who is here, and whose presence a connection may speak for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import from_json, to_json

from collab.ids import ClientId, ConnectionId, NodeId
from collab.limits import Limits
from collab.presence import NULL, REMEMBERED, Holder, NodeState, Presence, RemoteHolder
from collab.wire import AwarenessEntry, read_awareness, read_bytes

ANN, BOB, EVE = ClientId(1), ClientId(2), ClientId(3)
FOREVER = 10_000


def holder(name: str, *, answered: bool = False) -> Holder:
    return Holder(ConnectionId(name), answered=answered)


def entry(
    client: ClientId, clock: int, state: dict[str, Any] | None = None, *, gone: bool = False
) -> AwarenessEntry:
    return AwarenessEntry(client, clock, NULL if gone else to_json(state or {"user": {"name": f"p{client}"}}))


def taken(presence: Presence) -> dict[int, Any]:
    """What would be sent now: client -> state, None for one that has gone."""
    found = presence.take()
    if found is None:
        return {}
    body, _ = read_bytes(found[0], 1)
    return {item.client: from_json(item.state) for item in read_awareness(body, FOREVER)}


def here(presence: Presence) -> set[int]:
    return {view.client for view in presence.views()}


def joined(presence: Presence, client: ClientId, *, clock: int = 1, now: float = 0.0) -> Holder:
    who = holder(f"c{client}")
    presence.receive(who, [entry(client, clock)], now)
    presence.take()
    who.answered = True
    return who


# A connection's own state


def test_the_first_state_that_a_connection_announces_is_its_own() -> None:
    presence, ann = Presence(Limits()), holder("a")
    assert presence.receive(ann, [entry(ANN, 1)], 0.0) == []
    assert ann.client == ANN
    assert taken(presence) == {ANN: {"user": {"name": "p1"}}}


def test_a_newer_clock_wins_and_an_older_one_changes_nothing() -> None:
    presence = Presence(Limits())
    ann = joined(presence, ANN, clock=5)
    presence.receive(ann, [entry(ANN, 4, {"user": {"name": "old"}})], 1.0)
    assert taken(presence) == {}
    presence.receive(ann, [entry(ANN, 6, {"user": {"name": "new"}})], 1.0)
    assert taken(presence) == {ANN: {"user": {"name": "new"}}}


def test_of_equal_clocks_only_the_removal_wins() -> None:
    presence = Presence(Limits())
    ann = joined(presence, ANN, clock=5)
    presence.receive(ann, [entry(ANN, 5, {"user": {"name": "same"}})], 1.0)
    assert taken(presence) == {}
    presence.receive(ann, [entry(ANN, 5, gone=True)], 1.0)
    assert taken(presence) == {ANN: None}
    assert here(presence) == set()


def test_several_changes_between_two_messages_go_out_as_the_newest() -> None:
    presence = Presence(Limits())
    ann = joined(presence, ANN)
    for clock in range(2, 10):
        presence.receive(ann, [entry(ANN, clock, {"n": clock})], 1.0)
    assert taken(presence) == {ANN: {"n": 9}}


def test_a_state_goes_with_its_connection() -> None:
    presence = Presence(Limits())
    ann = joined(presence, ANN)
    presence.leave(ann, 1.0)
    assert taken(presence) == {ANN: None}
    assert presence.snapshot() is None


def test_a_connection_that_said_nothing_takes_nothing_with_it() -> None:
    presence = Presence(Limits())
    joined(presence, ANN)
    presence.leave(holder("silent"), 1.0)
    assert here(presence) == {ANN}


def test_a_client_that_hides_itself_may_show_itself_again() -> None:
    presence = Presence(Limits())
    ann = joined(presence, ANN, clock=3)
    presence.receive(ann, [entry(ANN, 4, gone=True)], 1.0)
    presence.receive(ann, [entry(ANN, 5)], 1.0)
    assert here(presence) == {ANN}


@pytest.mark.parametrize(
    "state", [b"", b"7", b"[]", b'"text"', b"{", b'{"a": NaN}', b"\xff\xfe", b'{"a":"\xed\xa0\x80"}', b"[" * 5000]
)
def test_a_state_that_browsers_could_not_read_is_ignored(state: bytes) -> None:
    presence = Presence(Limits())
    presence.receive(holder("a"), [AwarenessEntry(ANN, 1, state)], 0.0)
    assert here(presence) == set()
    assert taken(presence) == {}


def test_a_state_over_the_limit_is_ignored() -> None:
    presence = Presence(Limits(presence_bytes=100))
    ann = holder("a")
    presence.receive(ann, [entry(ANN, 1, {"x": "y" * 100})], 0.0)
    assert here(presence) == set()
    presence.receive(ann, [entry(ANN, 2, {"x": "y"})], 0.0)
    assert here(presence) == {ANN}


def test_no_more_states_than_the_room_may_have_are_kept() -> None:
    presence = Presence(Limits(presence_clients=1))
    joined(presence, ANN)
    joined(presence, BOB)
    assert here(presence) == {ANN}


# What a connection says about others


def test_presence_for_somebody_else_is_ignored() -> None:
    presence = Presence(Limits())
    ann, bob = joined(presence, ANN), joined(presence, BOB)
    presence.receive(bob, [entry(ANN, 99, {"user": {"name": "forged"}})], 1.0)
    presence.receive(bob, [entry(ANN, 100, gone=True)], 1.0)
    presence.receive(bob, [entry(EVE, 1)], 1.0)
    assert taken(presence) == {}
    assert presence.clock(ANN) == 1
    assert here(presence) == {ANN, BOB}
    assert ann.client == ANN


def test_an_echo_that_was_under_way_brings_no_ghost_back() -> None:
    presence = Presence(Limits())
    ann, bob = joined(presence, ANN, clock=7), joined(presence, BOB)
    presence.leave(ann, 1.0)
    presence.take()
    presence.receive(bob, [entry(ANN, 7)], 2.0)
    nameless = holder("n", answered=True)
    presence.receive(nameless, [entry(ANN, 7)], 2.0)
    presence.receive(nameless, [entry(ANN, 8, gone=True)], 2.0)
    assert here(presence) == {BOB}
    assert taken(presence) == {}


def test_a_nameless_client_that_has_synced_may_announce_an_id_of_its_own() -> None:
    presence = Presence(Limits())
    late = holder("l", answered=True)
    presence.receive(late, [entry(ANN, 1)], 0.0)
    assert late.client == ANN
    assert here(presence) == {ANN}


def test_a_nameless_client_that_has_synced_cannot_take_an_id_that_is_held() -> None:
    presence = Presence(Limits())
    joined(presence, ANN)
    late = holder("l", answered=True)
    assert presence.receive(late, [entry(ANN, 50)], 1.0) == []
    assert late.client is None


def test_the_id_of_a_job_cannot_be_taken() -> None:
    presence = Presence(Limits())
    presence.put(ANN, {"user": {"kind": "job"}}, 0.0)
    eve = holder("e")
    presence.receive(eve, [entry(ANN, 50)], 0.0)
    assert eve.client is None
    assert presence.view(ANN) is not None


# Heirs


def test_a_client_that_comes_back_has_its_old_connection_probed() -> None:
    presence = Presence(Limits())
    joined(presence, ANN)
    heir = holder("new")
    assert presence.receive(heir, [entry(ANN, 2)], 1.0) == ["c1"]
    assert taken(presence) == {}


def test_the_heir_takes_over_without_a_gap_when_the_old_connection_ends() -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN, clock=5)
    heir = holder("new")
    presence.receive(heir, [entry(ANN, 5, {"user": {"name": "back"}})], 1.0)
    presence.leave(old, 2.0)
    assert taken(presence) == {ANN: {"user": {"name": "back"}}}
    assert presence.clock(ANN) == 6
    presence.leave(heir, 3.0)
    assert taken(presence) == {ANN: None}


def test_the_heir_brings_its_newest_state() -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN, clock=5)
    heir = holder("new")
    presence.receive(heir, [entry(ANN, 6, {"n": 1})], 1.0)
    presence.receive(heir, [entry(ANN, 9, {"n": 2})], 1.0)
    presence.leave(old, 2.0)
    assert taken(presence) == {ANN: {"n": 2}}
    assert presence.clock(ANN) == 9


def test_an_heir_that_leaves_first_changes_nothing() -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN)
    heir = holder("new")
    presence.receive(heir, [entry(ANN, 2)], 1.0)
    presence.leave(heir, 2.0)
    assert taken(presence) == {}
    presence.leave(old, 3.0)
    assert taken(presence) == {ANN: None}


def test_an_heir_that_has_hidden_itself_leaves_nobody() -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN)
    heir = holder("new")
    presence.receive(heir, [entry(ANN, 2)], 1.0)
    presence.receive(heir, [entry(ANN, 3, gone=True)], 1.0)
    presence.leave(old, 2.0)
    assert here(presence) == set()


def test_of_two_heirs_the_later_one_takes_over() -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN)
    first, second = holder("first"), holder("second")
    presence.receive(first, [entry(ANN, 2, {"n": 1})], 1.0)
    presence.receive(second, [entry(ANN, 3, {"n": 2})], 1.5)
    presence.leave(old, 2.0)
    assert taken(presence) == {ANN: {"n": 2}}
    presence.leave(first, 3.0)
    assert here(presence) == {ANN}


def test_as_long_as_the_old_connection_speaks_its_state_stands() -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN)
    presence.receive(holder("impostor"), [entry(ANN, 50, {"user": {"name": "forged"}})], 1.0)
    presence.receive(old, [entry(ANN, 2, {"user": {"name": "true"}})], 1.0)
    assert taken(presence) == {ANN: {"user": {"name": "true"}}}


def test_the_heir_of_a_connection_that_fell_silent_takes_over_in_the_end() -> None:
    presence = Presence(Limits(presence_timeout=30.0))
    joined(presence, ANN)
    presence.receive(holder("new"), [entry(ANN, 2, {"n": 1})], 20.0)
    presence.tick(31.0)
    assert taken(presence) == {ANN: {"n": 1}}


# Time


def test_a_state_that_nobody_renews_goes_after_the_timeout() -> None:
    presence = Presence(Limits(presence_timeout=30.0))
    joined(presence, ANN)
    presence.tick(29.9)
    assert here(presence) == {ANN}
    presence.tick(30.0)
    assert taken(presence) == {ANN: None}


def test_an_unchanged_renewal_keeps_a_state_without_a_message() -> None:
    presence = Presence(Limits(presence_timeout=30.0))
    ann = joined(presence, ANN)
    presence.receive(ann, [entry(ANN, 1)], 20.0)
    presence.tick(40.0)
    assert here(presence) == {ANN}
    assert taken(presence) == {}


def test_a_state_that_timed_out_is_shown_again_when_it_is_renewed() -> None:
    presence = Presence(Limits(presence_timeout=30.0))
    ann = joined(presence, ANN, clock=1)
    presence.tick(30.0)
    presence.take()
    presence.receive(ann, [entry(ANN, 2)], 31.0)
    assert here(presence) == {ANN}
    # Those who were told of the removal under clock 2 take only a newer one.
    assert presence.clock(ANN) == 3


def test_states_of_the_server_are_renewed_by_the_server() -> None:
    presence = Presence(Limits(presence_timeout=30.0))
    presence.put(ANN, {"user": {"name": "job"}}, 0.0)
    presence.take()
    presence.tick(14.9)
    assert taken(presence) == {}
    presence.tick(15.0)
    assert taken(presence) == {ANN: {"user": {"name": "job"}}}
    presence.put(ANN, None, 16.0)
    assert taken(presence) == {ANN: None}


def test_who_has_missed_changes_is_told_who_went() -> None:
    presence = Presence(Limits())
    presence.put(ClientId(1), {"user": {"name": "Bot"}}, 0.0)
    presence.put(ClientId(1), None, 1.0)
    assert presence.snapshot() is None
    told = presence.snapshot(missed=True)
    assert told is not None
    (entry,) = read_awareness(read_bytes(told, 1)[0], 10)
    assert (entry.client, entry.state) == (1, b"null")


def test_clocks_of_those_who_went_are_remembered_within_a_bound() -> None:
    presence = Presence(Limits())
    for client in range(1, REMEMBERED + 3):
        presence.put(ClientId(client), {}, 0.0)
        presence.put(ClientId(client), None, 0.0)
    assert presence.clock(ClientId(1)) == presence.clock(ClientId(2)) == 0
    assert presence.clock(ClientId(3)) == 2


# Views


def test_a_view_takes_only_what_has_the_right_form() -> None:
    presence = Presence(Limits())
    state = {"user": {"name": 7, "color": None}, "file": ["f"], "cursor": {"anchor": 1}}
    presence.receive(holder("a"), [entry(ANN, 1, state)], 0.0)
    (view,) = presence.views()
    assert (view.name, view.color, view.file, view.cursor) == ("Guest", "#808080", None, {"anchor": 1})


def test_a_person_cannot_pass_as_a_job() -> None:
    presence = Presence(Limits())
    presence.receive(holder("a"), [entry(ANN, 1, {"user": {"name": "x", "kind": "job"}})], 0.0)
    presence.put(BOB, {"user": {"name": "y", "kind": "job"}}, 0.0)
    assert {view.client: view.kind for view in presence.views()} == {ANN: "person", BOB: "job"}


def test_a_state_without_a_user_is_a_guest() -> None:
    presence = Presence(Limits())
    presence.receive(holder("a"), [entry(ANN, 1, {"user": "Ann"})], 0.0)
    assert [view.name for view in presence.views()] == ["Guest"]


# Other nodes

ONE, TWO = NodeId("one.0"), NodeId("two.0")


def said(client: int, clock: int = 1, name: str = "Ann", *, spoken: bool = False) -> NodeState:
    return NodeState(ClientId(client), clock, b'{"user":{"name":"%s"}}' % name.encode(), spoken)


def gone(client: int, clock: int = 2) -> NodeState:
    return NodeState(ClientId(client), clock, b"null")


def names(presence: Presence) -> list[str]:
    return [view.name for view in presence.views()]


def test_people_of_another_node_are_here_until_it_says_otherwise() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1), said(2, name="Bob")], 0.0, full=False)
    assert names(presence) == ["Ann", "Bob"]
    presence.remote(ONE, [gone(1)], 0.0, full=False)
    assert names(presence) == ["Bob"]


def test_renewals_of_another_node_are_passed_on_though_a_newer_clock_was_seen_here() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1, 8), gone(1, 9)], 0.0, full=False)
    presence.remote(TWO, [said(1, 3)], 0.0, full=False)
    before = presence.snapshot()
    presence.remote(TWO, [said(1, 4)], 1.0, full=False)
    assert presence.snapshot() != before


def test_a_full_list_takes_away_who_is_not_on_it() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1)], 0.0, full=False)
    presence.remote(TWO, [said(2, name="Bob")], 0.0, full=False)
    presence.remote(ONE, [said(3, name="Eve")], 0.0, full=True)
    assert sorted(names(presence)) == ["Bob", "Eve"]


def test_the_people_of_a_node_that_is_dead_go() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1)], 0.0, full=False)
    presence.remote(TWO, [said(2, name="Bob")], 0.0, full=False)
    assert presence.nodes() == {ONE, TWO}
    presence.drop_node(ONE, 1.0)
    assert names(presence) == ["Bob"]


def test_only_the_node_that_has_somebody_may_take_them_away() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1)], 0.0, full=False)
    presence.remote(TWO, [gone(1)], 0.0, full=False)
    presence.remote(TWO, [], 0.0, full=True)
    assert names(presence) == ["Ann"]


def test_somebody_who_moved_to_another_node_is_that_one_s() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1, 3)], 0.0, full=False)
    presence.remote(TWO, [said(1, 4)], 0.0, full=False)
    presence.remote(ONE, [gone(1, 5)], 0.0, full=False)
    assert names(presence) == ["Ann"]
    assert presence.nodes() == {TWO}


def test_a_node_speaks_for_its_own_connections_only() -> None:
    presence = Presence(Limits())
    presence.shared = True
    presence.receive(Holder(ConnectionId("c1")), [AwarenessEntry(ClientId(7), 1, b"{}")], 0.0)
    presence.remote(ONE, [said(1)], 0.0, full=False)
    assert [state.client for state in presence.own()] == [7]
    assert [state.client for state in presence.outgoing()] == [7]
    assert presence.outgoing() == []


def test_other_nodes_cannot_replace_who_is_connected_here() -> None:
    presence = Presence(Limits())
    presence.receive(Holder(ConnectionId("c1")), [AwarenessEntry(ClientId(7), 1, b'{"a":1}')], 0.0)
    presence.remote(ONE, [said(7, 99)], 0.0, full=True)
    assert presence.nodes() == set()


def test_somebody_who_comes_back_over_this_node_is_heir_until_the_other_lets_go() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(7, 3)], 0.0, full=False)
    holder = Holder(ConnectionId("c1"))
    rivals = presence.receive(holder, [AwarenessEntry(ClientId(7), 4, b'{"user":{"name":"Ann 2"}}')], 1.0)
    assert rivals == [RemoteHolder(ONE, ClientId(7))]
    assert names(presence) == ["Ann"]
    presence.take()
    presence.remote(ONE, [gone(7, 4)], 1.0, full=False)
    assert names(presence) == ["Ann 2"]
    assert presence.holder_of(ClientId(7)) == "c1"
    taken = presence.take()
    assert taken is not None
    assert taken[1] == (7,)  # One message with the new state: nobody sees it go.


def test_states_of_other_nodes_are_bounded_and_checked() -> None:
    presence = Presence(Limits(presence_clients=2))
    bad = NodeState(ClientId(9), 1, b"[]")
    presence.remote(ONE, [bad, said(1), said(2), said(3)], 0.0, full=False)
    assert len(presence.views()) == 2


def test_a_state_of_another_node_is_not_dropped_by_the_clock() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1)], 0.0, full=False)
    presence.tick(1000.0)
    assert names(presence) == ["Ann"]


def test_a_job_of_another_node_is_a_job() -> None:
    presence = Presence(Limits())
    state = NodeState(ClientId(1), 1, b'{"user":{"name":"bot","kind":"job"}}', spoken=True)
    presence.remote(ONE, [state], 0.0, full=False)
    assert [view.kind for view in presence.views()] == ["job"]
    assert presence.receive(Holder(ConnectionId("c")), [AwarenessEntry(ClientId(1), 9, b"{}")], 0.0) == []


# Somebody whom two nodes claim


def test_a_connection_is_probed_once_whose_client_another_node_claims() -> None:
    presence = Presence(Limits())
    joined(presence, ANN)
    assert presence.remote(ONE, [said(1, 5)], 1.0, full=False) == ["c1"]
    assert presence.remote(ONE, [said(1, 6)], 2.0, full=True) == []
    assert presence.nodes() == set()


def test_who_moved_unseen_is_shown_over_the_other_node_without_a_gap_once_the_old_connection_is_gone() -> None:
    presence = Presence(Limits())
    presence.shared = True
    old = joined(presence, ANN, clock=9)
    presence.remote(ONE, [said(1, 3, "moved")], 1.0, full=False)
    presence.outgoing()
    presence.leave(old, 2.0)
    assert names(presence) == ["moved"]
    assert presence.nodes() == {ONE}
    assert taken(presence) == {ANN: {"user": {"name": "moved"}}}
    assert presence.clock(ANN) == 10
    assert [(state.client, state.state) for state in presence.outgoing()] == [(ANN, NULL)]


def test_who_fell_silent_here_is_shown_over_the_node_that_claims_it() -> None:
    presence = Presence(Limits(presence_timeout=30.0))
    joined(presence, ANN)
    presence.remote(ONE, [said(1, 3, "moved")], 29.0, full=False)
    presence.tick(30.0)
    assert names(presence) == ["moved"]


def test_who_hides_is_hidden_whatever_another_node_has_claimed() -> None:
    presence = Presence(Limits())
    ann = joined(presence, ANN)
    presence.remote(ONE, [said(1, 5)], 1.0, full=False)
    presence.receive(ann, [entry(ANN, 2, gone=True)], 2.0)
    assert here(presence) == set()


def test_of_two_other_nodes_that_claim_somebody_the_one_that_stays_is_believed() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1, 8, "old")], 0.0, full=False)
    presence.remote(TWO, [said(1, 4, "moved")], 1.0, full=False)
    assert names(presence) == ["old"]
    presence.remote(ONE, [gone(1, 9)], 2.0, full=False)
    assert names(presence) == ["moved"]


def test_a_node_that_was_overtaken_is_believed_again_when_the_newer_one_lets_go() -> None:
    presence = Presence(Limits())
    presence.remote(ONE, [said(1, 3, "old")], 0.0, full=False)
    presence.remote(TWO, [said(1, 4, "new")], 1.0, full=False)
    assert names(presence) == ["new"]
    presence.drop_node(TWO, 2.0)
    assert names(presence) == ["old"]


@pytest.mark.parametrize("how", ["said", "full", "dropped"])
def test_a_claim_that_was_given_up_brings_nobody_back(how: str) -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN)
    presence.remote(ONE, [said(1, 5)], 1.0, full=False)
    if how == "dropped":
        presence.drop_node(ONE, 2.0)
    else:
        presence.remote(ONE, [gone(1, 6)] if how == "said" else [], 2.0, full=how == "full")
    presence.leave(old, 3.0)
    assert here(presence) == set()


def test_a_connection_of_this_node_goes_before_what_another_one_claims() -> None:
    presence = Presence(Limits())
    old = joined(presence, ANN)
    presence.remote(ONE, [said(1, 5, "elsewhere")], 1.0, full=False)
    presence.receive(holder("new"), [entry(ANN, 2, {"user": {"name": "here"}})], 1.0)
    presence.leave(old, 2.0)
    assert names(presence) == ["here"]


def test_what_a_node_claims_is_checked_and_a_job_is_not_claimed() -> None:
    presence = Presence(Limits())
    ann = joined(presence, ANN)
    presence.put(BOB, {"user": {"kind": "job"}}, 0.0)
    assert presence.remote(ONE, [NodeState(ANN, 9, b"[]"), said(2, 9)], 1.0, full=False) == []
    presence.leave(ann, 2.0)
    assert here(presence) == {BOB}
    presence.put(BOB, None, 3.0)
    assert here(presence) == set()


def test_only_who_holds_a_state_may_hide_it() -> None:
    presence = Presence(Limits(presence_timeout=30.0))
    silent = joined(presence, ANN)
    presence.tick(30.0)
    presence.remote(ONE, [said(1, 5)], 31.0, full=False)
    presence.receive(silent, [entry(ANN, 99, gone=True)], 32.0)
    assert here(presence) == {ANN}

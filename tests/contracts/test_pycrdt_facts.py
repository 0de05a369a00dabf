"""What the code takes for granted about pycrdt, so that an upgrade that changes it fails loudly.

Some of these are faults. A test of one that fails because pycrdt has been repaired says that a workaround may go.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, cast

import pycrdt
import pytest
from pycrdt import Assoc, Doc, Map, StickyIndex, Text, TextEvent, TransactionEvent

from collab.document import is_panic
from collab.ids import ClientId
from collab.wire import IdRange, decode_state_vector, delete_set_update, write_uint

EMPTY = b"\0\0"


def made(client: int, text: str | None = None) -> tuple[Doc[Any], Text, list[bytes]]:
    """A document, its text, and the updates of its own edits."""
    doc: Doc[Any] = Doc(client_id=client)
    target = doc.get("t", type=Text)
    updates: list[bytes] = []
    doc.observe(lambda event: updates.append(event.update))
    if text is not None:
        target.insert(0, text)
    return doc, target, updates


def empty(client: int = 99) -> tuple[Doc[Any], Text]:
    doc, text, _ = made(client)
    return doc, text


def panics(call: Callable[[], object]) -> bool:
    try:
        call()
    except BaseException as error:
        if not is_panic(error):
            raise
        return True
    return False


# Units


def test_inserts_deletions_and_lengths_count_utf8_bytes() -> None:
    _, text, _ = made(1, "é👋z")
    assert len(text) == 7
    text.insert(6, "!")
    del text[0:2]
    assert str(text) == "👋!z"


def test_an_insert_in_the_middle_of_a_character_lands_elsewhere() -> None:
    _, text, _ = made(1, "👋z")
    text.insert(2, "!")
    assert str(text) != "👋!z"
    assert sorted(str(text)) == sorted("👋z!")


def test_deltas_count_utf8_bytes() -> None:
    _, text, _ = made(1, "é👋z")
    seen: list[Any] = []
    text.observe(lambda event: seen.append(event.delta))  # type: ignore[attr-defined]
    text.insert(6, "new")
    assert seen == [[{"retain": 6}, {"insert": "new"}]]


def test_sticky_indices_mix_bytes_of_whole_items_with_utf16_units_of_the_last() -> None:
    doc, text, _ = made(1, "hello")
    text.insert(0, "👋 ")  # A second item: five bytes, three UTF-16 units.
    position = StickyIndex.new(text, 7, Assoc.BEFORE)
    assert position.to_json()["item"] == {"client": 1, "clock": 1}
    with doc.transaction() as transaction:
        assert position.get_index(transaction) == 7

    def there_and_back() -> None:
        between = StickyIndex.new(text, 4, Assoc.BEFORE)
        with doc.transaction() as transaction:
            between.get_index(transaction)

    # Index 4 is after the item's three units and before its five bytes: no place.
    assert panics(there_and_back)


def test_a_sticky_index_of_an_unknown_item_panics() -> None:
    doc, _, _ = made(1, "hello")
    position = StickyIndex.decode(b"\0" + write_uint(77) + write_uint(3) + b"\x41")
    with doc.transaction() as transaction:
        assert panics(lambda: position.get_index(transaction))


def test_a_sticky_index_is_encoded_as_yjs_encodes_a_relative_position() -> None:
    _, text, _ = made(300, "hello")
    # Yjs: 0, the item's client and clock, then the association as a lib0 varInt: -1 is 0x41, 0 is 0x00.
    assert StickyIndex.new(text, 2, Assoc.BEFORE).encode() == b"\0" + write_uint(300) + b"\x01\x41"
    assert StickyIndex.new(text, 2, Assoc.AFTER).encode() == b"\0" + write_uint(300) + b"\x02\x00"


def test_the_start_of_a_nested_text_is_encoded_by_its_types_item() -> None:
    doc: Doc[Any] = Doc(client_id=300)
    files = doc.get("files", type=Map)
    files["f"] = Map({"text": Text("hello")})
    assert StickyIndex.new(files["f"]["text"], 0, Assoc.BEFORE).encode()[0] == 2


# Malformed input


@pytest.mark.parametrize("update", [b"", b"\1", b"\1\1\2\3garbage", b"\xff" * 30])
def test_a_malformed_update_raises_and_changes_nothing(update: bytes) -> None:
    doc, text, _ = made(1, "kept")
    before = doc.get_update()
    with pytest.raises((ValueError, RuntimeError, OverflowError)):
        doc.apply_update(update)
    assert (str(text), doc.get_update()) == ("kept", before)


def test_a_panic_is_no_exception() -> None:
    _, text, _ = made(1, "abc")
    with pytest.raises(BaseException, match="remove 100 elements") as caught:
        del text[0:100]
    assert is_panic(caught.value)
    assert not isinstance(caught.value, Exception)


def test_an_exception_inside_a_transaction_keeps_the_edits_made_so_far() -> None:
    doc, text, _ = made(1, "")

    def interrupted() -> None:
        with doc.transaction():
            text.insert(0, "kept")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert str(text) == "kept"


# Updates


def test_an_update_that_is_all_news_comes_out_byte_by_byte_as_it_went_in() -> None:
    # The room's short way compares them.
    _, text, updates = made(1, "")
    for index in range(20):
        text.insert(0 if index % 2 else len(text), "é👋z"[index % 3])
    del text[0:4]
    watcher, _, seen = made(2)
    for update in updates:
        watcher.apply_update(update)
    assert seen == updates


def test_several_updates_in_one_transaction_come_out_as_one() -> None:
    _, text, updates = made(1, "a")
    text.insert(1, "b")
    watcher, _, seen = made(2)
    with watcher.transaction():
        for update in updates:
            watcher.apply_update(update)
    assert len(seen) == 1
    fresh, copied = empty()
    fresh.apply_update(seen[0])
    assert str(copied) == "ab"


def test_a_transaction_that_changed_nothing_is_not_reported() -> None:
    _, _, updates = made(1, "a")
    watcher, _, seen = made(2)
    watcher.apply_update(updates[0])
    watcher.apply_update(updates[0])
    with watcher.transaction():
        pass
    assert len(seen) == 1


def test_an_update_that_waits_is_neither_reported_nor_encoded() -> None:
    _, text, updates = made(1, "a")
    text.insert(1, "b")
    watcher, _, seen = made(2)
    watcher.apply_update(updates[1])
    assert seen == []
    assert watcher.get_update() == EMPTY
    assert watcher.get_state() == b"\0"


def test_what_waited_comes_out_with_the_missing_update() -> None:
    _, text, updates = made(1, "a")
    text.insert(1, "b")
    watcher, copied, seen = made(2)
    watcher.apply_update(updates[1])
    watcher.apply_update(updates[0])
    assert str(copied) == "ab"
    fresh, whole = empty()
    fresh.apply_update(seen[-1])
    assert str(whole) == "ab"


def shuffled(seed: int) -> tuple[str, list[bytes]]:
    random = Random(seed)
    _, text, updates = made(5)
    for _ in range(12):
        length = len(str(text))
        if length and random.random() < 0.3:
            at = random.randrange(length)
            del text[at : at + 1]
        else:
            text.insert(random.randint(0, length), random.choice("abc"))
    result = str(text)
    random.shuffle(updates)
    return result, list(updates)


def test_updates_out_of_order_may_be_forgotten_until_they_are_applied_again() -> None:
    forgotten = 0
    for seed in range(100):
        expected, updates = shuffled(seed)
        doc, text = empty()
        for update in updates:
            doc.apply_update(update)
        forgotten += str(text) != expected
        for _ in updates:
            for update in updates:
                doc.apply_update(update)
        assert str(text) == expected
    assert forgotten, "repaired: Intake need not keep what waits any more"


def test_an_edit_is_taken_in_without_the_one_that_its_author_made_before() -> None:
    _, _, first = made(1, "0123456789")
    _, copied, updates = made(2)
    cast(Any, copied.doc).apply_update(first[0])
    updates.clear()
    copied.insert(5, "one")
    copied.insert(2, "two")
    doc, there = empty()
    doc.apply_update(first[0])
    doc.apply_update(updates[1])
    assert str(there) == "01two23456789", "repaired: Intake need not withhold what is behind a gap any more"
    assert ClientId(2) not in {client for client, clock in decode_state_vector(doc.get_state()).items() if clock}


def test_merged_updates_lose_nothing_in_whatever_order() -> None:
    for seed in range(100):
        expected, updates = shuffled(seed)
        doc, text = empty()
        doc.apply_update(pycrdt.merge_updates(*updates))
        assert str(text) == expected


def test_merged_updates_keep_one_that_waits() -> None:
    _, text, updates = made(1, "a")
    text.insert(1, "b")
    text.insert(2, "c")
    merged = pycrdt.merge_updates(updates[0], updates[2])
    doc, copied = empty()
    doc.apply_update(merged)
    assert str(copied) == "a"
    doc.apply_update(updates[1])
    doc.apply_update(merged)
    assert str(copied) == "abc"


def test_what_a_state_has_is_stripped_from_an_update() -> None:
    doc, text, updates = made(1, "a")
    state = doc.get_state()
    text.insert(1, "b")
    assert pycrdt.get_update(updates[0], state) == EMPTY
    assert pycrdt.get_update(updates[1], state)[0] == 1
    assert pycrdt.get_update(updates[1], b"\0")[0] == 1


def test_what_a_state_lacks_names_deletions_even_if_they_are_known() -> None:
    doc, text, updates = made(1, "abc")
    del text[0:1]
    assert pycrdt.get_update(updates[-1], doc.get_state()) == delete_set_update([IdRange(ClientId(1), 0, 1)])


@pytest.mark.parametrize("clock", [2**31, 2**32, 2**53 - 1])
def test_a_state_vector_with_absurd_clocks_is_answered(clock: int) -> None:
    doc, _, _ = made(1, "abc")
    assert isinstance(doc.get_update(b"\1\1" + write_uint(clock)), bytes)


def test_an_update_without_edits_deletes_by_id_wherever_the_text_is() -> None:
    doc, _, _ = made(1, "abcdef")
    other, copied = empty(2)
    other.apply_update(doc.get_update())
    copied.insert(3, "👋")
    other.apply_update(delete_set_update([IdRange(ClientId(1), 1, 4)]))
    assert str(copied) == "a👋f"


def test_two_documents_with_one_client_id_lose_edits() -> None:
    one, first, _ = made(1, "one")
    two, second, _ = made(1, "zwei")
    one.apply_update(two.get_update())
    two.apply_update(one.get_update())
    assert str(first) != str(second) or "one" not in str(first)


def test_what_is_inserted_behind_an_item_by_the_smallest_client_stands_there_at_once() -> None:
    # collab.probe finds places by this.
    one, text, updates = made(1, "ab")
    for client in (2, 3, 4):
        other, copied, mine = made(client)
        other.apply_update(updates[0])
        copied.insert(1, str(client))
        one.apply_update(mine[-1])
    one.apply_update(b"\1\1\0\0\x84" + b"\1\0" + b"\1x" + b"\0")
    assert str(text) == "ax234b"


# Events


def test_a_transaction_event_has_the_states_before_and_after_and_the_update() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    seen: list[tuple[bytes, bytes, bytes]] = []

    def observed(event: TransactionEvent) -> None:
        seen.append((event.before_state, event.after_state, event.update))  # type: ignore[attr-defined]

    doc.observe(observed)
    doc.get("t", type=Text).insert(0, "abc")
    ((before, after, update),) = seen
    assert decode_state_vector(before) in ({}, {1: 0})
    assert (after, update) == (doc.get_state(), doc.get_update())


def test_deep_events_name_the_path_of_a_nested_text() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    files = doc.get("files", type=Map)
    files["f"] = Map({"path": "a", "text": Text("abc")})
    seen: list[tuple[str, Any, Any]] = []

    def observed(events: list[Any]) -> None:
        for event in events:
            delta = event.delta if isinstance(event, TextEvent) else None  # type: ignore[attr-defined]
            seen.append((type(event).__name__, event.path, delta))

    files.observe_deep(observed)
    files["f"]["text"].insert(3, "d")
    files["f"]["path"] = "b"
    assert seen == [("TextEvent", ["f", "text"], [{"retain": 3}, {"insert": "d"}]), ("MapEvent", ["f"], None)]


def test_numbers_come_back_as_floats() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    doc["m"] = Map({"n": 1})
    assert isinstance(doc["m"]["n"], float)


# The native object behind a Doc, which Document uses for what every keystroke pays for


def test_the_native_document_applies_updates_in_a_transaction_of_its_own() -> None:
    source: Doc[Any] = Doc(client_id=7)
    source["t"] = Text("abc")
    doc: Doc[Any] = Doc(client_id=8)
    seen: list[tuple[bytes, bytes]] = []
    subscription = doc._doc.observe(lambda event: seen.append((event.update, cast(Any, event).after_state)))
    transaction = doc._doc.create_transaction()
    doc._doc.apply_update(transaction, source.get_update())
    transaction.commit()
    transaction.drop()
    assert seen == [(source.get_update(), source.get_state())]
    assert str(doc.get("t", type=Text)) == "abc"
    subscription.drop()


def test_a_native_transaction_goes_on_after_an_update_that_cannot_be_decoded() -> None:
    source: Doc[Any] = Doc(client_id=7)
    source["t"] = Text("abc")
    doc: Doc[Any] = Doc(client_id=8)
    transaction = doc._doc.create_transaction()
    with pytest.raises(ValueError, match="decode"):
        doc._doc.apply_update(transaction, b"\x01\x01")
    doc._doc.apply_update(transaction, source.get_update())
    transaction.commit()
    transaction.drop()
    assert doc.get_state() == source.get_state()

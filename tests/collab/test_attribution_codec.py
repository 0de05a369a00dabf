"""The table of who wrote what as bytes: the same afterwards, small, and nothing wrong is believed."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.attribution import Attribution, Author, Copied
from collab.attribution_codec import decode, encode, pack_copies, plain
from collab.errors import StoreCorrupt
from collab.ids import MAX_CLIENT_ID, ClientId, FileId
from collab.ledger import Copy
from collab.wire import IdRange

ANN = Author("person", "Ann")
JOB = Author("job", "j1", "Ann")
NOON = 1_700_000_000_000


def ids(client: int, clock: int, length: int) -> IdRange:
    return IdRange(ClientId(client), clock, length)


def sample() -> Attribution:
    table = Attribution()
    table.add(ids(MAX_CLIENT_ID, 7, 3), ANN, NOON)
    table.add(ids(3, 0, 30_000), JOB, NOON - 86_400_000)
    table.add(ids(3, 40_000, 1), Author("unknown", "Ünal"), NOON)
    table.copy(ids(3, 5, 2), [ids(MAX_CLIENT_ID, 8, 2)])
    return table


def test_a_table_is_the_same_after_it_was_stored() -> None:
    assert decode(encode(sample())) == sample()
    assert encode(decode(encode(sample()))) == encode(sample())


def test_an_empty_table_takes_nothing() -> None:
    assert encode(Attribution()) == b""
    assert decode(b"") == Attribution()


def test_a_run_of_typing_takes_less_than_twelve_bytes() -> None:
    table = Attribution()
    people = [Author("person", f"Somebody {number}") for number in range(20)]
    second = NOON
    for number in range(5_000):
        second += 17_000
        table.add(ids(2**31 + number % 20, number // 20 * 40, 40), people[number % 20], second)
    assert len(table) == 5_000
    assert len(encode(table)) / len(table) < 12


def test_copies_of_an_origin_come_back_as_a_table() -> None:
    packed = pack_copies([Copy(FileId("f"), ids(9, 0, 5), (ids(1, 0, 2), ids(2, 4, 3)))])
    assert list(decode(packed).copies()) == [
        (9, Copied(0, 2, ClientId(1), 0)),
        (9, Copied(2, 3, ClientId(2), 4)),
    ]
    assert pack_copies([]) == b""


def test_the_export_names_runs_and_copies_by_client() -> None:
    shown = plain(sample())
    assert shown["clients"] == {
        "3": [[0, 30_000, 1, 1_699_913_600, 1_699_913_600], [40_000, 1, 2, NOON // 1000, NOON // 1000]],
        str(MAX_CLIENT_ID): [[7, 3, 0, NOON // 1000, NOON // 1000]],
    }
    assert shown["copies"] == {"3": [[5, 2, MAX_CLIENT_ID, 8]]}
    assert sample().authors() == (ANN, JOB, Author("unknown", "Ünal"))


def changed(index: int, value: object) -> bytes:
    columns = msgpack.unpackb(encode(sample()))
    columns[index] = value
    return bytes(msgpack.packb(columns))


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        b"\x93\x01",
        encode(sample())[:-1],
        encode(sample()) + b"\x00",
        changed(0, 2),
        changed(1, -1),
        changed(1, 2**60),
        changed(2, [[0, "Ann", ""]]),
        changed(2, [[17, "Ann", ""]] * 3),
        changed(2, [[-1, "Ann", ""]] * 3),
        changed(2, [[0, 5, ""]] * 3),
        changed(3, [3, 3]),
        changed(3, [3, MAX_CLIENT_ID + 1]),
        changed(4, [1, 1]),
        changed(4, [0, 3]),
        changed(5, [0, -1, 0]),
        changed(6, [0, 1, 1]),
        changed(6, [1, 2**53 - 1, 1]),
        changed(6, [1.5, 1, 1]),
        changed(6, [True, 1, 1]),
        changed(7, [0, 9, 0]),
        changed(8, [-(2**39), 0, 0]),
        changed(9, [0, -1, 0]),
        changed(14, [0.5]),
        changed(14, [4]),
        changed(15, [2**53 - 1]),
        changed(16, [2**60]),
        changed(16, "x"),
    ],
)
def test_what_is_no_table_is_corrupt(data: bytes) -> None:
    with pytest.raises(StoreCorrupt, match="who wrote what"):
        decode(data)


@given(st.binary(max_size=60))
def test_garbage_is_a_table_or_corrupt(data: bytes) -> None:
    try:
        decode(data)
    except StoreCorrupt:
        return
    assert encode(decode(data)) is not None


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_flipped_byte_is_a_table_or_corrupt(at: int, value: int) -> None:
    data = bytearray(encode(sample()))
    data[at % len(data)] = value
    try:
        table = decode(bytes(data))
    except StoreCorrupt:
        return
    assert decode(encode(table)) == table

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.event_stream import EventStream

STREAM = (
    b"\xef\xbb\xbf: a comment\n\nevent: message\ndata: one\n\ndata:two\r\ndata:  three\r\n\r\n"
    b"id: 4\rdata\rdata: four\r\rretry: 5\n\ndata: never ended"
)
DATA = [b"one", b"two\n three", b"\nfour"]


def test_events_are_told_by_their_data() -> None:
    assert EventStream().feed(STREAM) == DATA


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_may_come_in_any_pieces(cuts: list[int]) -> None:
    stream, found = EventStream(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        found += stream.feed(STREAM[start:end])
    assert found == DATA


def test_an_event_without_end_is_not_held_for_ever() -> None:
    stream = EventStream(most=100)
    with pytest.raises(ValueError, match="more than 100 bytes"):
        stream.feed(b"data: " + b"x" * 200)
    many = EventStream(most=100)
    many.feed(b"data: " + b"x" * 60 + b"\n")
    with pytest.raises(ValueError, match="more than 100 bytes"):
        many.feed(b"data: " + b"x" * 60 + b"\n")

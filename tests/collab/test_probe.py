"""Anchors in texts beyond ASCII hold on to exactly the right item, and looking for one spoils none."""

from __future__ import annotations

import pytest

from collab.document import Document
from collab.ids import ClientId
from collab.merge.items import State
from collab.offsets import to_utf16
from collab.wire import decode_anchor, write_uint
from tests.collab.merge.histories import FILE, typed

ALPHABET = "aé😀\u0301\n"


def units(document: Document) -> list[tuple[ClientId, int]]:
    """The ids of the text's UTF-16 units."""
    runs = [run.ids for run in State(document).runs(FILE) if run.alive]
    return [(ids.client, ids.clock + index) for ids in runs for index in range(ids.length)]


@pytest.mark.parametrize("seed", range(20))
def test_an_anchor_holds_on_to_the_last_unit_of_the_character_before_it(seed: int) -> None:
    document = typed(seed, ALPHABET)
    text, ids = document.text(FILE), units(document)
    for index in range(1, len(text) + 1):
        anchor = decode_anchor(document.anchor(FILE, index))
        assert (anchor.client, anchor.clock) == ids[to_utf16(text, index) - 1]


@pytest.mark.parametrize("seed", range(20))
def test_anchors_of_either_unit_of_a_character_are_found_on_both_sides(seed: int) -> None:
    document = typed(seed, ALPHABET)
    text, ids = document.text(FILE), units(document)
    for index in range(len(text)):
        for client, clock in ids[to_utf16(text, index) : to_utf16(text, index + 1)]:
            item = b"\0" + write_uint(client) + write_uint(clock)
            assert document.resolve(FILE, item + b"\x00") == index
            assert document.resolve(FILE, item + b"\x41") == index + 1

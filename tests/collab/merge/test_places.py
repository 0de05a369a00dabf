from __future__ import annotations

import pytest

from collab.document import Document
from collab.ids import ClientId
from collab.merge.places import anchor_before, range_anchors
from tests.collab.merge.histories import FILE, typed


def document(text: str) -> Document:
    live = Document(ClientId(1))
    live.edit(lambda editor: editor.create(FILE, "a.txt", text))
    return live


@pytest.mark.parametrize("alphabet", ["ab\n", "aé😀\u0301\n"])
@pytest.mark.parametrize("seed", range(10))
def test_every_place_is_found_again_in_every_text(seed: int, alphabet: str) -> None:
    live = typed(seed, alphabet)
    length = len(live.text(FILE))
    for index in range(length):
        before = anchor_before(live, FILE, index)
        assert before is not None
        assert live.resolve(FILE, before) == index
        assert live.resolve(FILE, live.anchor(FILE, index)) == index
    assert anchor_before(live, FILE, length) is None


@pytest.mark.parametrize("text", ["abc", "é😀c", "ab😀"])
def test_a_place_keeps_its_side_of_what_is_typed_there(text: str) -> None:
    live = document(text)
    behind, before = live.anchor(FILE, 2), anchor_before(live, FILE, 2)
    assert before is not None
    live.edit(lambda editor: editor.splice(FILE, 2, 2, "😀X"))
    assert (live.resolve(FILE, behind), live.resolve(FILE, before)) == (2, 4)
    live.edit(lambda editor: editor.splice(FILE, 1, 5, ""))
    assert (live.resolve(FILE, behind), live.resolve(FILE, before)) == (1, 1)


@pytest.mark.parametrize("line", ["one\n", "é😀\n"])
def test_what_is_typed_behind_whole_lines_is_not_in_their_range(line: str) -> None:
    live = document(line + "next\n")
    start, end = range_anchors(live, FILE, 0, len(line))
    assert end is not None
    live.edit(lambda editor: editor.splice(FILE, len(line), len(line), "typed\n"))
    assert (live.resolve(FILE, start), live.resolve(FILE, end)) == (0, len(line))


@pytest.mark.parametrize("line", ["one\n", "é😀\n"])
def test_what_is_typed_in_an_empty_range_is_in_it(line: str) -> None:
    live = document(line + "next\n")
    start, end = range_anchors(live, FILE, len(line), len(line))
    assert end is not None
    live.edit(lambda editor: editor.splice(FILE, len(line), len(line), "typed\n"))
    assert (live.resolve(FILE, start), live.resolve(FILE, end)) == (len(line), len(line) + 6)


def test_the_end_of_a_last_line_without_a_newline_is_the_end_of_the_file() -> None:
    live = document("one\ntwo")
    assert range_anchors(live, FILE, 4, 7)[1] is None

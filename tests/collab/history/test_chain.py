"""Versions read back what they were made of, whatever is thinned out between them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab.errors import StoreCorrupt
from collab.history.chain import Chain, checked_text, tree_of
from collab.history.making import MOST_DEPTH
from collab.history.pack import Pack
from collab.ids import FileId
from tests.collab.history.worlds import Files, World

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "é𝄞\n", "\n", "xyz\n", "end"]), max_size=8).map("".join)
FILES = st.tuples(st.sampled_from(["a", "b/c", "ü"]), TEXTS)
STATES = st.dictionaries(st.sampled_from(["f1", "f2", "f3", "", "odd ~ id"]), FILES, max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(STATES, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_every_version_that_is_kept_reads_back(states: list[Files], random: object) -> None:
    world = World()
    for files in states:
        world.make(files)
        assert world.read(world.versions[-1]) == files
    order = [version.id for version in world.versions[:-1]]
    random.shuffle(order)  # type: ignore[attr-defined]
    for ident in order:
        world.remove(ident)
        for version in world.versions:
            assert world.read(version) == world.truth[version.id]


@settings(max_examples=60, deadline=None)
@given(st.lists(STATES, min_size=2, max_size=6), st.lists(STATES, min_size=1, max_size=4), st.data())
def test_versions_made_after_thinning_read_back_too(
    states: list[Files], later: list[Files], data: st.DataObject
) -> None:
    world = World()
    for files in states:
        world.make(files)
    for files in later:
        if len(world.versions) > 1:
            world.remove(data.draw(st.sampled_from([one.id for one in world.versions[:-1]])))
        world.make(files)
        for version in world.versions:
            assert world.read(version) == world.truth[version.id]


def test_a_version_in_which_nothing_changed_holds_nothing() -> None:
    world = World()
    world.make({"f": ("a", "x")})
    second = world.make({"f": ("a", "x")})
    assert second.empty
    assert world.read(second) == {"f": ("a", "x")}


def test_files_that_did_not_change_cost_nothing() -> None:
    world = World()
    texts = {f"f{number}": (f"p{number}", f"text {number}\n" * 200) for number in range(100)}
    world.make(texts)
    second = world.make(texts | {"f7": ("p7", texts["f7"][1] + "more\n")})
    assert second.size < 300


def test_after_many_differences_a_text_is_kept_whole_again() -> None:
    world = World()
    lines = [f"line {number}\n" for number in range(500)]
    depths = []
    for number in range(MOST_DEPTH + 3):
        lines[number] = "changed\n"
        world.make({"f": ("a", "".join(lines))})
        depths.append(Pack.from_bytes(world.versions[-1].inline).entries[FileId("f")].depth)
    assert depths == [*range(MOST_DEPTH + 1), 0, 1]
    assert world.read(world.versions[-1]) == {"f": ("a", "".join(lines))}


def test_a_text_that_was_damaged_is_noticed() -> None:
    world = World()
    version = world.make({"f": ("a", "x")})
    row = tree_of(world.run(Chain([version]).tree(version))).rows[FileId("f")]
    fold = world.run(Chain([version]).text(version, row))
    with pytest.raises(StoreCorrupt, match="'a' is not what it was"):
        checked_text(fold, replace(row, digest="0"))


def test_a_version_whose_base_is_missing_is_refused() -> None:
    world = World()
    world.make({"f": ("a", "x\ny\n")})
    second = world.make({"f": ("a", "x\nz\n")})
    with pytest.raises(StoreCorrupt, match="builds on v1"):
        Chain([second]).line(second)


def test_versions_that_build_on_each_other_are_refused() -> None:
    world = World()
    first = replace(world.make({}), base=world.versions[0].id)
    with pytest.raises(StoreCorrupt, match="builds on"):
        Chain([first]).line(first)

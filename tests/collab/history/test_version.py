"""Versions as records."""

from __future__ import annotations

import msgpack
import pytest

from collab.errors import StoreCorrupt
from collab.history.pack import Entry, Pack
from collab.history.tree import Row, Tree
from collab.history.version import PackRef, Touched, Version, VersionId, is_history, read_versions
from collab.ids import FileId, JobId

VERSION = Version(
    VersionId("v1"),
    3,
    1_000,
    "job_ended",
    "a name",
    "Ann",
    JobId("j1"),
    2,
    1,
    (Touched("a.txt", ("Ann", "Ben")),),
    VersionId("v0"),
    PackRef("p1", 2, 3),
    b"",
    77,
)


def test_a_version_is_stored_and_read_back() -> None:
    assert Version.from_bytes(VERSION.to_bytes()) == VERSION


def test_where_a_pack_is_is_stored_and_read_back() -> None:
    assert PackRef.from_bytes("p1", PackRef("p1", 2, 3).to_bytes()) == PackRef("p1", 2, 3)


def test_a_pack_is_stored_and_read_back() -> None:
    pack = Pack(Entry(b"tree", 1, 5), {FileId(""): Entry(b"x"), FileId("f"): Entry(b"y", 2, 1)})
    assert Pack.from_bytes(pack.to_bytes()) == pack


def test_a_list_of_files_is_stored_and_read_back() -> None:
    tree = Tree({FileId("a\n"): Row(FileId("a\n"), "p\u2028q", 3, "00", 4)})
    assert Tree.from_text(tree.to_text()) == tree


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", msgpack.packb(1), msgpack.packb([2]), msgpack.packb([1, "v"]), VERSION.to_bytes()[:-1]]
)
def test_damaged_versions_are_refused(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        Version.from_bytes(data)


def test_a_version_of_an_unknown_cause_is_refused() -> None:
    row = msgpack.unpackb(VERSION.to_bytes())
    row[4] = "whim"
    with pytest.raises(StoreCorrupt, match="whim"):
        Version.from_bytes(msgpack.packb(row))


@pytest.mark.parametrize("data", [b"", msgpack.packb([1]), msgpack.packb([1, -1]), msgpack.packb("x")])
def test_damaged_places_of_packs_are_refused(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        PackRef.from_bytes("p", data)


@pytest.mark.parametrize(
    "data",
    [b"", msgpack.packb([2, [0, 0, b""], {}]), msgpack.packb([1, [0, 0, "x"], {}]), msgpack.packb([1, [0], {}])],
)
def test_damaged_packs_are_refused(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        Pack.from_bytes(data)


@pytest.mark.parametrize("text", ["nonsense\n", "[1,2]\n", '["f","p",1,"d",true]\n', '[1,"p",1,"d",1]\n'])
def test_damaged_lists_of_files_are_refused(text: str) -> None:
    with pytest.raises(StoreCorrupt):
        Tree.from_text(text)


def test_one_damaged_version_does_not_hide_the_others() -> None:
    versions, problems = read_versions({"v1": VERSION.to_bytes(), "v2": b"broken"})
    assert [one.id for one in versions] == ["v1"]
    assert problems[0].startswith("version v2: ")


def test_all_kinds_of_records_of_history_are_known() -> None:
    assert all(map(is_history, ["version", "version_pack", PackRef("p", 7, 1).kind]))
    assert not is_history("job")

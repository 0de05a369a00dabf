from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.archive import ArchivedFile, read_zip, write_zip
from collab.errors import InvalidArchive, InvalidPath, LimitExceeded
from collab.importing import SYMBOLIC_LINK, LeftOut
from collab.limits import MIB, Limits

LIMITS = Limits(file_bytes=1000, files=10, document_bytes=5000)


def packed(*files: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files:
            archive.writestr(path, data)
    return output.getvalue()


def only(archive: bytes, limits: Limits = LIMITS) -> ArchivedFile | LeftOut:
    [one] = read_zip(archive, limits)
    return one


def left_out(archive: bytes, limits: Limits = LIMITS) -> LeftOut:
    one = only(archive, limits)
    assert isinstance(one, LeftOut)
    return one


def test_what_is_written_is_read_again() -> None:
    files = [("a.txt", "\ufeffa\r\n"), ("src/\u00e9\U0001f9f5.py", ""), ("b", "no line end")]
    read = list(read_zip(write_zip(files), LIMITS))
    assert read == [ArchivedFile(path, text.encode()) for path, text in files]


def test_the_same_files_give_the_same_bytes() -> None:
    assert write_zip([("a", "x")]) == write_zip([("a", "x")])


def test_a_path_that_no_file_may_have_is_not_written() -> None:
    with pytest.raises(InvalidPath):
        write_zip([("../x", "")])


@given(st.binary(max_size=300))
def test_bytes_that_are_no_zip_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidArchive):
        list(read_zip(data, LIMITS))


def test_a_damaged_zip_raises_only_what_is_documented() -> None:
    good = packed(("a.txt", b"hello " * 100), ("b/c.txt", b"other"))
    source = random.Random(1)
    for _ in range(2000):
        damaged = bytearray(good)
        for _ in range(source.randint(1, 6)):
            damaged[source.randrange(len(damaged))] = source.randrange(256)
        try:
            for one in read_zip(bytes(damaged), LIMITS):
                assert isinstance(one, ArchivedFile | LeftOut)
        except (InvalidArchive, LimitExceeded):
            pass


def test_a_truncated_zip_is_refused() -> None:
    with pytest.raises(InvalidArchive):
        list(read_zip(packed(("a.txt", b"hello"))[:-10], LIMITS))


def test_folders_are_skipped() -> None:
    assert [one.path for one in read_zip(packed(("a/", b""), ("a/b", b"")), LIMITS)] == ["a/b"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x", "a/../../x", "./a"])
def test_paths_that_would_escape_are_left_out(path: str) -> None:
    one = left_out(packed((path, b"text")))
    assert one.path == path
    assert "path that no file may have" in one.reason


def test_a_symbolic_link_is_left_out() -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert left_out(packed((entry, b"/etc/passwd"))) == LeftOut("link", SYMBOLIC_LINK)


def test_a_file_that_is_too_large_is_left_out() -> None:
    assert "1,001 bytes" in left_out(packed(("a", b"x" * 1001))).reason


def test_a_file_that_is_larger_than_it_says_is_not_unpacked_beyond_that() -> None:
    archive = bytearray(packed(("a", b"x" * 100_000)))
    real = struct.pack("<I", 100_000)
    assert archive.count(real) == 2
    said = archive.replace(real, struct.pack("<I", 10))
    assert "damaged" in left_out(bytes(said)).reason


def test_more_files_than_a_room_may_have_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="11 files"):
        list(read_zip(packed(*((str(number), b"") for number in range(11))), LIMITS))


def test_more_bytes_than_a_room_may_hold_are_refused() -> None:
    archive = packed(*((str(number), bytes(900)) for number in range(6)))
    with pytest.raises(LimitExceeded, match="more bytes"):
        list(read_zip(archive, LIMITS))


def test_a_large_archive_that_gives_far_more_than_its_size_is_refused() -> None:
    limits = Limits(file_bytes=8 * MIB)
    archive = packed(*((str(number), bytes(6 * MIB)) for number in range(4)))
    assert len(archive) * 200 < 24 * MIB
    with pytest.raises(LimitExceeded, match="an archive of its size"):
        list(read_zip(archive, limits))
    assert len(list(read_zip(archive, limits, ratio=None))) == 4


def test_a_small_archive_may_pack_as_well_as_it_likes() -> None:
    assert isinstance(only(packed(("a", bytes(MIB))), Limits()), ArchivedFile)


def test_an_encrypted_file_is_left_out() -> None:
    archive = bytearray(packed(("a", b"text")))
    local, central = archive.index(b"PK\x03\x04"), archive.index(b"PK\x01\x02")
    archive[local + 6] |= 1
    archive[central + 8] |= 1
    assert "encrypted" in left_out(bytes(archive)).reason


def test_an_unknown_way_of_packing_is_left_out() -> None:
    archive = bytearray(packed(("a", b"text")))
    archive[archive.index(b"PK\x03\x04") + 8] = 99
    archive[archive.index(b"PK\x01\x02") + 10] = 99
    assert "cannot be read" in left_out(bytes(archive)).reason


def test_a_path_that_comes_twice_is_read_twice_and_decided_by_the_selection() -> None:
    archive = packed(("a", b"1"), ("b", b"2")).replace(b"b", b"a")
    assert [one.path for one in read_zip(archive, LIMITS)] == ["a", "a"]


def test_names_in_utf8_without_the_flag_are_read_as_utf8() -> None:
    archive = bytearray(packed(("caf\u00e9.txt", b"text")))
    for mark, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        archive[archive.index(mark) + offset] &= ~0x08
    one = only(bytes(archive))
    assert one.path == "caf\u00e9.txt"


def test_names_with_backslashes_from_windows_are_read_as_folders() -> None:
    entry = zipfile.ZipInfo("src\\app.py")
    entry.create_system = 0
    assert only(packed((entry, b""))).path == "src/app.py"


def test_a_name_with_a_nul_is_left_out_and_not_cut() -> None:
    archive = packed(("a.txt~.png", b"")).replace(b"~", b"\0")
    assert left_out(archive).path == "a.txt\0.png"


def test_what_macos_adds_is_left_out() -> None:
    assert "macOS" in left_out(packed(("__MACOSX/._a", b"\0"))).reason


def test_version_control_is_not_unpacked() -> None:
    assert "version control" in left_out(packed((".git/hooks/post-checkout", b"#!/bin/sh"))).reason


def test_the_limit_of_files_does_not_count_folders() -> None:
    archive = packed(("a/", b""), ("a/b", b""))
    assert len(list(read_zip(archive, replace(LIMITS, files=1)))) == 1

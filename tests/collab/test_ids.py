"""Names of rooms and files, and the ids that we make."""

from __future__ import annotations

from random import Random

import pytest

from collab.errors import InvalidPath, InvalidRoomName
from collab.ids import MAX_PATH_BYTES, MAX_ROOM_BYTES, client_id, file_path, room_id, short_id


@pytest.mark.parametrize("name", ["a", "team/project", "a%2Fb", "x-1._~!$&'()*+,;=:@", "r" * MAX_ROOM_BYTES])
def test_a_room_is_named_by_its_path_as_sent(name: str) -> None:
    assert room_id(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a//b",
        "/a",
        "a/",
        ".",
        "..",
        "a/../b",
        "a/./b",
        "a b",
        "a\0b",
        "é",
        "a#b",
        "a?b",
        "a\\b",
        "a\nb",
        "\ud800",
    ],
)
def test_any_other_room_name_is_refused_with_the_field_named(name: str) -> None:
    with pytest.raises(InvalidRoomName) as caught:
        room_id(name)
    assert caught.value.field == "room"


@pytest.mark.parametrize("length", [MAX_ROOM_BYTES + 1, 5000])
def test_a_room_name_that_is_too_long_is_refused_with_both_lengths(length: int) -> None:
    with pytest.raises(InvalidRoomName, match=f"{length} characters; at most {MAX_ROOM_BYTES}"):
        room_id("r" * length)


@pytest.mark.parametrize(
    "path", ["a.txt", "src/app.py", ".gitignore", "ünï/👋.md", "a b/c'd.txt", "...", "x" * 1024]
)
def test_a_relative_posix_path_is_a_file_path(path: str) -> None:
    assert file_path(path) == path


def test_a_path_is_kept_in_composed_form() -> None:
    assert file_path("e\u0301.txt") == "é.txt"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (None, "must be a string"),
        (7, "must be a string"),
        ("", "empty"),
        ("/etc/passwd", "relative"),
        ("../secret", "relative"),
        ("a/../b", "relative"),
        ("a//b", "relative"),
        ("a/", "relative"),
        ("./a", "relative"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\\b", "backslash"),
        ("a\ud800", "surrogate"),
        ("x" * 5000, "5000 bytes; at most 1024"),
        ("é" * 513, "1026 bytes"),
    ],
)
def test_any_other_path_is_refused_in_words(path: object, words: str) -> None:
    with pytest.raises(InvalidPath, match=words) as caught:
        file_path(path)
    assert caught.value.field == "path"


def test_a_path_that_is_too_long_once_composed_is_refused() -> None:
    # U+0958 has no composed form: NFC makes two characters of it.
    path = "\u0958" * (MAX_PATH_BYTES // 3)
    with pytest.raises(InvalidPath, match="at most"):
        file_path(path)


def test_a_client_id_has_32_bits_and_is_never_zero() -> None:
    class Zero:
        def getrandbits(self, k: int) -> int:
            assert k == 32
            return 0

    assert client_id(Zero()) == 1
    assert 0 < client_id(Random(1)) < 2**32


def test_a_short_id_can_be_read_out_and_typed() -> None:
    made = short_id(Random(1), "j", 40)
    assert made.startswith("j")
    assert len(made) == 41
    assert not set(made[1:]) & set("01lIioO")
    assert made == short_id(Random(1), "j", 40)

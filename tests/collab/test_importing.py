from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.importing import (
    IGNORED,
    SYMBOLIC_LINK,
    TWICE,
    VERSION_CONTROL,
    LeftOut,
    TextFile,
    classify,
    select,
)
from collab.limits import Limits

LIMITS = Limits(file_bytes=1000)


def reason(path: str, data: bytes) -> str:
    decision = classify(path, data, LIMITS)
    assert isinstance(decision, LeftOut)
    assert decision.path == path
    return decision.reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no line end",
        b"windows\r\nlines\r\n",
        b"mixed\r\nlines\nold\rmac",
        b"\xef\xbb\xbfwith a mark\n",
        "emoji \U0001f9f5 e\u0301 \u4e16".encode(),
        b"\x1b[31mcolour\x1b[0m",
        b"form\x0cfeed\tand tab",
    ],
)
def test_text_is_taken_byte_for_byte(data: bytes) -> None:
    decision = classify("a.txt", data, LIMITS)
    assert isinstance(decision, TextFile)
    assert decision.text.encode() == data


@given(st.binary(max_size=200))
def test_whatever_is_taken_encodes_to_the_same_bytes(data: bytes) -> None:
    decision = classify("a", data, LIMITS)
    if isinstance(decision, TextFile):
        assert decision.text.encode() == data
    else:
        assert decision.reason


def test_a_path_is_taken_in_its_normal_form() -> None:
    decision = classify("cafe\u0301.txt", b"", LIMITS)
    assert isinstance(decision, TextFile)
    assert decision.path == "caf\u00e9.txt"


def test_a_file_of_the_largest_size_is_taken_and_one_byte_more_is_not() -> None:
    assert isinstance(classify("a", b"x" * 1000, LIMITS), TextFile)
    assert "1,001 bytes" in reason("a", b"x" * 1001)
    assert "limit_file_bytes" in reason("a", b"x" * 1001)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"abc\x00def", b"\xff\xd8\xff\xe0\x01\x02"])
def test_binary_data_is_left_out(data: bytes) -> None:
    assert reason("a.png", data) == "is a binary file"


def test_text_in_another_encoding_is_left_out_with_the_place() -> None:
    assert "line 2 has the byte 0xE9" in reason("a", "un\ncaf\u00e9\n".encode("latin-1"))


def test_text_in_utf_16_is_left_out_by_its_name() -> None:
    assert "UTF-16" in reason("a", "text".encode("utf-16"))


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a\0b", "a\\b", "x" * 5000, "\ud800"]
)
def test_a_path_that_no_file_may_have_is_left_out(path: str) -> None:
    assert "path that no file may have" in reason(path, b"text")


@pytest.mark.parametrize("path", [".git/config", "sub/.git/HEAD", ".GIT/config", "worktree/.git"])
def test_version_control_is_left_out(path: str) -> None:
    assert reason(path, b"text") == VERSION_CONTROL


def test_files_of_git_that_belong_to_the_project_are_taken() -> None:
    for path in (".gitignore", ".github/workflows/ci.yml", "a.git/x"):
        assert isinstance(classify(path, b"", LIMITS), TextFile)


def test_selecting_honours_the_gitignore_files_of_the_upload() -> None:
    taken, left_out = select(
        [("a.log", b""), ("a.py", b""), ("out/x", b""), ("out/y", b""), (".gitignore", b"*.log\nout/\n")],
        LIMITS,
    )
    assert [one.path for one in taken] == ["a.py", ".gitignore"]
    assert left_out == [LeftOut("a.log", IGNORED), LeftOut("out/", IGNORED)]


def test_selecting_without_gitignore_takes_what_they_name() -> None:
    taken, left_out = select([("a.log", b""), (".gitignore", b"*.log\n")], LIMITS, gitignore=False)
    assert [one.path for one in taken] == ["a.log", ".gitignore"]
    assert left_out == []


def test_an_ignored_binary_file_is_told_as_ignored() -> None:
    _, left_out = select([("out/x", b"\0"), (".gitignore", b"out/\n")], LIMITS)
    assert left_out == [LeftOut("out/", IGNORED)]


def test_of_a_path_that_comes_twice_the_first_one_counts() -> None:
    taken, left_out = select([("caf\u00e9", b"1"), ("cafe\u0301", b"2")], LIMITS)
    assert [one.text for one in taken] == ["1"]
    assert left_out == [LeftOut("caf\u00e9", TWICE)]


def test_an_invalid_path_does_not_disturb_the_others() -> None:
    taken, left_out = select([("../x", b""), ("a", b""), (".gitignore", b"*.log")], dataclasses.replace(LIMITS))
    assert [one.path for one in taken] == ["a", ".gitignore"]
    assert [one.path for one in left_out] == ["../x"]


def test_reasons_read_as_the_end_of_a_sentence() -> None:
    for text in (IGNORED, VERSION_CONTROL, SYMBOLIC_LINK, TWICE):
        assert text[0].islower()
        assert not text.endswith(".")

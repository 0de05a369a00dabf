from __future__ import annotations

import pytest

from generation.search.terms import Terms, parts, stem


@pytest.mark.parametrize(
    "name", ["mergeSession", "MergeSession", "merge_session", "MERGE_SESSION", "_merge_session"]
)
def test_however_an_identifier_is_written_it_has_the_same_parts(name: str) -> None:
    assert parts(name) == ["merge", "session"]


def test_runs_of_capitals_and_numbers_are_parts() -> None:
    assert parts("parseHTTPReply2") == ["parse", "http", "reply", "2"]


def test_a_compound_is_found_as_a_whole_too() -> None:
    assert Terms().of("mergeSession") == ("mergesession", "merg", "session")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("handles", "handling"),
        ("handled", "handle"),
        ("queries", "query"),
        ("stopped", "stop"),
        ("classes", "class"),
    ],
)
def test_endings_do_not_matter(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["status", "class", "this", "is", "bus", "ring", "red"])
def test_what_only_looks_like_an_ending_stays(word: str) -> None:
    assert stem(word) == word


def test_words_that_tell_nothing_are_not_asked_for() -> None:
    assert Terms().question("please fix the parser for me") == {"fix": 1.0, "parser": 1.0}


def test_what_is_too_long_for_a_name_is_not_found() -> None:
    assert Terms().of("x" * 100) == ()

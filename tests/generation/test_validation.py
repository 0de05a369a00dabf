from __future__ import annotations

import pytest

from generation.validation import MOST_CHARS, problem


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "x = 1\n"),
        ("a.json", "{}"),
        ("a.toml", "a = 1\n"),
        ("a.txt", "((("),
        ("py", "("),
        ("a.py", r"'\d'"),
    ],
)
def test_what_is_well_formed_or_not_known_has_no_problem(path: str, text: str) -> None:
    assert problem(path, text) is None


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("a.py", "x = (\n", "line 1"),
        ("a.json", '{"a": }', "line 1"),
        ("a.toml", "a = ", "TOML"),
        ("a.py", "x\0y", "a.py"),
        ("a.py", "(" * 5000, "a.py"),
        ("a.json", "[" * 100_000, "a.json"),
    ],
)
def test_what_is_not_well_formed_is_told_with_its_place(path: str, text: str, words: str) -> None:
    assert words in (problem(path, text) or "")


def test_a_huge_file_is_not_looked_at() -> None:
    assert problem("a.py", "(" * (MOST_CHARS + 1)) is None

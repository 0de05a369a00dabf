from __future__ import annotations

import pytest

from collab.syntax.languages import KINDS, LANGUAGES, language_of
from collab.syntax.parsing import Parsing


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.py", "python"),
        ("b.pyi", "python"),
        ("b.js", "javascript"),
        ("b.JSX", "javascript"),
        ("b.ts", "typescript"),
        ("b.tsx", "tsx"),
        ("b.html", "html"),
        ("b.css", "css"),
        ("package.json", "json"),
        ("b.go", "go"),
        ("b.rs", "rust"),
        ("b.java", "java"),
        ("b.c", "c"),
        ("b.h", "c"),
        ("b.cpp", "cpp"),
        ("b.md", "markdown"),
        ("b.toml", "toml"),
        ("Cargo.lock", "toml"),
        ("b.yml", "yaml"),
    ],
)
def test_a_file_name_tells_the_language(path: str, name: str) -> None:
    found = language_of(path)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("path", ["", "py", "a.py/b", "b.txt", "Makefile", ".gitignore"])
def test_other_files_have_no_known_language(path: str) -> None:
    assert language_of(path) is None


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_each_grammar_loads_and_reads_its_definition_query(language: object) -> None:
    found = next(one for one in LANGUAGES if one is language)
    parsing = Parsing()
    parsed = parsing.parse(found, "\n")
    assert parsed is not None
    if found.definitions:
        assert parsing.captures(parsed, found.definitions) == []


def test_definition_queries_capture_known_kinds_only() -> None:
    words = {word[1:].strip("()") for one in LANGUAGES for word in one.definitions.split() if word.startswith("@")}
    assert words <= KINDS | {"name", "scope"}

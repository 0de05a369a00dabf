from __future__ import annotations

import time

import pytest

from generation.search.facts import MOST_CHARACTERS, Facts, read
from generation.search.terms import Terms


def facts(path: str, text: str) -> Facts:
    steps = read(path, text, Terms())
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Facts = done.value
            return found


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.py", "class App:\n    async def run(self):\n        pass\nLIMIT = 3\n", {"App", "run", "LIMIT"}),
        ("a.ts", "export default function go() {}\nexport const max = 1;\ninterface S {}\n", {"go", "max"}),
        ("a.go", "func (s *Server) Serve(x int) error {\n}\ntype Kind int\n", {"Serve", "Kind"}),
        ("a.rs", "pub(crate) fn start() {}\npub struct Point;\n", {"start", "Point"}),
        ("a.java", "public class Main {\n  public static void main(String[] a) {\n  }\n}\n", {"Main", "main"}),
        ("a.c", "static int\nadd_two( int a )\n{\n  return a;\n}\n#define LIMIT 3\n", {"add_two", "LIMIT"}),
    ],
)
def test_definitions_are_read_in_many_languages(path: str, text: str, names: set[str]) -> None:
    assert names <= facts(path, text).defines


def test_what_only_looks_like_a_definition_is_none() -> None:
    assert facts("a.c", "  if (x) {\n  while (y) {\n  return f(x);\n  x == 3;\n").defines == set()


def test_names_that_are_used_are_known_as_they_are_written() -> None:
    assert facts("a.py", "def f():\n    return SomeThing\n").uses == {"def", "return", "SomeThing"}


def test_of_a_very_long_file_only_the_beginning_is_read() -> None:
    found = facts("a.txt", "word " * (MOST_CHARACTERS // 5) + "later")
    assert "later" not in found.body
    assert "word" in found.body


@pytest.mark.parametrize("piece", ["a", "(", "x(", " ", "a b ", "A::", "def ", "@a ", "x: ", "\t("])
def test_odd_texts_take_no_long_time(piece: str) -> None:
    began = time.process_time()
    facts("a.py", piece * (60_000 // len(piece)))
    assert time.process_time() - began < 1.0

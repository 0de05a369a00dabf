from __future__ import annotations

from collab.syntax.syntax import Syntax
from generation.context.outline import LONGEST, MOST_SYMBOLS, named, outline

PYTHON = '''"""The app."""
import os

LIMIT = 3


class App:
    """Runs it.

    For long.
    """

    def run(
        self,
        port: int = 80,
    ) -> None:
        """Serves."""
        print(port)


def main() -> None:
    App().run()
'''


def test_signatures_and_the_first_line_of_docstrings_are_told_as_they_are_nested() -> None:
    assert outline(Syntax(), "app.py", PYTHON).split("\n") == [
        "LIMIT = 3",
        "class App",
        "    Runs it.",
        "    def run( self, port: int = 80, ) -> None",
        "        Serves.",
        "def main() -> None",
    ]


def test_remarks_above_a_definition_describe_it() -> None:
    text = "// Adds two numbers.\n// Never fails.\nfunc Add(a int, b int) int {\n\treturn a + b\n}\n"
    assert outline(Syntax(), "a.go", text) == "func Add(a int, b int) int\n    Adds two numbers."


def test_no_body_is_told() -> None:
    text = "export function f(a) {\n  const secret = 1;\n  return secret;\n}\n"
    assert "secret" not in outline(Syntax(), "a.js", text)


def test_a_file_without_definitions_is_told_by_how_it_begins() -> None:
    assert outline(Syntax(), "notes.txt", "one\ntwo\n" + "more\n" * 100).startswith("one\ntwo\nmore")
    assert len(outline(Syntax(), "notes.txt", "x" * 10_000)) <= LONGEST


def test_of_very_many_definitions_some_are_told_and_how_many_more() -> None:
    text = "".join(f"def f{number}(): pass\n" for number in range(MOST_SYMBOLS + 5))
    assert outline(Syntax(), "a.py", text).split("\n")[-1] == "and 5 more"


def test_an_inner_definition_is_not_named_beside_the_outer_one() -> None:
    symbols = Syntax().symbols("app.py", PYTHON)
    assert [one.qualified for one in named(symbols, {"App", "run"}.__contains__)] == ["App"]
    assert [one.qualified for one in named(symbols, {"run"}.__contains__)] == ["App.run"]

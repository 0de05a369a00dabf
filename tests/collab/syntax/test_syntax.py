from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collab.syntax.languages import LANGUAGES
from collab.syntax.parsing import MAX_CHARACTERS
from collab.syntax.syntax import Syntax

PIECES = st.sampled_from(
    ["def f(a):", "class A:", "import a", "from a import (b,", ")", "{", "}", "[", "]", '"', "'''", "`", "#",
     "/*", "<a>", "- x", "1. y", "| a |", "a: 1", "[t]", "a = 1", ",", ";", "\n", "\n", "    ", "\t", "\r\n",
     "\ufeff", "\0", "\ud800", "😀", "é", "\u2028", "x" * 50, "// c", "```"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join)
PATHS = st.sampled_from(["a" + language.suffixes[0] for language in LANGUAGES])
SYNTAX = Syntax()


def test_errors_are_counted() -> None:
    assert SYNTAX.errors("a.json", '{"a": 1}') == 0
    found = SYNTAX.errors("a.json", '{"a": }')
    assert found is not None
    assert found > 0


def test_an_unknown_language_has_no_errors_to_count() -> None:
    assert SYNTAX.language("a.txt") is None
    assert SYNTAX.errors("a.txt", "(((") is None
    assert not SYNTAX.breaks("a.txt", ["()"], "(((")


def test_a_text_that_is_too_long_is_one_of_an_unknown_language() -> None:
    assert SYNTAX.errors("a.py", "(" * (MAX_CHARACTERS + 1)) is None


def test_what_parsed_and_does_not_any_more_is_broken() -> None:
    assert SYNTAX.breaks("a.py", ["f(1)\n", "f(2)\n"], "f(1\n")
    assert not SYNTAX.breaks("a.py", ["f(1)\n", "f(2)\n"], "f(3)\n")


def test_nothing_breaks_what_did_not_parse_before() -> None:
    assert not SYNTAX.breaks("a.py", ["f(1\n", "f(2)\n"], "f(1\n")


def test_python_that_its_grammar_forgives_is_broken_all_the_same() -> None:
    good = "def f():\n    return 1\n\n\nx = 2\n"
    assert SYNTAX.breaks("a.py", [good], "def f():\n\n\nx = 2\n")
    assert SYNTAX.breaks("a.py", [good], "def f():\n    return 1\n  \n   x = 2\n")
    assert SYNTAX.breaks("a.py", [good], "f(a=1, b)\n")
    assert not SYNTAX.breaks("a.py", ["f(a=1, b)\n"], "def f():\n\n\nx = 2\n")


def test_an_invalid_escape_in_a_string_is_no_error() -> None:
    assert not SYNTAX.breaks("a.py", ["x = 1\n"], 'x = "\\d"\n')


def test_a_text_that_is_warmed_up_gives_the_same_answers() -> None:
    text = "def f():\n    pass\n" * 5_000
    syntax = Syntax()
    assert sum(1 for _ in syntax.warm("a.py", text)) > 0
    assert syntax.symbols("a.py", text) == SYNTAX.symbols("a.py", text)
    assert list(syntax.warm("a.txt", text)) == []


@settings(max_examples=150, deadline=None)
@given(PATHS, TEXTS, TEXTS, TEXTS)
def test_no_text_raises_and_two_instances_agree(path: str, base: str, ours: str, theirs: str) -> None:
    answers = []
    for syntax in (SYNTAX, Syntax()) if len(base) % 8 == 0 else (SYNTAX,):
        spans = (0, len(base)), (0, len(ours)), (0, len(theirs))
        answers.append(
            (
                syntax.errors(path, base),
                syntax.symbols(path, ours),
                syntax.names_used(path, theirs),
                syntax.changes(path, base, ours),
                syntax.breaks(path, [base, ours], theirs),
                syntax.unite(path, base, ours, theirs, spans),
                syntax.once(path, base, ours, 0, len(base), theirs),
            )
        )
    assert all(answer == answers[0] for answer in answers)

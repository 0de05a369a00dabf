from __future__ import annotations

import pytest

from collab.merge.hunks import HunkId
from generation.checks.checks import Checks
from generation.checks.syntax import MOST_CHARS, check
from tests.generation.checks.projects import SYNTAX, draft, examined, found

GOOD = {
    "a.py": "def f():\n    return 1\n",
    "a.js": "function f() { return 1; }\n",
    "a.ts": "export const f = (x: number): number => x;\n",
    "a.tsx": "export const A = () => <div>{1}</div>;\n",
    "a.json": '{"a": [1, 2]}\n',
    "a.go": "package a\n\nfunc f() int { return 1 }\n",
    "a.rs": "fn f() -> i32 { 1 }\n",
    "A.java": "class A { int f() { return 1; } }\n",
    "a.css": "a { color: red; }\n",
    "a.toml": "[a]\nb = 1\n",
}
BAD = {
    "a.py": "def f(:\n    return 1\n",
    "a.js": "function f() { return 1;\n",
    "a.ts": "export const f = (x: number: number => x;\n",
    "a.tsx": "export const A = () => <div>{1</div>;\n",
    "a.json": '{"a": [1, 2}\n',
    "a.go": "package a\n\nfunc f() int { return 1\n",
    "a.rs": "fn f() -> i32 { 1 \n",
    "A.java": "class A { int f() { return 1; }\n",
    "a.css": "a { color: red; \n} }\n",
    "a.toml": "[a\nb = 1\n",
}


@pytest.mark.parametrize("path", sorted(GOOD))
def test_what_parses_is_no_finding(path: str) -> None:
    assert check(SYNTAX, path, "", GOOD[path]) is None


@pytest.mark.parametrize("path", sorted(BAD))
@pytest.mark.parametrize("new", [True, False])
def test_what_does_not_parse_is_one(path: str, new: bool) -> None:
    finding = check(SYNTAX, path, "" if new else GOOD[path], BAD[path])
    assert finding is not None
    assert finding.kind == "syntax"
    assert str(finding).startswith(path)


def test_the_line_is_told() -> None:
    finding = check(SYNTAX, "a.py", "", "x = 1\ny = (\n")
    assert finding is not None
    assert finding.line == 2


def test_python_that_the_grammar_lets_pass_is_found() -> None:
    finding = check(SYNTAX, "a.py", "", "def f():\nreturn 1\n")
    assert finding is not None


def test_a_file_that_did_not_parse_before_is_not_judged() -> None:
    assert check(SYNTAX, "a.py", BAD["a.py"], BAD["a.py"] + "x = (\n") is None


@pytest.mark.parametrize("path", ["a.html", "a.md", "a.c", "a.h", "a.cpp", "a.yml", "a.unknown"])
def test_new_files_whose_grammar_does_not_tell_are_not_judged(path: str) -> None:
    assert check(SYNTAX, path, "", "{{ ( [ < \n") is None


def test_a_huge_file_is_not_judged() -> None:
    assert check(SYNTAX, "a.py", "", "x = (\n" * MOST_CHARS) is None


def test_the_hunk_that_breaks_a_file_is_told() -> None:
    base = "a = 1\nb = 2\nc = 3\n"
    made = draft({"a.py": base}, {})
    made.note("a.py", HunkId(1), 0, 6, "a = 10\n")
    made.note("a.py", HunkId(2), 6, 12, "b = (\n")
    checks = Checks(SYNTAX)
    [finding] = examined(made)
    assert checks.culprits(made.files["a.py"], "a.py", finding) == [HunkId(2)]


def test_hunks_that_only_break_it_together_are_all_told() -> None:
    made = draft({"a.py": "a = 1\nb = 2\n"}, {})
    made.note("a.py", HunkId(1), 0, 6, "a = (\n")
    made.note("a.py", HunkId(2), 6, 12, "b = (\n")
    finding = check(SYNTAX, "a.py", "a = 1\nb = 2\n", made.files["a.py"].text())
    assert finding is not None
    assert Checks(SYNTAX).culprits(made.files["a.py"], "a.py", finding) == [HunkId(1), HunkId(2)]


def test_a_file_that_is_as_before_is_not_looked_at() -> None:
    assert found({"a.py": BAD["a.py"]}, {"a.py": BAD["a.py"]}) == []

from __future__ import annotations

import pytest

from tests.collab.syntax.regions import united

OURS = "\n\ndef one():\n    return first\n"
THEIRS = "\n\n@mark\ndef two(a):\n    yield second\n"


def test_functions_added_by_both_at_one_place_stand_one_after_the_other() -> None:
    made = united("a.py", "", OURS, THEIRS, before="def zero():\n    return 0\n")
    assert made == OURS + THEIRS


def test_blank_lines_are_right_when_they_come_after_the_definitions() -> None:
    made = united(
        "a.py",
        "",
        "def one():\n    return first\n\n\n",
        "class Two:\n    second = 2\n\n\n",
        before="import a\n\n\n",
        after="def last():\n    return 0\n",
    )
    assert made == "def one():\n    return first\n\n\nclass Two:\n    second = 2\n\n\n"


def test_methods_added_by_both_are_united() -> None:
    made = united(
        "a.py",
        "",
        "\n    def one(self):\n        return first\n",
        "\n    def two(self):\n        return second\n",
        before="class A:\n    def zero(self):\n        return 0\n",
    )
    assert made == "\n    def one(self):\n        return first\n\n    def two(self):\n        return second\n"


def test_the_same_definition_added_by_both_is_kept_once() -> None:
    made = united("a.py", "", OURS + THEIRS, THEIRS, before="x = 1\n")
    assert made == OURS + THEIRS


def test_one_name_with_two_bodies_is_left_to_the_people() -> None:
    assert united("a.py", "", OURS, OURS.replace("first", "other"), before="x = 1\n") is None


def test_definitions_that_say_the_same_under_two_names_are_left_to_the_people() -> None:
    body = "():\n    total = count(items, price, amount)\n    return total, items, price\n"
    assert united("a.py", "", f"\n\ndef one{body}", f"\n\ndef two{body}", before="x = 1\n") is None


def test_a_method_before_one_that_the_other_side_decorated_is_united() -> None:
    made = united(
        "a.py",
        "",
        "    @mark\n",
        "    def new(self):\n        return fresh\n\n",
        before="class A:\n    x = 1\n\n",
        after="    def old(self):\n        return stale\n",
    )
    assert made == "    def new(self):\n        return fresh\n\n    @mark\n"


def test_statements_have_a_fixed_order() -> None:
    assert united("a.py", "", "start()\n", "prepare()\n", before="x = 1\n") is None


def test_different_attributes_set_by_both_at_one_place_are_united() -> None:
    made = united(
        "a.py",
        "",
        "        self.one = one\n",
        "        self.two = two\n",
        before="class A:\n    def __init__(self, one, two):\n        self.zero = 0\n",
    )
    assert made == "        self.one = one\n        self.two = two\n"


def test_statements_that_one_side_took_away_around_new_ones_are_left_to_the_people() -> None:
    assert united("a.py", "stop()\n", "beep()\nstop()\n", "", before="x = 1\n", after="y = 2\n") is None


@pytest.mark.parametrize(
    ("path", "before", "ours", "theirs", "after"),
    [
        ("a.js", "", "function a() { return one }\n\n", "function b() { return two }\n\n", "f()\n"),
        ("a.ts", "interface I {\n  z: string\n", "  a: string\n", "  b: number\n", "}\n"),
        (
            "a.go",
            "package p\n\n",
            "func A() int { return 1 }\n\n",
            "func B() int { return 2 }\n\n",
            "func Z() {}\n",
        ),
        ("a.rs", "impl S {\n", "    fn a(&self) {}\n", "    fn b(&self) {}\n", "    fn z(&self) {}\n}\n"),
        ("a.java", "class A {\n", "  int a() { return 1; }\n", "  int b() { return 2; }\n", "  int z;\n}\n"),
        ("a.java", "enum E {\n  Z,\n", "  A,\n", "  B,\n", "}\n"),
        ("a.c", "int z;\n", "int a(void) { return 1; }\n", "int b(void) { return 2; }\n", "int y;\n"),
        ("a.cpp", "class A {\n  int z;\n", "  int a;\n", "  int b;\n", "};\n"),
        ("a.rs", "enum E {\n    Z,\n", "    A,\n", "    B,\n", "}\n"),
    ],
)
def test_members_added_by_both_are_united(path: str, before: str, ours: str, theirs: str, after: str) -> None:
    assert united(path, "", ours, theirs, before=before, after=after) == ours + theirs


def test_nothing_is_united_in_a_language_that_is_not_known() -> None:
    assert united("a.txt", "", "one\n", "two\n") is None


def test_nothing_is_united_that_does_not_parse_afterwards() -> None:
    assert united(
        "a.py", "", "    def one(self): pass\n", "def two(): pass\n", before="class A:\n    x = 1\n"
    ) != ("def two(): pass\n    def one(self): pass\n")

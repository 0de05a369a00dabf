from __future__ import annotations

import pytest

from generation.locate import NoPlace
from generation.near import Near, fitted, near

BASE = """class Shop:
    def total(self, items):
        # All of them.
        return sum(item.price for item in items)

    def count(self, items):
        return len(items)


def other(items):
    return list(items)
"""


def place(search: str, base: str = BASE) -> str:
    found = near(base, search)
    assert isinstance(found, Near), found
    return base[found.start : found.end]


def none(search: str, base: str = BASE) -> str:
    found = near(base, search)
    assert isinstance(found, NoPlace), found
    return found.reason


def test_indentation_may_differ() -> None:
    assert place("def count(self, items):\n    return len(items)\n") == (
        "    def count(self, items):\n        return len(items)\n"
    )


def test_spaces_inside_of_lines_may_differ() -> None:
    assert place("    def total(self,  items):\n") == "    def total(self, items):\n"


def test_blank_lines_may_differ() -> None:
    assert place("        return len(items)\n\n\n\n\ndef other(items):\n").startswith(
        "        return len(items)\n\n\ndef"
    )


def test_blank_lines_around_are_part_of_the_place_where_they_are_wanted() -> None:
    assert place("\n  def count(self, items):\n") == "\n    def count(self, items):\n"
    assert place("  def count(self, items):\n") == "    def count(self, items):\n"


def test_quotes_and_dashes_may_be_of_another_kind() -> None:
    assert place("say('it\u2019s \u2014 so')\n", "say('it's - so')\n") == "say('it's - so')\n"


def test_a_line_that_the_model_remembered_wrongly_is_found() -> None:
    search = BASE.partition("\n\n")[0].partition("\n")[2].replace("All of", "The sum of all of")
    assert "# All of them." in place(search)


def test_a_line_that_the_model_forgot_is_found() -> None:
    search = BASE[: BASE.index("def other")].replace("        # All of them.\n", "")
    assert "# All of them." in place(search)


@pytest.mark.parametrize(
    "search",
    [
        "    def average(self, items):\n        return len(items)\n",
        "    def count(self, users):\n        return len(users)\n",
        "something else\n",
        "        return\n",
        "x\n" * 500,
        "\n\n",
    ],
)
def test_what_is_not_there_has_no_place(search: str) -> None:
    assert "not in the file" in none(search)


def test_two_places_apart_from_white_space_are_none() -> None:
    assert "2 times" in none("x = 1\n", "  x = 1\n    x = 1\n")


def test_two_similar_places_are_none() -> None:
    one = "def a():\n    first = load(1)\n    second = load(2)\n    return first, {}\n"
    base = one.format("second") + "\n\n" + one.format("last").replace("def a", "def a")
    assert "similar" in none(
        "def a():\n    first = load(1)\n    second = load(2)\n    return first, seconds\n", base
    )


def test_the_last_line_may_have_no_newline() -> None:
    found = near("a\n  b = 1", "b = 1\n")
    assert isinstance(found, Near)
    assert (found.start, found.end, found.ended) == (2, 9, False)


def test_line_ends_are_told() -> None:
    found = near("a\r\n  b = 1\r\n", "b = 1\n")
    assert isinstance(found, Near)
    assert found.newline == "\r\n"


# Fitting


def test_the_replacement_is_indented_as_the_place() -> None:
    assert fitted("    a = 1\n    b = 2\n", "a = 1\nb = 2\n", "a = 1\nif a:\n    b = 3\n") == (
        "    a = 1\n    if a:\n        b = 3\n"
    )


def test_indentation_that_is_too_deep_is_taken_away() -> None:
    assert fitted("a = 1\n", "    a = 1\n", "    if x:\n        a = 1\n") == "if x:\n    a = 1\n"


def test_tabs_are_kept() -> None:
    region, search = "\tif x {\n\t\ty()\n\t}\n", "    if x {\n        y()\n    }\n"
    assert fitted(region, search, "    if x {\n        for {\n            y()\n        }\n    }\n") == (
        "\tif x {\n\t\tfor {\n\t\t\ty()\n\t\t}\n\t}\n"
    )


def test_other_units_are_brought_to_that_of_the_file() -> None:
    region, search = "def f():\n    if x:\n        y()\n", "def f():\n  if x:\n    y()\n"
    assert fitted(region, search, "def f():\n  if x:\n    if z:\n      y()\n") == (
        "def f():\n    if x:\n        if z:\n            y()\n"
    )


def test_what_the_model_remembered_wrongly_is_kept_as_it_is() -> None:
    region = "def f(a, b):\n    # Why.\n    x = a\n\n    return x\n"
    search = "def f(a, b):\n    # Because.\n    x = a\n\n    return x\n"
    replacement = "def f(a, b):\n    # Because.\n    x = a\n\n    return x + b\n"
    assert fitted(region, search, replacement) == region.replace("return x", "return x + b")


def test_what_was_remembered_wrongly_and_is_changed_is_not_certain() -> None:
    region = "limit = read('limit', 10)\n"
    assert fitted(region, "limit = read('bound', 20)\n", "limit = read('bound', 30)\n") is None


def test_indentation_that_fits_in_no_one_way_is_not_certain() -> None:
    assert fitted("    a\n  b\n", "a\nb\n", "a\nc\nb\n") is None

from __future__ import annotations

import pytest

from generation.indents import Style, mapped, restyled, style_of


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("a\n    b\n        c\n    d\n", Style(False, 4)),
        ("a\n  b\n    c\n", Style(False, 2)),
        ("a\n\tb\n\t\tc\n", Style(True, 1)),
        ("a\nb\n", None),
        ("a\n\tb\n    c\n", None),
        ("/**\n * x\n * y\n */\n", None),
    ],
)
def test_the_style_of_a_file(text: str, style: Style | None) -> None:
    assert style_of(text) == style


def test_lines_are_shifted_as_those_that_are_known() -> None:
    change = mapped([("a", "    a"), ("  b", "      b")])
    assert change is not None
    assert [change(line) for line in ("x\n", "    y\n", "\n")] == ["    x\n", "        y\n", "\n"]


def test_the_same_indentation_cannot_become_two() -> None:
    assert mapped([("a", " a"), ("b", "  b")]) is None


def test_nothing_known_changes_nothing() -> None:
    change = mapped([])
    assert change is not None
    assert change("  x") == "  x"


def test_deeper_lines_keep_what_is_more() -> None:
    change = mapped([("a", "\ta"), ("  b", "\tb")])
    assert change is not None
    assert change("   c") == "\t c"


def test_levels_get_another_unit() -> None:
    assert restyled("     ", 2, Style(True, 1)) == "\t\t "
    assert restyled("\t\t", 0, Style(False, 4)) == " " * 8

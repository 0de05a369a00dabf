from __future__ import annotations

import random

import pytest

from generation.postprocess import Formatter

TABS = "func f() {\n\tif x {\n\t\ty()\n\t}\n}\n"
FOUR = "def f():\n    a = 1\n    if a:\n        b = 2\n    return b\n"
TWO = "function f() {\n  const a = 1;\n  if (a) {\n    b();\n  }\n}\n"


def formatted(path: str, base: str, text: str, **more: bool | str) -> str:
    whole = _run(Formatter(path, base, **more), [text])  # type: ignore[arg-type]
    rng = random.Random(text)
    for _ in range(3):
        pieces = []
        at = 0
        while at < len(text):
            size = rng.randint(1, 9)
            pieces.append(text[at : at + size])
            at += size
        assert _run(Formatter(path, base, **more), pieces) == whole  # type: ignore[arg-type]
    assert _run(Formatter(path, base, **more), list(text)) == whole  # type: ignore[arg-type]
    return whole


def _run(formatter: Formatter, pieces: list[str]) -> str:
    return "".join(map(formatter.feed, pieces)) + formatter.end()


def test_spaces_become_tabs_where_the_file_has_tabs() -> None:
    assert formatted("a.go", TABS, "    if y {\n        z()\n    }\n") == "\tif y {\n\t\tz()\n\t}\n"


def test_tabs_become_spaces_where_the_file_has_spaces() -> None:
    assert formatted("a.py", FOUR, "\tif y:\n\t\tz()\n") == "    if y:\n        z()\n"
    assert formatted("a.js", TWO, "\tz();\n") == "  z();\n"


def test_a_whole_file_keeps_the_unit_of_its_indentation() -> None:
    new = FOUR.replace("    ", "  ").replace("return b", "return b + 1")
    assert formatted("a.py", FOUR, new, whole=True) == FOUR.replace("return b", "return b + 1")
    wide = TWO.replace("  ", "    ").replace("b();", "b(1);")
    assert formatted("a.js", TWO, wide, whole=True) == TWO.replace("b();", "b(1);")


def test_a_whole_file_in_its_own_unit_stays_as_it_comes() -> None:
    new = FOUR.replace("    return b", "    for b in c:\n        return b")
    assert formatted("a.py", FOUR, new, whole=True) == new


def test_lines_that_moved_to_another_level_are_not_taken_for_another_unit() -> None:
    new = (
        "def f():\n    if x:\n        a = 1\n        if a:\n            b = 2\n        return b\n    return None\n"
    )
    assert formatted("a.py", FOUR, new, whole=True) == new


@pytest.mark.parametrize("path", ["a.md", "a.txt", "Makefile", "a.yml"])
def test_other_files_stay_as_they_come(path: str) -> None:
    assert formatted(path, TABS, "    x\n") == "    x\n"


def test_line_ends_and_the_last_newline_are_those_of_the_file() -> None:
    assert formatted("a.py", "", "a\nb\n", newline="\r\n", ended=False) == "a\r\nb"


def test_a_byte_order_mark_stays_once() -> None:
    base = "\ufeffa = 1\n"
    assert formatted("a.py", base, "a = 2\n", first=True) == "\ufeffa = 2\n"
    assert formatted("a.py", base, "\ufeffa = 2\n", first=True) == "\ufeffa = 2\n"
    assert formatted("a.py", base, "b = 2\n") == "b = 2\n"
    assert formatted("a.py", "", "\ufeffb = 2\n") == "b = 2\n"

from __future__ import annotations

import pytest

from generation.naming import line_path, nearest, resolved

KNOWN = ("src/app.py", "src/util/text.py", "tests/text.py", "README.md")


@pytest.mark.parametrize(
    "path",
    ["src/app.py", "./src/app.py", "/src/app.py", "a/src/app.py", "b/src/app.py", "src\\app.py", ".\\src\\app.py",
     "`src/app.py`", '"src/app.py"'],
)  # fmt: skip
def test_ways_to_write_a_path_that_is_there(path: str) -> None:
    assert resolved(path, KNOWN) == "src/app.py"


@pytest.mark.parametrize("path", ["/etc/passwd", "a/new.py", "a\\b.py"])
def test_what_is_not_there_stays_as_it_is(path: str) -> None:
    assert resolved(path, KNOWN) == path


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("app.py", "src/app.py"),
        ("shop/src/app.py", "src/app.py"),
        ("SRC/App.py", "src/app.py"),
        ("readme.md", "README.md"),
        ("util/text.py", "src/util/text.py"),
        ("text.py", None),
        ("new.py", None),
    ],
)
def test_the_one_path_that_can_be_meant(path: str, near: str | None) -> None:
    assert nearest(path, KNOWN) == near


@pytest.mark.parametrize(
    "line", ['<file path="src/app.py">', "Filename: src/app.py", "New file: `src/app.py`", "Update: src/app.py"]
)
def test_more_ways_to_name_a_file_on_a_line(line: str) -> None:
    assert line_path(line) == "src/app.py"


def test_a_sentence_names_no_file() -> None:
    assert line_path("Update the file src/app.py as follows:") is None

from __future__ import annotations

from collab.ids import FilePath
from generation.kept import FEW_CHARS, Kept
from generation.parse import Parser

A, B = FilePath("a.py"), FilePath("b.md")


def test_blocks_are_written_as_they_would_be_read() -> None:
    kept = Kept()
    kept.add(A, "old\n", "new\n")
    kept.add(A, "gone\n", "")
    kept.add(B, None, "# B\n\n````\nfenced\n````\n")
    kept.move(FilePath("c.py"), None)
    kept.move(FilePath("d.py"), FilePath("e.py"))
    parser = Parser(["a.py"])
    events = [type(event).__name__ for event in (*parser.feed(kept.text()), *parser.finish())]
    closed = [name for name in events if name in {"HunkClosed", "FileClosed", "FileDeleted", "FileRenamed"}]
    assert closed == ["HunkClosed", "HunkClosed", "FileClosed", "FileDeleted", "FileRenamed"]
    assert "ParseProblem" not in events


def test_what_a_block_has_put_into_a_place_is_known() -> None:
    kept = Kept()
    kept.add(A, "old\n", "new\n")
    assert kept.get(A, "old\n") == "new\n"
    assert kept.get(A, "other\n") is None
    assert kept.get(A, None) is None


def test_moving_a_file_twice_is_once() -> None:
    kept = Kept()
    assert kept.move(A, B)
    assert not kept.move(A, B)
    assert len(kept) == 1


def test_too_much_is_told_by_its_files_only() -> None:
    kept = Kept()
    kept.add(A, None, "x" * FEW_CHARS)
    assert kept.text() == ""
    assert kept.paths() == ["a.py"]
    assert kept.last == "a.py"

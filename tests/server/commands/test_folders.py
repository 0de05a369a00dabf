from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from collab.archive import ArchivedFile
from collab.importing import IGNORED, SYMBOLIC_LINK, LeftOut
from collab.limits import Limits
from server.commands.folders import BATCH_FILES, Scan, batches, scan, write

LIMITS = Limits(file_bytes=1000)


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def found_paths(found: Scan) -> list[str]:
    return [file.path for file in found.files]


def sent_paths(found: Scan) -> list[str]:
    return [
        name for batch in batches(found, LIMITS) for name in zipfile.ZipFile(io.BytesIO(batch.archive)).namelist()
    ]


def test_files_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    fill(tmp_path, {"b.txt": b"", "a/z.txt": b"", "a/b/c.txt": b""})
    assert found_paths(scan(tmp_path, LIMITS)) == ["a/b/c.txt", "a/z.txt", "b.txt"]


def test_nested_gitignore_files_are_honoured(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            ".gitignore": b"*.log\nout/\n",
            "a.log": b"",
            "out/x": b"",
            "out/deep/y": b"",
            "kept/.gitignore": b"!*.log\n",
            "kept/b.log": b"",
        },
    )
    found = scan(tmp_path, LIMITS)
    assert found_paths(found) == [".gitignore", "kept/.gitignore", "kept/b.log"]
    assert found.left_out == [LeftOut("a.log", IGNORED), LeftOut("out/", IGNORED)]


def test_the_rules_of_the_repository_above_count(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {".git/HEAD": b"", ".gitignore": b"/web/dist/\n*.log\n", "web/dist/x": b"", "web/a.log": b""},
    )
    fill(tmp_path, {"web/a.js": b"", "dist/kept": b""})
    found = scan(tmp_path / "web", LIMITS)
    assert found_paths(found) == ["a.js"]
    assert found.left_out == [LeftOut("a.log", IGNORED), LeftOut("dist/", IGNORED)]


def test_a_folder_asked_for_by_name_is_taken_although_it_is_ignored(tmp_path: Path) -> None:
    fill(tmp_path, {".git/HEAD": b"", ".gitignore": b"out/\n", "out/x": b""})
    assert found_paths(scan(tmp_path / "out", LIMITS)) == ["x"]


def test_version_control_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, {".git/config": b"", "sub/.git": b"gitdir: x", "sub/a": b""})
    found = scan(tmp_path, LIMITS)
    assert (found_paths(found), found.left_out) == (["sub/a"], [])


def test_symbolic_links_are_left_out_and_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, {"project/a": b"", "secret": b"x", "folder/b": b""})
    (tmp_path / "project" / "file").symlink_to(tmp_path / "secret")
    (tmp_path / "project" / "folder").symlink_to(tmp_path / "folder")
    (tmp_path / "project" / "loop").symlink_to(tmp_path / "project")
    found = scan(tmp_path / "project", LIMITS)
    assert found_paths(found) == ["a"]
    assert found.left_out == [LeftOut(name, SYMBOLIC_LINK) for name in ("file", "folder", "loop")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_ordinary_file_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert scan(tmp_path, LIMITS).left_out == [LeftOut("pipe", "is no ordinary file")]


def test_a_large_file_is_left_out_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    [one] = scan(tmp_path, LIMITS).left_out
    assert one.path == "large"
    assert "52,428,800 bytes" in one.reason


def test_a_name_that_is_no_unicode_is_left_out(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    [one] = scan(tmp_path, LIMITS).left_out
    assert "unpaired surrogate" in one.reason


def test_binary_files_are_left_out_when_they_are_read(tmp_path: Path) -> None:
    fill(tmp_path, {"a.png": b"\x89PNG\0", "b.txt": b"text"})
    [batch] = batches(scan(tmp_path, LIMITS), LIMITS)
    assert batch.left_out == [LeftOut("a.png", "is a binary file")]
    assert (batch.files, batch.seen) == (1, 2)


def test_a_file_that_is_gone_meanwhile_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, {"a": b"", "b": b""})
    found = scan(tmp_path, LIMITS)
    (tmp_path / "a").unlink()
    [batch] = batches(found, LIMITS)
    assert [one.path for one in batch.left_out] == ["a"]
    assert batch.files == 1


def test_batches_are_bounded_and_hold_every_file_once(tmp_path: Path) -> None:
    names = [f"{number:04}" for number in range(2 * BATCH_FILES + 1)]
    fill(tmp_path, dict.fromkeys(names, b"x"))
    found = scan(tmp_path, LIMITS)
    assert [batch.files for batch in batches(found, LIMITS)] == [BATCH_FILES, BATCH_FILES, 1]
    assert sent_paths(found) == names


def test_a_folder_of_only_binary_files_still_reports_each(tmp_path: Path) -> None:
    fill(tmp_path, {f"{number}": b"\0" for number in range(5)})
    assert sum(len(batch.left_out) for batch in batches(scan(tmp_path, LIMITS), LIMITS)) == 5


def written(folder: Path, *files: ArchivedFile) -> list[LeftOut | None]:
    return list(write(folder, files))


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    assert written(tmp_path, ArchivedFile("a/b/c.txt", b"\xef\xbb\xbfx\r\n")) == [None]
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"\xef\xbb\xbfx\r\n"


def test_nothing_is_written_through_a_link_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "link").symlink_to(tmp_path / "outside")
    [one] = written(tmp_path / "target", ArchivedFile("link/x", b"bad"))
    assert one is not None
    assert "symbolic link" in one.reason
    assert list((tmp_path / "outside").iterdir()) == []


def test_nothing_is_written_through_a_link_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("good")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "x").symlink_to(tmp_path / "outside")
    [one] = written(tmp_path / "target", ArchivedFile("x", b"bad"))
    assert one is not None
    assert (tmp_path / "outside").read_text() == "good"


def test_a_file_where_a_folder_is_needed_is_told(tmp_path: Path) -> None:
    first, second = written(tmp_path, ArchivedFile("a", b"1"), ArchivedFile("a/b", b"2"))
    assert first is None
    assert second is not None
    assert "needs a folder" in second.reason


def test_a_folder_where_a_file_is_needed_is_told(tmp_path: Path) -> None:
    _, second = written(tmp_path, ArchivedFile("a/b", b"1"), ArchivedFile("a", b"2"))
    assert second is not None
    assert "is a folder" in second.reason

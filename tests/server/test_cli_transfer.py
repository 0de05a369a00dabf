"""Whole projects through ``pairloom import`` and ``export``: the embedded store and a running server."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import program
from tests.server.test_cli import Run, failed, run

__all__ = ["run"]

PROJECT: dict[str, bytes] = {
    "README.md": b"# Title\n",
    "src/app.py": "print('h\u00e9llo \U0001f9f5')\n".encode(),
    "windows.txt": b"one\r\ntwo\r\n",
    "mixed.txt": b"one\r\ntwo\nthree\rfour",
    "mark.txt": b"\xef\xbb\xbfwith a mark\n",
    "empty": b"",
    "no-line-end": b"x",
    "e\u0301/combining.txt".replace("e\u0301", "\u00e9"): "e\u0301\u200d".encode(),
    ".gitignore": b"*.log\nnode_modules/\n",
    "a b/c+d&e%20f#.txt": b"odd name\n",
}
LEFT_OUT: dict[str, bytes] = {
    "build.log": b"",
    "node_modules/x/index.js": b"",
    "logo.png": b"\x89PNG\r\n\x1a\n\0\0",
    "latin.txt": "caf\u00e9".encode("latin-1"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for path, data in {**PROJECT, **LEFT_OUT}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "link").symlink_to("README.md")
    (folder / "large.txt").write_bytes(b"x" * (3 * 1024 * 1024))
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A running server with its own data; its address."""
    (tmp_path / "work").mkdir(exist_ok=True)
    process = program.start(
        ["serve", "--port", "0", "--data-dir", str(tmp_path / "served")],
        folder=tmp_path / "work",
        environment={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        piped=True,
    )
    found = re.search(r"http://127\.0\.0\.1:\d+", process.next_line())
    assert found is not None
    try:
        yield found[0]
    finally:
        process.terminate()
        process.waited(20)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_project_comes_out_as_it_went_in(run: Run, project: Path, tmp_path: Path) -> None:
    imported = run("import", str(project), "--room", "demo")
    assert imported.returncode == 0, imported.stderr
    assert f"Imported {len(PROJECT)} files into room demo: {len(PROJECT)} created" in imported.stdout
    exported = run("export", "--room", "demo", str(tmp_path / "out"))
    assert exported.returncode == 0, exported.stderr
    assert contents(tmp_path / "out") == PROJECT


@pytest.mark.integration
def test_a_project_comes_out_of_a_running_server_as_it_went_in(
    run: Run, project: Path, tmp_path: Path, server: str
) -> None:
    imported = run("import", str(project), "--room", "demo", "--server", server)
    assert imported.returncode == 0, imported.stderr
    exported = run("export", "--room", "demo", "--server", server, str(tmp_path / "out"))
    assert exported.returncode == 0, exported.stderr
    assert contents(tmp_path / "out") == PROJECT
    assert "demo" in run("rooms", "--server", server).stdout


def test_each_file_that_is_left_out_gets_a_line_with_the_reason(run: Run, project: Path) -> None:
    lines = run("import", str(project)).stdout.splitlines()
    told = dict(line.removeprefix("left out  ").split("  ", 1) for line in lines if line.startswith("left out"))
    assert told.keys() == {"build.log", "node_modules/", "logo.png", "latin.txt", "link", "large.txt"}
    assert told["logo.png"] == "is a binary file"
    assert "0xE9" in told["latin.txt"]
    assert "symbolic link" in told["link"]
    assert "3,145,728 bytes" in told["large.txt"]
    assert lines[-2].endswith("; 6 left out.")
    assert "can be undone in the room as the change c" in lines[-1]


def test_importing_again_changes_only_what_is_different(run: Run, project: Path) -> None:
    run("import", str(project))
    (project / "README.md").write_text("# Another title\n")
    again = run("import", str(project)).stdout
    assert f"0 created, 1 updated, {len(PROJECT) - 1} unchanged" in again


def test_two_folders_are_merged_and_the_room_is_asked_about_what_collides(run: Run, tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(9))
    kim, lee = tmp_path / "kim", tmp_path / "lee"
    for folder in (kim, lee):
        folder.mkdir()
        (folder / "a.txt").write_text(text)
    run("import", str(kim))
    (lee / "a.txt").write_text(text.replace("line 1", "Lee's 1").replace("line 8", "Lee's 8"))
    assert "1 updated" in run("import", str(lee)).stdout
    (kim / "a.txt").write_text(text.replace("line 5", "Kim's 5").replace("line 8", "Kim's 8"))
    lines = run("import", str(kim)).stdout.splitlines()
    assert lines[0] == "merged    a.txt  with what was changed in the room"
    assert re.fullmatch(r"asked     a.txt  s\w+  Somebody changed these lines meanwhile.", lines[1])
    assert "asked about 1 place" in lines[3]
    run("export", str(tmp_path / "out"))
    merged = text.replace("line 1", "Lee's 1").replace("line 8", "Lee's 8").replace("line 5", "Kim's 5")
    assert (tmp_path / "out" / "a.txt").read_text() == merged
    # The folder goes on from what it had; with --overwrite it asks nobody.
    assert "1 unchanged" in run("import", str(kim)).stdout
    assert "1 updated" in run("import", str(kim), "--overwrite").stdout


def test_a_room_is_exported_as_one_zip_file(run: Run, project: Path, tmp_path: Path) -> None:
    run("import", str(project))
    result = run("export", "--zip", str(tmp_path / "out.zip"))
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == PROJECT


def test_forced_export_overwrites_files_of_the_same_name_only(run: Run, project: Path, tmp_path: Path) -> None:
    run("import", str(project))
    out = tmp_path / "out"
    out.mkdir()
    (out / "README.md").write_text("old")
    (out / "mine").write_text("mine")
    assert run("export", "--force", str(out)).returncode == 0
    assert contents(out) == {**PROJECT, "mine": b"mine"}


def test_a_file_that_cannot_be_written_fails_the_export_and_is_named(
    run: Run, project: Path, tmp_path: Path
) -> None:
    run("import", str(project))
    out = tmp_path / "out"
    out.mkdir()
    (out / "src").write_text("a file where a folder is needed")
    result = run("export", "--force", str(out))
    assert "could not be written" in failed(result, 1)
    assert "left out  src/app.py  needs a folder" in result.stdout


def test_thousands_of_files_come_in_and_out(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "large"
    for number in range(3000):
        path = folder / f"{number % 50}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n")
    result = run("import", str(folder), "--room", "large")
    assert "3,000 created" in result.stdout, result.stderr
    assert run("export", "--room", "large", str(tmp_path / "out")).returncode == 0
    assert contents(tmp_path / "out") == contents(folder)


def test_a_room_whose_name_must_be_encoded_is_the_same_room_each_time(
    run: Run, project: Path, tmp_path: Path
) -> None:
    run("import", str(project), "--room", "my room/\u00fc")
    assert run("export", "--room", "my%20room/%C3%BC", str(tmp_path / "out")).returncode == 0
    assert contents(tmp_path / "out") == PROJECT


@pytest.mark.integration
def test_a_store_that_a_server_has_open_is_told(run: Run, project: Path, tmp_path: Path, server: str) -> None:
    message = failed(run("import", str(project), "--data-dir", str(tmp_path / "served")), 1)
    assert "pairloom.db" in message

"""The command line, run as its own process where exit codes and streams matter."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import program

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = [
    "serve",
    "import",
    "export",
    "generate",
    "rooms",
    "history",
    "models",
    "jobs",
    "doctor",
    "migrate",
    "settings",
    "version",
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``pairloom`` in an empty folder with an empty environment and its own data."""

    def go(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "work").mkdir(exist_ok=True)
        # Port 9 (discard) is one on which nothing of this machine's answers as Pairloom.
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PAIRLOOM_PORT": "9",
            "PAIRLOOM_DATA_DIR": str(tmp_path / "data"),
            "COLUMNS": "200",
            **variables,
        }
        return program.run(
            arguments,
            folder=tmp_path / "work",
            environment={name: value for name, value in environment.items() if value},
        )

    return go


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def failed(result: subprocess.CompletedProcess[str], code: int) -> str:
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def test_help_lists_the_commands(run: Run) -> None:
    shown = run("--help").stdout
    for name in COMMANDS:
        assert name in shown
    # The supervisor's own.
    assert "worker " not in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0
    assert "Usage: " in result.stdout


def test_the_version_is_printed(run: Run) -> None:
    assert run("version").stdout == run("--version").stdout == "pairloom 0.1.0\n"


def test_an_unknown_option_is_wrong_use(run: Run) -> None:
    assert "--prot" in failed(run("serve", "--prot", "1"), 2)


def test_an_unknown_setting_is_told_without_a_traceback(run: Run) -> None:
    assert "did you mean PAIRLOOM_PORT?" in failed(run("serve", PAIRLOOM_PROT="1"), 2)


def test_an_address_that_others_reach_is_refused(run: Run) -> None:
    assert "SSH tunnel" in failed(run("serve", "--host", "0.0.0.0"), 2)


def test_settings_are_listed_with_their_source_and_secrets_masked(run: Run) -> None:
    result = run("settings", "--json", PAIRLOOM_API_KEY="hunter2")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert rows["port"] == {"name": "port", "value": "9", "source": "PAIRLOOM_PORT"}
    assert rows["host"]["source"] == "default"
    assert "hunter2" not in result.stdout + run("settings", PAIRLOOM_API_KEY="hunter2").stdout


def test_settings_are_listed_with_what_they_are_for(run: Run) -> None:
    assert "Room that the bare address opens." in run("settings").stdout


def test_a_port_in_use_is_told_with_what_to_do(run: Run, taken_port: int) -> None:
    message = failed(run("serve", "--port", str(taken_port)), 1)
    assert f"Cannot listen on 127.0.0.1 port {taken_port}: another program uses it" in message
    assert "--port" in message


def test_a_corrupt_database_is_told_and_left_as_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    database = tmp_path / "data" / "pairloom.db"
    database.write_bytes(b"this is no database" * 1000)
    before = database.read_bytes()
    message = failed(run("serve", "--port", "0"), 1)
    assert "pairloom.db" in message
    assert database.read_bytes() == before


def test_importing_something_that_is_no_folder_is_wrong_use(run: Run) -> None:
    assert "is no folder" in failed(run("import", "missing"), 2)


def test_an_invalid_room_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert "'..'" in failed(run("import", ".", "--room", "../x"), 1)


def test_a_server_that_does_not_answer_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    message = failed(run("import", ".", "--server", "http://127.0.0.1:9"), 1)
    assert "No Pairloom server answers at http://127.0.0.1:9" in message


def test_something_that_is_no_address_is_wrong_use(run: Run) -> None:
    assert "write it like http://" in failed(run("rooms", "--server", "localhost:8000"), 2)


def test_export_does_not_write_into_a_folder_that_holds_something(run: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    assert "is not empty" in failed(run("export", str(tmp_path / "full")), 1)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]


def test_export_does_not_overwrite_a_zip_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("x")
    assert "is there already" in failed(run("export", "--zip", str(tmp_path / "a.zip")), 1)


def test_a_room_that_is_not_there_cannot_be_exported(run: Run, tmp_path: Path) -> None:
    assert "There is no room 'nowhere'" in failed(run("export", "--room", "nowhere", str(tmp_path / "out")), 1)
    assert not (tmp_path / "out").exists()


def test_there_are_no_versions_at_first(run: Run) -> None:
    assert "There is no version of main yet" in run("history").stdout


def test_there_are_no_rooms_at_first(run: Run) -> None:
    assert "There is no room yet" in run("rooms").stdout

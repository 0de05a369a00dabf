"""README's first command, in a fresh clone, on a machine with Python, git and make but without Node.

Everything is downloaded anew, so this runs where CI is set, and elsewhere only when asked for:
``CI=true make test ARGS=tests/integration/test_fresh_clone.py``.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
NOT_THERE = re.compile(r"node|nodejs|npm|npx|corepack|yarn|pnpm|redis-.*|docker.*|chrom.*|uv|uvx|pairloom")
"""Programs that the machine of this test does not have."""
PASSED_ON = re.compile(r"(PIP|UV|NPM_CONFIG|SSL|REQUESTS|NODE_EXTRA|HTTPS?|NO|ALL)_.*|LANG|LC_.*", re.IGNORECASE)
"""Variables that tell how downloads work here; everything else is left out."""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """Environment variables of a machine with an empty home folder and a small PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        # The environment that runs the tests is none of a fresh machine's programs.
        if not Path(folder).is_dir() or (Path(folder).parent / "pyvenv.cfg").exists():
            continue
        for program in Path(folder).iterdir():
            place = programs / program.name
            if not NOT_THERE.fullmatch(program.name) and not place.is_symlink():
                place.symlink_to(program)
    home = tmp_path / "home"
    home.mkdir()
    passed_on = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    return {**passed_on, "PATH": str(programs), "HOME": str(home)}


@pytest.fixture
def clone(tmp_path: Path, machine: dict[str, str]) -> Path:
    folder = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", "--no-local", str(ROOT), str(folder)],
        env={
            **machine,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        },
        check=True,
    )
    return folder


@pytest.fixture
def started(clone: Path, machine: dict[str, str]) -> Iterator[str]:
    """What README's first command prints once the server runs: the address of the room."""
    log = clone.parent / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            ["make", "run", "ARGS=--port 0 --no-open"],
            cwd=clone,
            env=machine,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if found := re.search(r"http://127\.0\.0\.1:\d+/\S*", line):
                    yield found[0]
                    break
            else:
                pytest.fail(f"make run ended with {process.wait()}: {''.join(lines)}\n{log.read_text()}")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(timeout=30)


@pytest.mark.e2e
@pytest.mark.integration
@pytest.mark.timeout(600)
@pytest.mark.skipif("CI" not in os.environ, reason="downloads everything anew; set CI=true to run it")
def test_the_first_command_installs_builds_and_serves_the_client(
    started: str, clone: Path, machine: dict[str, str]
) -> None:
    page = httpx.get(httpx.URL(started).join("/"), follow_redirects=True, trust_env=False)
    assert page.status_code == 200
    assert str(page.url) == started
    scripts = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
    assert scripts
    for script in scripts:
        asset = httpx.get(httpx.URL(started).join(script), trust_env=False)
        assert asset.status_code == 200
        assert asset.content
    assert shutil.which("node", path=machine["PATH"]) is None
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, env=machine, capture_output=True, text=True, check=True
    )
    assert changed.stdout == "", "what is installed and built must be ignored by git"
    again = subprocess.run(["make", "install"], cwd=clone, env=machine, capture_output=True, text=True, check=True)
    assert again.stdout.strip() in {"", "make: Nothing to be done for 'install'."}

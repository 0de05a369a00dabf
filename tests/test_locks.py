"""The lock files hold exact versions that fit pyproject.toml, and nothing about where they come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {
    "requirements.lock": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["build"],
    ],
    "requirements-dev.lock": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["build"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ],
}


def locked(name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.lstrip().startswith(("#", "--hash=")):
            requirement = Requirement(line.removesuffix("\\"))
            [only] = requirement.specifier
            assert only.operator == "==", line
            found[canonicalize_name(requirement.name)] = only.version
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_each_dependency_is_locked_to_a_version_that_it_allows(name: str) -> None:
    versions = locked(name)
    for line in LOCKS[name]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), line


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_no_place(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("pairloom (pyproject.toml)", "")
    text = re.sub(r"^ +--hash=sha256:[0-9a-f]{64}( \\)?$", "", text, flags=re.MULTILINE)
    assert not re.search(r"://|^\s*-|\s@\s|/", text, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_each_dependency_is_locked_to_what_its_files_hold(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for requirement in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert re.search(r"^ +--hash=sha256:[0-9a-f]{64}( \\)?$", requirement, re.MULTILINE), requirement


def test_the_locks_agree() -> None:
    small, large = locked("requirements.lock"), locked("requirements-dev.lock")
    assert small.items() <= large.items()


@pytest.mark.parametrize("line", [line for lines in LOCKS.values() for line in lines])
def test_each_dependency_has_a_lower_and_an_upper_bound(line: str) -> None:
    operators = {specifier.operator for specifier in Requirement(line).specifier}
    assert operators in ({">=", "<"}, {"=="}), line


def test_what_builds_the_package_is_what_is_locked_for_building() -> None:
    building = set(PROJECT["project"]["optional-dependencies"]["build"])
    assert set(PROJECT["build-system"]["requires"]) <= building


def test_the_browser_client_is_locked_without_addresses() -> None:
    text = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved": "http' not in text
    assert '"integrity"' in text

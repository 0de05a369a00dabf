"""What all tests share: a clean environment, and the real programs that some of them drive."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from hatch_build import ClientBuildError, Node, find_node
from tests import program

# Other work shares the machine: how long one example takes says nothing.
settings.register_profile("pairloom", deadline=None)
settings.load_profile("pairloom")


@pytest.fixture(scope="session", autouse=True)
def nothing_from_outside() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("PAIRLOOM_", "OPENAI_")):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def parents() -> Iterator[None]:
    """The processes of which tests fork servers and commands end with the tests."""
    yield
    program.end_parents()


@pytest.fixture(scope="session")
def node() -> Node:
    """A real Node with npm."""
    try:
        return find_node()
    except ClientBuildError as error:
        return missing(str(error))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A real Chromium or Chrome."""
    return real_program("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def redis_server() -> Path:
    """The program of a real Redis; tests start their own on a free port."""
    return real_program("redis-server")


def real_program(*names: str) -> Path:
    """The first of these programs that is installed; without any, the test is skipped, or with CI set fails."""
    for name in names:
        if place := shutil.which(name):
            return Path(place)
    return missing(f"needs {' or '.join(names)}; install it to run this test")


def missing(what: str) -> NoReturn:
    """Ends the test: in CI, where everything must be there, as failed, elsewhere as skipped."""
    if "CI" in os.environ:
        pytest.fail(what)
    pytest.skip(what)

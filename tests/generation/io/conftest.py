"""The room of tests that play the engine on a document in memory."""

from __future__ import annotations

import pytest

from tests.generation.fakes import FakeRoom
from tests.generation.io.playing import APP


@pytest.fixture
def room() -> FakeRoom:
    made = FakeRoom({})
    made.add("app.py", APP)
    return made

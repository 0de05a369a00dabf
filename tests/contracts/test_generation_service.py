"""Both engines offer all that ``generation.service`` promises; that its types fit is checked by mypy here."""

from __future__ import annotations

import inspect

import pytest

from generation.io.service import GenerationEngine
from generation.io.shared import SharedGeneration
from generation.service import GenerationService

ENGINES: list[type[GenerationService]] = [GenerationEngine, SharedGeneration]
PROMISED = sorted(name for name in vars(GenerationService) if not name.startswith("_"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", PROMISED)
def test_an_engine_keeps_the_promise(engine: type[GenerationService], name: str) -> None:
    promised, made = inspect.getattr_static(GenerationService, name), inspect.getattr_static(engine, name)
    if isinstance(promised, property):
        assert isinstance(made, property)
        return
    expected, found = (inspect.signature(function).parameters for function in (promised, made))
    assert list(found)[: len(expected)] == list(expected)
    assert all(more.default is not more.empty for more in list(found.values())[len(expected) :])

from __future__ import annotations

import pytest

from collab.errors import InvalidInput
from generation.catalog import Catalog, ModelSpec, Provider

KEY = "sk-very-secret-key"
PROVIDER = Provider("p", "http://h/v1", KEY)
A, B = ModelSpec("a", PROVIDER, "id-a", 50_000), ModelSpec("b", PROVIDER, "id-b")


def test_models_keep_their_order() -> None:
    catalog = Catalog([B, A])
    assert [model.name for model in catalog] == ["b", "a"]
    assert catalog.default is B


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match="there are: a, b"):
        Catalog([A, B]).get("c")


def test_without_models_it_is_said_how_to_have_one() -> None:
    with pytest.raises(InvalidInput, match="No endpoint is configured"):
        Catalog().get("c")


def test_an_open_ended_catalog_asks_any_model_of_its_endpoint() -> None:
    found = Catalog([A], open_ended=True).get("c")
    assert (found.name, found.id, found.provider, found.context_tokens) == ("c", "c", PROVIDER, 50_000)
    with pytest.raises(InvalidInput):
        Catalog([A], open_ended=True).get("c\n")


def test_an_answer_has_room_beside_the_prompt() -> None:
    assert ModelSpec("a", PROVIDER, "a", 100_000, 16_000).prompt_tokens == 84_000
    assert ModelSpec("a", PROVIDER, "a", 8_000, 16_000).prompt_tokens == 4_000


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(A)


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Catalog([A, A])

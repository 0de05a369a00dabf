"""Finding files, and what a model was sent, asked over HTTP."""

from __future__ import annotations

import pytest

from generation.book import SENT
from server.messages.search import SearchResult, SentResult
from tests.server.routes_fakes import FakeState, error_of
from tests.server.test_dispatch_search import kept

ROOM = "/api/rooms/main"


@pytest.fixture
def state() -> FakeState:
    made = FakeState()
    made.hub.host().put("cart.py", "class Cart:\n    pass\n")
    made.hub.host().put("stock.py", "def count_stock():\n    return 3\n")
    return made


async def test_files_are_found(state: FakeState) -> None:
    async with state.client() as client:
        response = await client.get(f"{ROOM}/search", params={"q": "Cart", "most": "1"})
    answer = SearchResult.model_validate(response.json())
    assert [hit.path for hit in answer.hits] == ["cart.py"]
    assert (answer.question, answer.files) == ("Cart", 2)


@pytest.mark.parametrize(
    ("params", "field"),
    [({}, "q"), ({"q": " "}, "q"), ({"q": "x" * 2000}, "q"), ({"q": "x", "most": "0"}, "most"),
     ({"q": "x", "most": "many"}, "most"), ({"q": "x", "most": "51"}, "most")],
)  # fmt: skip
async def test_a_question_that_is_none_is_refused(state: FakeState, params: dict[str, str], field: str) -> None:
    async with state.client() as client:
        response = await client.get(f"{ROOM}/search", params=params)
    status, code, message, named = error_of(response)
    assert (status, code, named) == (400, "invalid_input", field)
    assert message


async def test_what_a_model_was_sent_is_told(state: FakeState) -> None:
    state.hub.host().stored[SENT] = {"j1": kept("j1")}
    async with state.client() as client:
        answer = SentResult.model_validate((await client.get(f"{ROOM}/jobs/j1/sent")).json())
        missing = await client.get(f"{ROOM}/jobs/j2/sent")
    assert answer.asks[0].messages[-1].content == "Go."
    assert error_of(missing)[:2] == (404, "not_found")

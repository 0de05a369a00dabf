"""Finding files, and what a model was sent, asked over the native dialect."""

from __future__ import annotations

import pytest

from generation.book import SENT
from generation.context.pieces import Context
from generation.ports import Message
from generation.sent import Sent as Kept
from generation.sent import sent_ask
from server.messages.events import Error
from server.messages.requests import AnyRequest
from server.messages.search import Search, SearchResult, Sent, SentResult
from server.shortcommands import parse
from tests.server.native_fakes import Asking


def asking() -> Asking:
    made = Asking()
    made.host.create("cart.py", "class Cart:\n    def add(self):\n        pass\n")
    made.host.create("stock.py", "def count_stock():\n    return 3\n")
    return made


def kept(job: str) -> bytes:
    ask = sent_ask(
        Context(),
        [Message("system", "Be brief."), Message("user", "Go.")],
        model="m",
        at_ms=7,
        strategy="full",
        strategy_why="The room has no files yet.",
        tokens=5,
    )
    return Kept(job).then(ask).to_bytes()


async def test_files_are_found_with_the_lines_that_answer() -> None:
    answer = await asking().ask(Search(id=3, question="count the stock"))
    assert isinstance(answer, SearchResult)
    assert (answer.id, answer.files, answer.indexed, answer.semantic) == (3, 2, 2, False)
    assert [hit.path for hit in answer.hits] == ["stock.py"]
    assert answer.hits[0].lines[0].text == "def count_stock():"
    assert 0 < answer.hits[0].score <= 1
    assert answer.hits[0].why


async def test_what_a_model_was_sent_is_told() -> None:
    made = asking()
    made.host.stored[SENT] = {"j1": kept("j1")}
    answer = await made.ask(Sent(job="j1"))
    assert isinstance(answer, SentResult)
    [ask] = answer.asks
    assert [message.content for message in ask.messages] == ["Be brief.", "Go."]
    assert (ask.model, ask.strategy_why) == ("m", "The room has no files yet.")


@pytest.mark.parametrize("request_", [Sent(job="j9"), Search(question="  ")])
async def test_what_cannot_be_answered_is_an_error(request_: AnyRequest) -> None:
    answer = await asking().ask(request_)
    assert isinstance(answer, Error)
    assert answer.field in {"job", "q"}


def test_the_short_commands_ask_the_same() -> None:
    assert parse("search where is the cart") == Search(question="where is the cart")
    assert parse("sent j1") == Sent(job="j1")

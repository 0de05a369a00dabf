"""Who wrote what, asked over the native dialect."""

from __future__ import annotations

from collab.ids import ConnectionId, PersonId
from collab.origin import PersonOrigin
from server.messages.blame import Blame, BlameResult
from server.messages.events import Error
from server.messages.requests import Ping
from server.shortcommands import parse
from tests.server.native_fakes import AT_MS, Asking


async def test_a_file_is_blamed() -> None:
    asking = Asking()
    asking.host.create("a.txt")
    file = asking.host.document.file("a.txt").id
    origin = PersonOrigin(PersonId("Ann"), ConnectionId("c1"))
    asking.host.change(lambda editor: editor.splice(file, 0, 0, "hello\n"), origin)
    answer = await asking.ask(Blame(id=3, file="a.txt"))
    assert isinstance(answer, BlameResult)
    assert (answer.id, [author.name for author in answer.authors]) == (3, ["Ann"])
    (found,) = answer.ranges
    assert (found.offset, found.length, found.at_ms) == (0, 6, AT_MS)


async def test_a_file_that_is_not_there_is_an_error() -> None:
    answer = await Asking().ask(Blame(file="b.txt"))
    assert isinstance(answer, Error)
    assert (answer.code, answer.field) == ("not_found", "file")


def test_the_short_command_asks_the_same() -> None:
    assert parse("blame src/a b.py") == Blame(file="src/a b.py")
    assert parse('blame "src/a b.py"') == Blame(file="src/a b.py")


def test_a_command_that_no_line_of_the_help_tells_of_can_be_asked() -> None:
    assert parse("ping") == Ping()

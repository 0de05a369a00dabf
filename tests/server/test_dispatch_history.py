"""Requests about a room's history."""

from __future__ import annotations

from random import Random

from collab.limits import Limits
from server.dispatch import Dispatch
from server.messages import events, history
from server.shortcommands import parse
from tests.server.history_fakes import VERSION
from tests.server.native_fakes import Asking


async def test_the_versions() -> None:
    reply = await Asking().ask(history.History(id=7))
    assert reply == history.VersionList(id=7, versions=[VERSION])


async def test_a_name() -> None:
    asking = Asking()
    reply = await asking.ask(history.SaveVersion(id=7, name="demo"))
    assert reply == history.VersionSaved(id=7, version=VERSION)
    assert asking.history.asked == [("save", "demo", "demo", "Ann")]


async def test_what_differs() -> None:
    asking = Asking()
    reply = await asking.ask(history.Compare(id=7, base="demo", file="a.txt"))
    assert reply == history.Comparison(id=7, base="demo", to=None, files=[])
    assert asking.history.reading.asked == [("demo", "demo", None, "a.txt")]


async def test_a_restore() -> None:
    asking = Asking()
    reply = await asking.ask(history.Restore(id=7, version="demo", file="a.txt"))
    assert reply == history.Restored(id=7, version="v234567", change="c234567", paths=["a.txt"])
    assert asking.history.asked == [("restore", "demo", "demo", "a.txt", "Ann")]


async def test_activity() -> None:
    asking = Asking()
    reply = await asking.ask(history.Activity(id=7, since_ms=3))
    assert (reply.type, reply.since_ms, reply.id) == ("activity_report", 3, 7)
    assert asking.history.reports.asked == [("demo", 3, "Ann")]


async def test_a_version_that_is_not_there_is_an_error() -> None:
    reply = await Asking().ask(history.Restore(id=7, version="v9"))
    assert isinstance(reply, events.Error)
    assert (reply.code, reply.field) == ("not_found", "version")


async def test_without_history_requests_are_refused() -> None:
    asking = Asking()
    dispatch = Dispatch(asking.generation, Limits(), Random(1), "1")
    reply = await dispatch.handle(asking.host, asking.caller, history.History(id=7))
    assert isinstance(reply, events.Error)
    assert reply.message == "This server keeps no history."


def test_short_lines() -> None:
    assert parse("history") == history.History()
    assert parse("save before the demo") == history.SaveVersion(name="before the demo")
    assert parse("compare v2") == history.Compare(base="v2")
    assert parse("compare v2 v3") == history.Compare(base="v2", to="v3")
    assert parse("restore v2") == history.Restore(version="v2")
    assert parse('restore "my version" src/a b.py') == history.Restore(version="my version", file="src/a b.py")
    assert parse("activity") == history.Activity()

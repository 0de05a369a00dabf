"""The people of a room: y-websocket clients that type by themselves, all in one Node process."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from random import Random
from typing import Any, Final

from tests.integration.chaos.waiting import until
from tests.integration.node_clients import NodeClient

PATH: Final = "tokens.txt"


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: a token that was put in, or taken out, and whether its author was told that it is saved."""

    adds: bool
    token: str
    saved: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """One loss of a connection; times in seconds. ``code``: what the connection was closed with. ``again``: the
    node that was tried next restarted too, which is told in the next gap. ``blocked``: for how long nodes were
    tried until one had taken all edits, without the client's own pauses.
    """

    code: int
    lost: float
    tried: float | None
    synced: float | None
    again: bool
    blocked: float


@dataclass(frozen=True, slots=True)
class State:
    """What one client has at the moment. ``digest`` is of the text, None while it has none."""

    name: str
    room: str
    synced: bool
    address: str
    digest: str | None
    edits: int
    saved: int
    people: tuple[str, ...]


class People:
    """Opens clients and asks them. ``addresses`` are the nodes that a client goes round."""

    def __init__(self, process: NodeClient, addresses: Sequence[str]) -> None:
        self._process = process
        self._addresses = list(addresses)
        self._numbers = itertools.count(1)
        self.names: list[str] = []

    async def open(self, room: str, at: int, random: Random, *, obey: bool = False) -> str:
        """A new client of the room, at first with the node of that index; its name.

        ``obey``: it stays away after a goodbye for as long as that says, as the browser's client does.
        """
        name = f"c{next(self._numbers)}"
        await self._process.do(
            "open",
            name=name,
            room=room,
            path=PATH,
            urls=self._addresses,
            at=at,
            seed=random.getrandbits(31),
            obey=obey,
        )
        self.names.append(name)
        return name

    async def type(self, every_ms: float, names: Sequence[str] | None = None) -> None:
        """Has them type, or with 0 stop."""
        await self._process.do("typing", names=list(self.names if names is None else names), every=every_ms)

    async def states(self) -> list[State]:
        """All clients."""
        return [_state(row) for row in await self._process.do("state")]

    async def text(self, name: str) -> str:
        """The text that a client has; empty when it has none."""
        return str(await self._process.do("text", name=name) or "")

    async def edits(self, name: str) -> list[Edit]:
        """All edits of a client."""
        return [_edit(row) for row in await self._process.do("edits", name=name)]

    async def gaps(self, name: str) -> list[Gap]:
        """The losses of a client's connection."""
        return [_gap(row) for row in await self._process.do("gaps", name=name)]

    async def vanish(self, name: str) -> list[Edit]:
        """A client goes, and all that it has with it; what it had been told by then."""
        self.names.remove(name)
        return [_edit(row) for row in (await self._process.do("end", name=name))["edits"]]

    async def until_synced(self, seconds: float) -> None:
        """Waits until every client is synced and has the text."""

        async def synced() -> bool:
            return all(state.synced and state.digest for state in await self.states())

        await until(synced, seconds)


def digest(text: str) -> str:
    """What ``State.digest`` is of a text."""
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def _state(row: dict[str, Any]) -> State:
    return State(
        row["name"],
        row["room"],
        row["synced"],
        row["url"],
        row["hash"],
        row["edits"],
        row["saved"],
        tuple(row["people"]),
    )


def _edit(row: list[Any]) -> Edit:
    kind, token, saved = row
    return Edit(kind == "+", token, saved)


def _gap(row: dict[str, Any]) -> Gap:
    tried, synced = row.get("tried"), row.get("synced")
    return Gap(
        row["code"],
        row["lost"] / 1000,
        None if tried is None else tried / 1000,
        None if synced is None else synced / 1000,
        bool(row.get("again")),
        row["blocked"] / 1000,
    )

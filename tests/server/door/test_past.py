from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from collab.errors import StoreUnavailable, TryLater
from collab.ids import FileId, NodeId, RoomId
from server.door.past import Past
from server.door.texts import Known, Texts, version_of

ROOM = RoomId("r")
A, B, C = NodeId("a"), NodeId("b"), NodeId("c")


class Bus:
    """Three nodes that hold the room."""

    def __init__(self) -> None:
        self.answers: dict[NodeId, Callable[[NodeId, bytes], Awaitable[bytes]]] = {}
        self.asked: list[NodeId] = []
        self.down = False

    def node(self, name: NodeId) -> Past:
        return Past(Texts(100_000), None, _Peers(self, name))


class _Peers:
    def __init__(self, bus: Bus, name: NodeId) -> None:
        self.bus = bus
        self.name = name

    async def holders(self, room: RoomId) -> Sequence[NodeId]:
        if self.bus.down:
            raise StoreUnavailable("It is down.")
        return [node for node in self.bus.answers if node != self.name]

    async def ask_about(self, topic: str, node: NodeId, payload: bytes, timeout: float) -> bytes:
        self.bus.asked.append(node)
        if node == B:
            raise TryLater("It did not answer.")
        return await self.bus.answers[node](self.name, payload)

    def answer_about(self, topic: str, answer: Callable[[NodeId, bytes], Awaitable[bytes]]) -> None:
        self.bus.answers[self.name] = answer


async def test_what_this_node_remembers_is_asked_of_nobody_else() -> None:
    bus = Bus()
    here, _ = bus.node(A), bus.node(C)
    version = await here.texts.remember(ROOM, "text")
    assert await here.find(ROOM, "a.txt", [version]) == Known("text")
    assert bus.asked == []


async def test_another_node_tells_a_text_that_it_handed_out() -> None:
    bus = Bus()
    here, _, there = bus.node(A), bus.node(B), bus.node(C)
    version = await there.texts.remember(ROOM, "text 𝄞", FileId("f"))
    assert await here.find(ROOM, "a.txt", ["0", version]) == Known("text 𝄞", FileId("f"))
    assert await here.find(RoomId("other"), "a.txt", [version]) is None


async def test_what_nobody_knows_is_not_found() -> None:
    bus = Bus()
    here, _, _ = bus.node(A), bus.node(B), bus.node(C)
    assert await here.find(ROOM, "a.txt", [version_of("x")]) is None
    bus.down = True
    assert await here.find(ROOM, "a.txt", [version_of("x")]) is None

"""The lease of this process among the nodes that share a store, and which others are alive."""

from __future__ import annotations

import logging
from typing import Final

import msgpack

from collab.ids import NodeId
from collab.ports import Clock
from collab.shared import SharedStore

LEASE_SECONDS: Final = 6.0
RENEW_SECONDS: Final = 1.5
MARGIN_SECONDS: Final = 1.0
"""A node does nothing in the name of its lease in the last second of it."""

logger = logging.getLogger(__name__)


class Lease:
    """A node is dead once its lease has ended, and dead for ever: it comes back under another id."""

    def __init__(self, writer: str, name: str, clock: Clock) -> None:
        self._writer = writer
        self._about = bytes(msgpack.packb({"name": name}))
        self._clock = clock
        self._count = 0
        self._until = float("-inf")
        self.node = NodeId(f"{writer}.0")
        self.live: dict[NodeId, bytes] = {}
        """All live nodes as of ``looked``, with what each says of itself."""
        self.looked = float("-inf")
        self.lapsed = False
        """Whether it was not good for a moment before it was renewed: what was done in its name has stopped."""

    @property
    def good(self) -> bool:
        """Whether this node may act in the name of its lease at this instant."""
        return self._clock.monotonic() < self._until

    async def begin(self, store: SharedStore) -> None:
        """Takes the first lease of this id. Raises StoreError."""
        started = self._clock.monotonic()
        self._take(await store.enroll(self.node, self._about, LEASE_SECONDS), started)

    async def renew(self, store: SharedStore) -> bool:
        """Renews it; False when it was lost. Raises StoreError."""
        node, started = self.node, self._clock.monotonic()
        live = await store.renew(node, self._about, LEASE_SECONDS)
        if node != self.node or (live is not None and started < self.looked):
            # Overtaken by a newer answer, which it must not take back.
            self.lapsed = False
            return True
        if live is None:
            self._until = float("-inf")
            return False
        self._take(live, started)
        return True

    def rename(self) -> None:
        """The lease was lost: another id, which has none yet."""
        self._count += 1
        self.node = NodeId(f"{self._writer}.{self._count}")
        self._until = float("-inf")

    def name_of(self, node: NodeId) -> str:
        """What lists and logs call a node."""
        try:
            return str(msgpack.unpackb(self.live[node])["name"])[:80]
        except (ValueError, TypeError, KeyError, msgpack.UnpackException):
            return str(node)

    def _take(self, live: dict[NodeId, bytes], started: float) -> None:
        self.lapsed = not self.good
        # From when it was asked for: the store counts from later, so it ends here first.
        self._until = started + LEASE_SECONDS - MARGIN_SECONDS
        self.live = live
        self.looked = started

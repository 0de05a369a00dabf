"""The twins in memory of the shared store and its bus, for tests and simulations of several nodes."""

from __future__ import annotations

from collab.shared_memory_bus import MemoryBus
from collab.shared_memory_store import SharedMemoryStore
from collab.shared_memory_world import Network, PerfectNetwork, World

__all__ = ["MemoryBus", "Network", "PerfectNetwork", "SharedMemory", "SharedMemoryStore"]


class SharedMemory(World):
    """All that is shared, and each process's way to it."""

    def store(self, writer: str) -> SharedMemoryStore:
        """A process's store. ``writer`` is its name in logs; no other process has it."""
        return SharedMemoryStore(self, writer)

    def bus(self, writer: str) -> MemoryBus:
        """A process's bus."""
        return MemoryBus(self, writer)

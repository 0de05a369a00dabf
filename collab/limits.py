"""The bounds of everything that a client can make grow. Settings fill them; the defaults are sane."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one process. Sizes in bytes, times in seconds."""

    frame_bytes: int = 16 * MIB
    """One WebSocket message."""
    document_bytes: int = 64 * MIB
    """The encoded state of one room."""
    file_bytes: int = 2 * MIB
    """One file at import, upload or whole-file write."""
    files: int = 20_000
    """Files in one room."""
    pending_bytes: int = 4 * MIB
    """Updates of one room that wait for a missing one."""
    backlog_bytes: int = 4 * MIB
    """Updates of one room that wait to be stored, above which they are put together."""
    presence_bytes: int = 16 * KIB
    """One client's awareness state."""
    presence_clients: int = 2_000
    """Awareness states in one room."""
    presence_timeout: float = 30.0
    """A state that nobody renewed for so long is dropped, as Yjs clients do."""
    outbox_bytes: int = 1 * MIB
    """Bytes that wait for one reader before its updates are dropped and caught up later."""
    connections: int = 10_000
    """Connections of the process."""
    room_connections: int = 2_000
    """Connections of one room."""
    open_rooms: int = 2_000
    """Rooms in memory; idle ones are evicted first."""
    idle_room_seconds: float = 60.0
    """A room without connections and jobs is unloaded after so long; one that loads quickly sooner."""
    prompt_chars: int = 32_000
    """One prompt."""
    jobs_per_room: int = 20
    """Jobs of one room that are queued or running."""
    operation_history: int = 2_000
    """Text operations per file that a native client may lag behind."""

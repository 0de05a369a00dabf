"""``pairloom rooms`` and ``pairloom settings``: what there is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from server.commands.api import reach
from server.commands.printing import say
from server.settings import Settings
from server.settings_loading import LoadedSettings


async def rooms(settings: Settings, server: str | None, *, as_json: bool) -> None:
    """Prints the rooms: who is in them and where, their size, and how old the last change and checkpoint are."""
    async with reach(settings, server) as api:
        found = await api.rooms()
    if as_json:
        say(json.dumps([room.model_dump() for room in found], indent=2))
        return
    if not found:
        say("There is no room yet; open an address under /r/ in a browser, or import a folder.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("room", "connected", "node", "stored", "edits since", "last checkpoint", "last change"):
        table.add_column(heading, justify="right" if heading in {"connected", "stored", "edits since"} else "left")
    now = datetime.now(UTC)
    for room in found:
        table.add_row(
            room.room,
            str(room.connections),
            ", ".join(room.nodes) or "-",
            decimal(room.stored_bytes),
            f"{room.log_entries:,}",
            age(room.checkpoint_ms, now),
            moment(room.last_change_ms),
        )
    Console().print(table)


def settings(loaded: LoadedSettings, *, as_json: bool) -> None:
    """Prints each setting with its value, where that came from, and what it is for. Secrets are masked."""
    rows = loaded.rows()
    if as_json:
        say(json.dumps([{"name": row.name, "value": row.value, "source": row.source} for row in rows], indent=2))
        return
    for row in rows:
        say(f"{row.name} = {row.value}    ({row.source})")
        say(f"    {row.description} Variable: {row.variable}.")


def age(at_ms: int, now: datetime) -> str:
    """How long ago something was, roughly."""
    if not at_ms:
        return "none"
    seconds = max(0.0, now.timestamp() - at_ms / 1000)
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {name} old"
    return f"{int(seconds)} seconds old"


def moment(at_ms: int | None) -> str:
    """When something was, in local time."""
    if not at_ms:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")

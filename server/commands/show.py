"""``pairloom rooms`` and ``pairloom settings``: what there is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from server.commands.api import reach
from server.commands.printing import say
from server.settings import LoadedSettings, Settings


async def rooms(settings: Settings, server: str | None, *, as_json: bool) -> None:
    """Prints the rooms with their size and last change."""
    async with reach(settings, server) as api:
        found = await api.rooms()
    if as_json:
        say(json.dumps([room.model_dump() for room in found], indent=2))
        return
    if not found:
        say("There is no room yet; open an address under /r/ in a browser, or import a folder.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("room", "connected", "stored", "last change"):
        table.add_column(heading, justify="right" if heading in {"connected", "stored"} else "left")
    for room in found:
        table.add_row(room.room, str(room.connections), decimal(room.stored_bytes), _moment(room.last_change_ms))
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


def _moment(at_ms: int | None) -> str:
    if not at_ms:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")

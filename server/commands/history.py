"""``pairloom history``: the versions that are kept of a room."""

from __future__ import annotations

import json

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from collab.ids import RoomId
from server.commands.api import VersionAnswer, reach
from server.commands.printing import say
from server.commands.show import moment
from server.settings import Settings


async def versions(settings: Settings, room: RoomId, server: str | None, *, as_json: bool) -> None:
    """Prints the versions, newest first: when, why, by whom, what changed and what it takes in the store."""
    async with reach(settings, server) as api:
        found = await api.versions(room)
    if as_json:
        say(json.dumps([version.model_dump() for version in found], indent=2))
        return
    if not found:
        say(f"There is no version of {room} yet; one is made when people have worked in it, or a job has run.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("version", "when", "why", "changed", "files", "stored"):
        table.add_column(heading, justify="right" if heading in {"changed", "files", "stored"} else "left")
    for version in found:
        table.add_row(
            version.version,
            moment(version.at_ms),
            _why(version),
            f"{version.changed:,}",
            f"{version.files:,}",
            decimal(version.stored_bytes),
        )
    Console().print(table)


def _why(version: VersionAnswer) -> str:
    if version.name:
        return f"{version.name} ({version.by})"
    words = {
        "job_started": f"before job {version.job}",
        "job_ended": f"after job {version.job}",
        "import": f"import by {version.by}",
        "restore": f"restore by {version.by}",
    }
    return words.get(version.cause, version.cause)

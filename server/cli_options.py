"""The options that several commands have, and what they stand for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from collab.ids import RoomId
from server.logs import configure_logs
from server.settings_loading import LoadedSettings, load

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file. Default: PAIRLOOM_CONFIG or ./pairloom.toml."),
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Folder that holds what is stored.")
]
Room = Annotated[
    str | None,
    typer.Option("--room", "-r", metavar="ROOM", help="The room. Default: the setting room, main."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="Address of a running server. Default: that of the settings; if none runs there, the embedded "
        "store is opened directly.",
    ),
]


def quiet(config: Path | None, data_dir: Path | None) -> LoadedSettings:
    """The settings for a command that may open the store in this process; its log holds warnings only."""
    loaded = load(config, {"data_dir": data_dir})
    configure_logs("warning", loaded.settings.log_format, loaded.settings.secrets())
    return loaded


def room_meant(room: str | None, loaded: LoadedSettings) -> RoomId:
    """The room that an option names, or the one of the settings. Raises InvalidRoomName."""
    from server.commands.api import named_room

    return named_room(room if room is not None else loaded.settings.room)


def run_command(command: Coroutine[object, object, None]) -> None:
    """Runs a command that waits for something."""
    asyncio.run(command)

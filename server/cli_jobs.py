"""The commands of ``pairloom jobs``."""

from __future__ import annotations

import getpass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from server.cli_options import AsJson, Config, DataDir, Room, Server, quiet, room_meant, run_command

Job = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="In whose name. Default: the name of your login.")
]


class PriorityName(StrEnum):
    """The priorities of jobs."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


def build() -> typer.Typer:
    """The group of commands as a Typer application."""
    app = typer.Typer(
        help="The AI jobs of a room: list them, see how one failed, pause, steer, reorder, retry.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("list")(_list)
    app.command("show")(_show)
    app.command("cancel")(_cancel)
    app.command("pause")(_pause)
    app.command("resume")(_resume)
    app.command("steer")(_steer)
    app.command("move")(_move)
    app.command("priority")(_priority)
    app.command("retry")(_retry)
    return app


def _list(
    as_json: AsJson = False,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List the jobs of a room: those that run, then those that wait in their order, then the others."""
    from server.commands import jobs

    loaded = quiet(config, data_dir)
    run_command(jobs.listed(loaded.settings, room_meant(room, loaded), server, as_json=as_json))


def _show(
    job: Job,
    as_json: AsJson = False,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show a job: what was asked, its requests to models with tokens and cost, and each way in which it failed.

    Without --room it is looked for in all rooms. It is found after a restart too.
    """
    from server.commands import jobs

    loaded = quiet(config, data_dir)
    where = room_meant(room, loaded)
    run_command(jobs.shown(loaded.settings, job, where, server, anywhere=room is None, as_json=as_json))


def _cancel(
    job: Job,
    name: Name = None,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Stop a job; what it has written stays."""
    _act("cancel", job, name, room, server, data_dir, config)


def _pause(
    job: Job,
    name: Name = None,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Have a job wait until it is resumed; what it has completed stays."""
    _act("pause", job, name, room, server, data_dir, config)


def _resume(
    job: Job,
    name: Name = None,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Put a paused job into the queue again."""
    _act("resume", job, name, room, server, data_dir, config)


def _steer(
    job: Job,
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="What to tell it.")],
    name: Name = None,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Tell a job something further. One that runs keeps what it has completed, and is asked anew."""
    _act("steer", job, name, room, server, data_dir, config, {"prompt": sentence})


def _move(
    job: Job,
    place: Annotated[int, typer.Argument(metavar="PLACE", min=1, help="Its place in the queue; 1 is next.")],
    name: Name = None,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Give a waiting job another place. One among jobs of another priority brings that priority."""
    _act("reorder", job, name, room, server, data_dir, config, {"position": place})


def _priority(
    job: Job,
    priority: Annotated[PriorityName, typer.Argument(metavar="PRIORITY", help="high, normal or low.")],
    name: Name = None,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Give a waiting or paused job another priority."""
    _act("reorder", job, name, room, server, data_dir, config, {"priority": priority.value})


def _retry(
    job: Job,
    name: Name = None,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Ask again what a failed, cancelled or interrupted job was asked."""
    _act("retry", job, name, room, server, data_dir, config)


def _act(
    action: str,
    job: str,
    name: str | None,
    room: str | None,
    server: str | None,
    data_dir: Path | None,
    config: Path | None,
    body: dict[str, object] | None = None,
) -> None:
    from server.commands import jobs

    loaded = quiet(config, data_dir)
    run_command(jobs.act(loaded.settings, action, job, room_meant(room, loaded), server, name or _login(), body))


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # the user of this process has no entry in the system's list
        return "api"

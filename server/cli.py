"""The command line, ``pairloom``.

Exit codes: 0 done, 1 it could not be done, 2 wrong use or wrong settings, 130 interrupted. What went wrong is
said in one message on the error stream, without a traceback.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from collab.errors import CollabError
from server import cli_jobs
from server.cli_options import Config, DataDir, Room, Server, quiet, room_meant, run_command
from server.commands.printing import CommandFailed, say
from server.settings_loading import SettingsError, load


def build() -> typer.Typer:
    """The command line as a Typer application."""
    app = typer.Typer(
        name="pairloom",
        help="Several people and AI jobs edit one project at the same time.\n\n"
        "Start with `pairloom serve`. Every setting can be given as a variable PAIRLOOM_NAME or in "
        "pairloom.toml; `pairloom settings` lists them.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("serve")(_serve)
    app.command("import")(_import)
    app.command("export")(_export)
    app.command("generate")(_generate)
    app.command("rooms")(_rooms)
    app.command("history")(_history)
    app.command("models")(_models)
    app.add_typer(cli_jobs.build(), name="jobs")
    app.command("doctor")(_doctor)
    app.command("migrate")(_migrate)
    app.command("settings")(_settings)
    app.command("version")(_version)
    # Started by `serve --workers`, never by a person.
    app.command("worker", hidden=True)(_worker)
    app.callback()(_root)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with its code."""
    try:
        build()(list(arguments) if arguments is not None else None)
    except SettingsError as error:
        _fail(str(error), 2)
    except CommandFailed as error:
        _fail(str(error), error.code)
    except (CollabError, OSError, ExceptionGroup) as error:
        _fail(_told(error), _code(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _told(error: Exception) -> str:
    """What a person needs to know of an error. Raises it again if it is none that we foresee."""
    if isinstance(error, ExceptionGroup):
        # Task groups wrap what their tasks raise, one or several times.
        return "\n".join(_told(one) for one in error.exceptions)
    if isinstance(error, CollabError):
        return error.message
    if isinstance(error, OSError):
        return f"{error.filename or 'The system'}: {error.strerror or error}."
    if isinstance(error, CommandFailed):
        return str(error)
    raise error


def _code(error: Exception) -> int:
    """The exit code for an error, or for several at once."""
    if isinstance(error, ExceptionGroup):
        return max(_code(one) for one in error.exceptions)
    return error.code if isinstance(error, CommandFailed) else 1


def _fail(message: str, code: int) -> None:
    for line in message.splitlines():
        typer.echo(f"pairloom: {line}", err=True)
    sys.exit(code)


def _print_version(wanted: bool) -> None:
    if wanted:
        _version()
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


def _serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. Default: 8000.")] = None,
    data_dir: DataDir = None,
    room: Annotated[
        str | None, typer.Option("--room", "-r", metavar="ROOM", help="Room that the bare address opens.")
    ] = None,
    open_browser: Annotated[
        bool | None,
        typer.Option(
            "--open/--no-open",
            help="Open the room in the browser. Default: only from a terminal on a machine with a screen.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that serve on the address; more than one need redis_url. Default: 1."),
    ] = None,
    config: Config = None,
) -> None:
    """Start the server and print its address.

    It listens on this machine only and stores rooms in an embedded database: no other service is needed. With
    the setting redis_url, any number of processes on any number of machines serve the same rooms.
    Without a configured model, AI requests are answered from templates that say so.
    """
    overrides = {"host": host, "port": port, "data_dir": data_dir, "room": room, "workers": workers}
    settings = load(config, overrides).settings
    if settings.workers > 1:
        from server.commands import workers as several

        given = {**overrides, "config": config}
        options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None]
        _exit(several.run(settings, options, open_browser=open_browser))
    from server.commands import serve

    _exit(serve.run(settings, open_browser=open_browser))


def _worker(
    number: Annotated[int, typer.Option()],
    listener: Annotated[int, typer.Option()],
    link: Annotated[int, typer.Option()],
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    data_dir: DataDir = None,
    room: Annotated[str | None, typer.Option()] = None,
    workers: Annotated[int | None, typer.Option()] = None,
    config: Config = None,
) -> None:
    """Serve as one of the workers of `pairloom serve --workers`, on the socket that the supervisor opened."""
    from server.commands.workers import run_worker

    overrides = {"host": host, "port": port, "data_dir": data_dir, "room": room, "workers": workers}
    settings = load(config, overrides).settings
    _exit(run_worker(settings, number=number, listener=listener, link=link))


def _import(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")],
    room: Room = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Take the folder's side wherever the room has something else."),
    ] = False,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Bring a folder's text files into a room.

    Files that .gitignore names, binary files, files that are too large or not UTF-8, and symbolic links are
    left out: one line for each says why. What others have changed in the room since the folder was last imported
    or exported is merged; the room is asked about lines that both have changed, and about whole files where it is
    not known from which version the folder's came. A running server shows everything to the people in the room at
    once; without one, the files are stored for the next start.
    """
    from server.commands import transfer

    loaded = quiet(config, data_dir)
    run_command(
        transfer.import_folder(loaded.settings, folder, room_meant(room, loaded), server, overwrite=overwrite)
    )


def _export(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write, or with --zip the file.")],
    room: Room = None,
    as_zip: Annotated[bool, typer.Option("--zip", help="Write one zip file instead of a folder.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write although DIR is not empty; overwrites files of the same name."),
    ] = False,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write a room's files into a folder or a zip file.

    Every byte comes out as it went in: line ends, byte order marks, a missing line end at the end.
    """
    from server.commands import transfer

    loaded = quiet(config, data_dir)
    room_id = room_meant(room, loaded)
    run_command(transfer.export_folder(loaded.settings, target, room_id, server, as_zip=as_zip, force=force))


def _generate(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What to do; - reads it from the input.")],
    room: Room = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="PATH", help="A file to look at first; may be given again."),
    ] = None,
    strategy: Annotated[
        Literal["targeted", "selective", "full"] | None, typer.Option(help="How to go about it. Default: chosen.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model to ask. Default: chosen.")] = None,
    mode: Annotated[
        Literal["auto", "review", "ask"] | None,
        typer.Option(help="What lands by itself. Default: the room's setting, or auto."),
    ] = None,
    priority: Annotated[Literal["high", "normal", "low"], typer.Option(help="Its place in the queue.")] = "normal",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask a model even if the same was asked a moment ago.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the job as JSON at the end.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Queue the job and return at once.")] = False,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Ask the AI in a room, and show how it goes on.

    Everybody in the room sees it write. Ctrl+C cancels the job; what has landed stays. Exit codes: 0 complete,
    1 it could not be asked, 2 wrong use or wrong settings, 3 failed, 4 complete but suggestions wait for an
    answer, 5 cancelled by somebody, 6 interrupted as the server stopped, 130 cancelled with Ctrl+C.
    """
    from server.commands import generate

    loaded = quiet(config, data_dir)
    asked = generate.Request(
        _piped(prompt),
        tuple(file or ()),
        strategy=strategy,
        model=model,
        mode=mode,
        priority=priority,
        fresh=fresh,
    )
    named = room_meant(room, loaded)
    _exit(asyncio.run(generate.generate(loaded.settings, named, asked, server, as_json=as_json, wait=not no_wait)))


def _piped(text: str) -> str:
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise CommandFailed("The input is no UTF-8 text; give the prompt as one.", code=2) from None


def _rooms(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List the rooms."""
    from server.commands import show

    run_command(show.rooms(quiet(config, data_dir).settings, server, as_json=as_json))


def _history(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    room: Room = None,
    server: Server = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List the versions that are kept of a room."""
    from server.commands import history

    loaded = quiet(config, data_dir)
    run_command(history.versions(loaded.settings, room_meant(room, loaded), server, as_json=as_json))


def _doctor(
    room: Annotated[
        str | None,
        typer.Option("--room", "-r", metavar="ROOM", help="Verify this room only, and tell more of it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Check the settings, the store and every room, and say what is wrong and what to do.

    Nothing is changed. Exit codes: 0 all is well, 1 something is wrong, 2 something could not be checked.
    """
    from server.commands import doctor
    from server.commands.findings import Finding, Level

    try:
        loaded = quiet(config, data_dir)
    except SettingsError as error:
        found = [Finding(Level.WRONG, "settings", line) for line in str(error).splitlines()]
        _exit(doctor.report(found, [], as_json=as_json))
    named = room_meant(room, loaded) if room is not None else None
    _exit(asyncio.run(doctor.run(loaded.settings, named, as_json=as_json)))


def _models(
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask each model for one word; this may cost a little.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Config = None,
) -> None:
    """List the models that are configured, in the order in which one stands in for another.

    With --probe each of them is asked. Exit codes: 0 all is well, 1 a model does not answer.
    """
    from server.commands import models
    from server.engine_settings import generation_settings

    settings = quiet(config, None).settings
    secrets = settings.secrets()
    _exit(asyncio.run(models.run(generation_settings(settings), secrets, probe=probe, as_json=as_json)))


def _migrate(
    source: Annotated[str, typer.Option("--from", metavar="STORE", help="Where the rooms are: sqlite or redis.")],
    target: Annotated[str, typer.Option("--to", metavar="STORE", help="Where they go: redis or sqlite.")],
    room: Annotated[
        list[str] | None,
        typer.Option("--room", "-r", metavar="ROOM", help="A room to copy; may be given again. Default: all."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace rooms that are there already.")] = False,
    source_file: Annotated[
        Path | None,
        typer.Option("--from-database", metavar="FILE", help="Embedded store to read. Default: the settings'."),
    ] = None,
    target_file: Annotated[
        Path | None,
        typer.Option("--to-database", metavar="FILE", help="Embedded store to write. Default: the settings'."),
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Copy rooms from the embedded store to Redis (redis_url) or back, and prove that they arrived.

    A room comes with its edits, checkpoint, jobs, suggestions and what undo needs. It is read back and compared.
    Rooms that are there already are left alone unless --overwrite is given. Nothing is deleted where rooms
    come from.
    """
    from server.commands import migrate

    loaded = quiet(config, data_dir)
    way = migrate.ends(source, target, source_file, target_file)
    rooms = [room_meant(one, loaded) for one in room or []]
    _exit(asyncio.run(migrate.run(loaded.settings, way, rooms, overwrite=overwrite)))


def _settings(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, without the descriptions.")] = False,
    config: Config = None,
) -> None:
    """List all settings: value, where it came from, and what it is for."""
    from server.commands import show

    show.settings(load(config), as_json=as_json)


def _version() -> None:
    """Print the version."""
    say(f"pairloom {installed_version('pairloom')}")


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)

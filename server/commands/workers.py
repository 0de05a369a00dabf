"""``pairloom serve --workers N``: several processes that serve on one address, and one that watches them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextvars import copy_context
from functools import partial

import structlog

from server.commands.printing import say
from server.commands.serve import listen_failed, open_page
from server.listeners import Listeners
from server.logs import configure_logs
from server.settings import Settings
from server.supervisor import READY, Supervisor

logger = logging.getLogger(__name__)


def run(settings: Settings, options: Sequence[str], *, open_browser: bool | None) -> int:
    """Starts the workers and keeps them running until a signal says to stop; returns the exit code.

    ``options`` are those of the command line that workers get too: a worker reads the settings itself, so that
    a restarted one has the new ones. Raises CommandFailed when the port cannot be had.
    """
    configure_logs(settings.log_level, settings.log_format, settings.secrets())
    try:
        listeners = Listeners(settings.host, settings.port)
    except OSError as error:
        raise listen_failed(error, settings) from error

    def command(worker: int, listener: int, link: int) -> list[str]:
        # -P: a package `server` in the working folder is not ours.
        program = [sys.executable, "-P", "-m", "server", "worker"]
        return [*program, f"--number={worker}", f"--listener={listener}", f"--link={link}", *options]

    def ready() -> None:
        address = settings.model_copy(update={"port": listeners.port}).room_url
        say(f"Pairloom is running at {address} with {settings.workers} workers")
        say("Open the address in as many browsers as you like. Ctrl+C stops the server.")
        open_page(address, wanted=open_browser)

    return asyncio.run(Supervisor(command, listeners, settings.workers, ready).run())


def run_worker(settings: Settings, *, number: int, listener: int, link: int) -> int:
    """Serves on an inherited socket as worker ``number``; returns the exit code.

    ``link`` is the connection to the supervisor: when that closes, this process drains and ends.
    """
    configure_logs(settings.log_level, settings.log_format, settings.secrets())
    structlog.contextvars.bind_contextvars(worker=number)
    # Imported here, as in `serve`: the supervisor does without the server's libraries.
    from server.app import serve

    # Both descriptors are ours alone: nothing that this process starts gets them.
    os.set_inheritable(listener, False)
    os.set_inheritable(link, False)
    supervisor = socket.socket(fileno=link)
    # A thread, as it must notice the end whatever the event loop is doing.
    watch = partial(copy_context().run, _watch, supervisor)
    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()
    own = settings.model_copy(update={"node_name": f"{settings.node_name}.{number}"})
    return serve(own, lambda _: supervisor.sendall(READY), listener=socket.socket(fileno=listener))


def _watch(supervisor: socket.socket) -> None:
    try:
        while supervisor.recv(1):
            pass
    except OSError as error:
        logger.warning("the connection to the supervisor broke: %s", error)
    logger.warning("the supervisor is gone; this worker ends")
    os.kill(os.getpid(), signal.SIGTERM)

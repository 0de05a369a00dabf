"""``pairloom serve``: the server, in the foreground."""

from __future__ import annotations

import errno
import os
import sys
import threading
import webbrowser
from collections.abc import Mapping
from typing import Final

from server.commands.printing import CommandFailed, say
from server.logs import configure_logs
from server.settings import Settings

_ADVICE: Final[Mapping[int, str]] = {
    errno.EADDRINUSE: "another program uses it. Stop that one, or choose another port with --port; --port 0 "
    "takes a free one",
    errno.EACCES: "this user may not listen there. Choose a port above 1023 with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address. Correct --host",
}


def run(settings: Settings, *, open_browser: bool | None) -> int:
    """Serves until it is told to stop; returns the exit code.

    ``open_browser`` None opens the room only where a person sits in front of a screen. Raises CommandFailed
    when the port cannot be had, and StoreError when the store cannot be opened.
    """
    configure_logs(settings.log_level, settings.log_format, settings.secrets())
    # Imported here: --help and the small commands do without the server's libraries.
    from server.app import serve

    def ready(address: str) -> None:
        say(f"Pairloom is running at {address}")
        say("Open the address in as many browsers as you like. Ctrl+C stops the server.")
        open_page(address, wanted=open_browser)

    try:
        return serve(settings, ready)
    except OSError as error:
        raise listen_failed(error, settings) from error


def listen_failed(error: OSError, settings: Settings) -> Exception:
    """What to raise when the port cannot be had: CommandFailed, or the error if it says something else."""
    advice = _ADVICE.get(error.errno or 0)
    if advice is None:
        return error
    return CommandFailed(f"Cannot listen on {settings.host} port {settings.port}: {advice}.")


def open_page(address: str, *, wanted: bool | None) -> None:
    """Opens the address in a browser; with None only where a person sits in front of a screen."""
    if _has_screen() if wanted is None else wanted:
        # In a thread: some systems' browsers keep the call until they close.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _has_screen() -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if "CI" in os.environ or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )

"""A job and a person who change the same line, so that the room has to choose."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from tests.e2e.serving import Server
from tests.e2e.window import Window
from tests.fakes.openai_server import Answer

Answers = Callable[[str, Answer], None]

PATH = "area.txt"
BASE = "top\n\narea:\ntodo\n\nbottom"
OURS = BASE.replace("todo", "todo by Ben")
WRITTEN = "width times height\nin square metres"
THEIRS = BASE.replace("todo", WRITTEN)


def hunk(search: str, replace: str) -> str:
    """A hunk in the form in which models answer."""
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


async def collide(
    windows: tuple[Window, Window], server: Server, room: str, answers: Answers, prompt: str
) -> None:
    """Ada's job rewrites a line of ``area.txt`` that Ben changes meanwhile. Afterwards one suggestion is open."""
    ada, ben = windows
    go_on = threading.Event()
    answers(prompt, Answer(f"{PATH}\n{hunk('todo', WRITTEN)}", hold=go_on, after=1))
    await server.write(room, PATH, BASE)
    await asyncio.gather(*(window.open_file(PATH) for window in windows))
    await ada.ask(prompt)
    await ben.job_is(prompt, "generating")
    await ben.at_line(4)
    await ben.type(" by Ben")
    await ben.saved()
    go_on.set()
    await asyncio.gather(*(window.job_is(prompt, "needs_review") for window in windows))

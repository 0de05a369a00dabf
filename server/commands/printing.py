"""What commands print, and how they fail."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from collab.importing import LeftOut


class CommandFailed(Exception):
    """Raised when a command cannot do its work. The message says why, and what to do.

    ``code`` is the exit code of the process.
    """

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(line: str) -> None:
    """Prints a line of a command's result to the standard output, as it is."""
    Console(soft_wrap=True, markup=False, highlight=False, emoji=False).print(line)


def say_left_out(left_out: Iterable[LeftOut]) -> None:
    """One line for each file that was left out, in the order of their paths."""
    for one in sorted(left_out, key=lambda one: one.path):
        say(f"left out  {printable(one.path)}  {one.reason}")


def printable(text: str) -> str:
    """The text without anything that a terminal would act on or could not show."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def counted(number: int, singular: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"


def progress() -> Progress:
    """A progress bar on the error stream; it shows nothing where that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

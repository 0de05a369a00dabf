"""Holds back what an answer says about files that another job is writing, until that is done with them.

The answer is read on meanwhile; what comes after the held part is held too, so that everything lands in order. Two
jobs that would wait for each other do not: the one that comes second is told so, and only proposes its changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from collab.ids import FilePath
from generation.answer import (
    FileDeleted,
    FileOpened,
    FileRenamed,
    ParseEvent,
    SearchCompleted,
    WholeFileOpened,
)


class Gate(Protocol):
    """Lets one job at a time write a file."""

    def enter(self, path: str) -> bool:
        """Whether the job is the file's writer from now on."""
        ...

    def refusal(self, path: str) -> str:
        """Why the job may not wait for the file, in words; empty if it may."""
        ...


class OpenGate:
    """Lets everybody write everything: for a job that is alone."""

    def enter(self, path: str) -> bool:
        """See Gate.enter."""
        return True

    def refusal(self, path: str) -> str:
        """See Gate.refusal."""
        return ""


class Hold:
    """The part of one answer that waits. ``told`` is why changes of the present file are only proposed."""

    def __init__(self, gate: Gate, meant: Callable[[FilePath], str] = str) -> None:
        """``meant`` is the file that a path of the answer stands for."""
        self._gate = gate
        self._meant = meant
        self._held: deque[ParseEvent] = deque()
        self.told = ""

    def keeps(self, event: ParseEvent) -> bool:
        """Whether an event has to wait; it comes out of ``release`` then."""
        if not self._held and self._passes(event):
            return False
        self._held.append(event)
        return True

    def release(self) -> Iterator[ParseEvent]:
        """What has waited and need not wait any more. Take all of it."""
        while self._held and self._passes(self._held[0]):
            yield self._held.popleft()

    def give_up(self) -> Iterator[ParseEvent]:
        """All that has waited, which is only proposed where the file is not free by now."""
        while self._held:
            event = self._held.popleft()
            path = self._path(event)
            if path is not None:
                self.told = "" if self._gate.enter(path) else f"Another job is writing {path} too."
            yield event

    def drop(self) -> None:
        """Forgets what has waited."""
        self._held.clear()

    @property
    def path(self) -> str | None:
        """The file that is waited for."""
        return self._path(self._held[0]) if self._held else None

    def _passes(self, event: ParseEvent) -> bool:
        path = self._path(event)
        if path is None:
            return True
        if self._gate.enter(path):
            self.told = ""
            return True
        self.told = self._gate.refusal(path)
        return bool(self.told)

    def _path(self, event: ParseEvent) -> str | None:
        """The file that an event begins to write to."""
        match event:
            case FileOpened(path) | SearchCompleted(path, _) | WholeFileOpened(path):
                return self._meant(path)
            case FileDeleted(path) | FileRenamed(path, _):
                return self._meant(path)
            case _:
                return None

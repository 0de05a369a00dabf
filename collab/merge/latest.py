"""What is remembered of the latest jobs of a room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, ItemsView, ValuesView
from typing import Final, Generic, TypeVar

from collab.ids import JobId

T = TypeVar("T")
MOST_JOBS: Final = 50


class Latest(Generic[T]):
    """A note for each of the jobs that were named last, MOST_JOBS at most."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._notes: OrderedDict[JobId, T] = OrderedDict()

    def of(self, job: JobId) -> T:
        """The job's note, a new one if there is none."""
        note = self._notes.get(job)
        if note is None:
            note = self._notes[job] = self._make()
            if len(self._notes) > MOST_JOBS:
                self._notes.popitem(last=False)
        else:
            self._notes.move_to_end(job)
        return note

    def forget(self, job: JobId) -> None:
        """Drops a job's note."""
        self._notes.pop(job, None)

    def items(self) -> ItemsView[JobId, T]:
        """All jobs and their notes, the one that was named first before the others."""
        return self._notes.items()

    def values(self) -> ValuesView[T]:
        """All notes."""
        return self._notes.values()

"""Who is in a room and where, for a model and for what belongs to a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from collab.ids import FileId

MOST: Final = 20
_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Participant:
    """A person who is in the room. ``line`` is that of the cursor, 1 and up; None if it is not known."""

    name: str
    file: FileId | None
    line: int | None = None


def told(people: Iterable[Participant], paths: Mapping[FileId, str], asker: str) -> str:
    """Each with the file and the line; empty if nobody has a file open. Names come from clients, and are cut."""
    lines: list[str] = []
    for person in people:
        path = paths.get(person.file) if person.file is not None else None
        if path is None:
            continue
        name = " ".join(person.name.split())[:_NAME] or "somebody"
        who = f"{name} (who asks)" if person.name == asker else name
        lines.append(f"{who}: {path}" + (f", line {person.line}" if person.line is not None else ""))
    return "\n".join(sorted(dict.fromkeys(lines))[:MOST])

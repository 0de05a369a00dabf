"""What is asked of the node that makes a room's versions, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.messages.history import VersionInfo
from server.messages.parts import Part


class Save(Part):
    """Make a version under this id. Asked twice it is made once."""

    kind: Literal["save"] = "save"
    room: str
    id: str
    cause: Literal["named", "work", "import"]
    name: str = ""
    by: str = ""


class Restore(Part):
    """Bring back a file, or with None the whole room."""

    kind: Literal["restore"] = "restore"
    room: str
    version: str
    file: str | None
    person: str
    by: str


Question = Annotated[Save | Restore, Field(discriminator="kind")]


class Saved(Part):
    """The version; None if nothing had changed."""

    kind: Literal["saved"] = "saved"
    version: VersionInfo | None


class Restored(Part):
    """What was restored: ``change`` is the id of the change, None if everything was so already."""

    kind: Literal["restored"] = "restored"
    change: str | None
    version: VersionInfo
    paths: list[str]


Answer = Annotated[Saved | Restored, Field(discriminator="kind")]

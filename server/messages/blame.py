"""Messages about who wrote what of a file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from server.messages.base import FileRef, Reply, Request
from server.messages.parts import Part, Position


class BlameAuthor(Part):
    """Somebody who wrote a part of a text.

    Of the kind ``undo`` is what an undo put back that cannot tell whose it was; of the kind ``change``, what
    a PUT, an import or a restore wrote; of the kind ``unknown``, what somebody only brought along.
    """

    kind: Literal["person", "job", "undo", "import", "change", "unknown"]
    author: str = Field(description="Id of the person, the job, the undone job or the change; empty if unknown.")
    name: str = Field(description="The person who wrote it, or asked for it; empty if nobody knows.")
    job: str | None = Field(default=None, description="The job or change that wrote it, which can be undone.")
    model: str | None = Field(default=None, description="The job's model; null once it is not kept any more.")
    prompt: str | None = Field(
        default=None, description="What the job was asked, or the change's title; null likewise."
    )


class BlameRange(Part):
    """A part of a text by one author. The ranges of a file follow each other without a gap."""

    start: Position
    end: Position
    offset: int = Field(description="Where it begins, in UTF-16 units from the start of the text.")
    length: int = Field(description="UTF-16 units.")
    author: int = Field(description="Index in the list of authors.")
    at_ms: int = Field(description="When it was written in last, in milliseconds since 1970; 0 if nobody knows.")


class Blame(Request):
    """Who wrote what of a file? Answered with ``blame_result``."""

    type: Literal["blame"] = "blame"
    file: FileRef


class BlameResult(Reply):
    """Who wrote what of a file."""

    type: Literal["blame_result"] = "blame_result"
    file: str
    path: str
    authors: list[BlameAuthor]
    ranges: list[BlameRange]

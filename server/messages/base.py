"""What all messages have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from server.messages.parts import Part, RequestId

FileRef = Annotated[str, Field(min_length=1, max_length=1100, description="The file's id or its path.")]


class Request(Part):
    """Base of all requests."""

    id: RequestId | None = Field(default=None, description="Echoed in the answer.")


class Event(Part):
    """Base of all that the server says."""


class Reply(Event):
    """Base of the answers."""

    id: RequestId | None = Field(default=None, description="The request's id, where it had one.")

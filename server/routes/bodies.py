"""Reading what a request brings: bodies within bounds, JSON, rooms, and who asks."""

from __future__ import annotations

from typing import Final, TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from collab.errors import InvalidInput
from collab.ids import PersonId, RoomId, room_id
from generation.views import Asker
from server.errors import Refused
from server.raw_path import refuse_large, too_large

M = TypeVar("M", bound=BaseModel)
MAX_NAME: Final = 80


def room_of(request: Request) -> RoomId:
    """The room that the address names. Raises InvalidRoomName."""
    return room_id(request.path_params["room"])


def asker_of(request: Request) -> Asker:
    """Whoever the query parameter ``name`` says, as there is no sign-in yet. Raises InvalidInput."""
    name = request.query_params.get("name", "api").strip()
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidInput(f"The name must have 1 to {MAX_NAME} characters.", field="name")
    return asker_named(name)


def asker_named(name: str) -> Asker:
    """Who asks over HTTP under this name."""
    return Asker(PersonId(f"http:{name}"), name)


async def read_body(request: Request, most: int) -> bytes:
    """The body. Raises Refused (413) as soon as there are more than ``most`` bytes, and reads no further."""
    refuse_large(request, most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large(most)
    return bytes(body)


async def read_json(request: Request, model: type[M], most: int) -> M:
    """The body as a message. Raises Refused (413, 415) and pydantic's ValidationError."""
    require_type(request, {"application/json"}, "Send JSON with Content-Type: application/json.")
    return model.model_validate_json(await read_body(request, most))


def require_type(request: Request, types: set[str], remedy: str, *, optional: bool = False) -> None:
    """Raises Refused (415) unless the body's type is one of ``types``; ``text/*`` stands for all texts.

    With ``optional`` it may be left out. A text's charset must be UTF-8.
    """
    given, _, parameters = request.headers.get("content-type", "").partition(";")
    kind = given.strip().lower()
    if optional and not kind:
        return
    if kind not in types and not ("text/*" in types and kind.startswith("text/")):
        shown = f"The Content-Type {kind[:100]!r} is not taken here." if kind else "There is no Content-Type."
        raise Refused(415, "unsupported_type", f"{shown} {remedy}", field="content-type")
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('" ') not in {"utf-8", "utf8", "us-ascii", "ascii"}:
            raise Refused(
                415,
                "unsupported_type",
                f"The charset {value[:40]!r} is not taken; send UTF-8.",
                field="content-type",
            )

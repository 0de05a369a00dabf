"""What an error is to a client: one table for HTTP answers, WebSocket closes and error messages.

    error                     HTTP status     WebSocket close     code
    CollabError               its ``status``  its ``close``       its ``code``
    StaleEpoch                409             1008                conflict
    GenerationError           502             1011                generation_failed
    Refused                   as it says      1008                as it says
    pydantic ValidationError  400             1008                invalid_input
    HTTPException             as it says      1008                by status
    anything else             500             1011                internal_error, without details

An HTTP answer's body is ``{"error": {"code", "message", "field"}}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from collab.errors import CollabError, HourlyLimit, StoreBusy, StoreUnavailable, TryLater
from generation.errors import GenerationError, StaleEpoch

INTERNAL: Final = "Something failed inside the server; its log says what. Try again."

_BY_STATUS: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not_found", "There is nothing at this address; docs/protocol.md lists what there is."),
    405: ("method_not_allowed", "This address does not take this method; see the Allow header."),
    413: ("limit_exceeded", "The body is too large."),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a client sees it. ``field`` names the input at fault, where there is one."""

    status: int
    close: int
    code: str
    message: str
    field: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """Raised by the HTTP side for what has no error in the core: preconditions, content types, methods."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.failure = Failure(status, 1008, code, message, field, tuple((headers or {}).items()))


def failure_of(error: BaseException) -> Failure:
    """The row of the table for this error."""
    if isinstance(error, CollabError):
        headers: tuple[tuple[str, str], ...] = ()
        if isinstance(error, StoreUnavailable | StoreBusy | TryLater):
            headers = (("Retry-After", "5"),)
        elif isinstance(error, HourlyLimit) and error.retry_after is not None:
            headers = (("Retry-After", str(math.ceil(error.retry_after))),)
        return Failure(error.status, error.close, error.code, error.message, error.field, headers)
    if isinstance(error, StaleEpoch):
        return Failure(409, 1008, "conflict", error.message)
    if isinstance(error, GenerationError):
        return Failure(502, 1011, "generation_failed", error.message)
    if isinstance(error, Refused):
        return error.failure
    if isinstance(error, ValidationError):
        name, message = explained(error)
        return Failure(400, 1008, "invalid_input", message, name)
    if isinstance(error, HTTPException):
        code, message = _BY_STATUS.get(error.status_code, ("invalid_input", f"{error.detail}."))
        return Failure(error.status_code, 1008, code, message, None, tuple((error.headers or {}).items()))
    return Failure(500, 1011, "internal_error", INTERNAL)


def answer(failure: Failure) -> JSONResponse:
    """The HTTP answer for a failure."""
    return JSONResponse(
        {"error": {"code": failure.code, "message": failure.message, "field": failure.field}},
        status_code=failure.status,
        headers=dict(failure.headers),
    )


def explained(error: ValidationError) -> tuple[str | None, str]:
    """Field and message of the first thing that is wrong with an input, and what to do about it."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = ".".join(str(part) for part in problem["loc"]) or None
    match problem["type"]:
        case "missing":
            return name, f"The field {name!r} is missing; add it."
        case "extra_forbidden":
            return name, f"There is no field {name!r}; correct its name or leave it out."
        case "json_invalid":
            return None, f"The body is no valid JSON: {problem['msg'].removeprefix('Invalid JSON: ')}."
        case _ if name is None:
            return None, f"{problem['msg']}."
        case _:
            return name, f"The field {name!r} is wrong: {problem['msg'][:1].lower()}{problem['msg'][1:]}."

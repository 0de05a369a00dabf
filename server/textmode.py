"""Frames of the native dialect as requests, and events as frames. Sans-I/O.

A text frame is one request in JSON, or, if it does not begin with ``{``, a short command. With the
subprotocol ``pairloom.msgpack`` a binary frame is the same object in msgpack. Whatever a frame holds, the
answer to a bad one is an ``error`` event that says what to do, and the connection stays open.
"""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

from collab.errors import CollabError, LimitExceeded, MalformedMessage
from collab.limits import Limits
from server.messages.decoding import decode_json, decode_msgpack
from server.messages.encoding import encode_json, encode_msgpack
from server.messages.events import AnyEvent, Error
from server.messages.problems import problem
from server.messages.requests import REQUESTS, AnyRequest
from server.shortcommands import parse

FRAME_BYTES: Final = Limits().frame_bytes


class TextSession:
    """One connection's frames. ``packed``: it speaks msgpack. ``limit``: the largest frame, in bytes."""

    __slots__ = ("_limit", "packed")

    def __init__(self, *, packed: bool = False, limit: int = FRAME_BYTES) -> None:
        self.packed = packed
        self._limit = limit

    def receive(self, frame: str | bytes) -> AnyRequest | Error:
        """The request in a frame, or the error to answer it with."""
        try:
            self._check(frame)
            if isinstance(frame, bytes):
                return request_of(decode_msgpack(frame))
            return request_of(decode_json(frame)) if frame.lstrip()[0] in '{["' else parse(frame)
        except CollabError as error:
            return Error(code=error.code, message=error.message, field=error.field)

    def encode(self, event: AnyEvent) -> str | bytes:
        """An event as the payload of a frame: text in JSON, bytes in msgpack."""
        return encode_msgpack(event) if self.packed else encode_json(event)

    def _check(self, frame: str | bytes) -> None:
        if len(frame) > self._limit:
            raise LimitExceeded(
                f"The frame has {len(frame)} characters or bytes; at most {self._limit} are allowed. "
                "Send it in pieces."
            )
        if isinstance(frame, bytes):
            if not self.packed:
                raise MalformedMessage(
                    "This connection speaks JSON: send text frames, or connect with the subprotocol "
                    "pairloom.msgpack."
                )
        elif self.packed:
            raise MalformedMessage(
                "This connection speaks msgpack: send binary frames, or connect without a subprotocol for JSON."
            )
        elif not frame.strip():
            raise MalformedMessage("The line is empty; type help, or send a request in JSON.")


def request_of(raw: object) -> AnyRequest | Error:
    """The request that a plain value holds, or the error to answer it with."""
    try:
        return REQUESTS.validate_python(raw, strict=True)
    except ValidationError as error:
        return problem(error, raw)


def control_request(text: str) -> AnyRequest | Error:
    """The request in a control message of the y-websocket dialect, or the error to answer it with."""
    try:
        raw = decode_json(text)
    except CollabError as error:
        return Error(code=error.code, message=error.message, field=error.field)
    return request_of(raw)

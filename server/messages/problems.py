"""What is wrong with a request, in words that name the field and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from collab.wire import MAX_UINT
from server.messages.events import Error
from server.messages.requests import AnyRequest, Request

TYPES: Final[Mapping[str, type[Request]]] = {
    model.model_fields["type"].default: model for model in get_args(get_args(AnyRequest)[0])
}
"""Every request by its ``type``."""

_COMPONENTS: Final = {"Retain": "retain", "Insert": "insert", "Delete": "delete"}


def nearest(word: str, known: list[str]) -> str:
    """``did you mean …?`` with the nearest known word, or all of them."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."


def id_of(raw: object) -> str | int | None:
    """The id of a request that cannot be read, if at least its id can."""
    found = raw.get("id") if isinstance(raw, dict) else None
    if isinstance(found, str) and len(found) <= 200:
        # Python's JSON lets halves of characters through, which no answer can carry.
        return found if found == found.encode(errors="ignore").decode() else None
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) <= MAX_UINT:
        return found
    return None


def problem(error: ValidationError, raw: object) -> Error:
    """The answer to an object that is no request."""
    first = _plainest(error, raw)
    kind, path = first["type"], list(first["loc"])
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_type(raw)
    if kind == "model_attributes_type" and not path:
        message = 'A request is one JSON object, such as {"type":"who"}.'
        return Error(code="malformed_message", message=message)
    # The first part of the path is the type that the discriminator chose.
    names = [str(part) for part in path[1:] if part not in _COMPONENTS]
    if names[:1] == ["id"]:
        message = "The field 'id' must be a string of up to 200 characters or an integer up to 2^53 - 1."
        return Error(code="invalid_input", message=message, field="id")
    if kind in {"missing", "extra_forbidden"} and any(part in _COMPONENTS for part in path):
        field = ".".join(names[:-1])
        message = (
            f"{field} is no component of an operation; each is one of "
            '{"retain": n}, {"insert": text} and {"delete": n}.'
        )
        return Error(id=id_of(raw), code="invalid_input", message=message, field=field)
    field = ".".join(names)[:100]
    return Error(id=id_of(raw), code="invalid_input", message=_words(first, field), field=field or None)


def _plainest(error: ValidationError, raw: object) -> ErrorDetails:
    """The first error; of a component's errors, one for each kind, that of the kind which was meant."""
    errors = error.errors(include_url=False, include_context=False)
    for one in errors:
        component = next((part for part in one["loc"] if part in _COMPONENTS), None)
        if component is None:
            return one
        given = _at(raw, one["loc"][1:])
        if isinstance(given, dict) and _COMPONENTS[str(component)] in given:
            return one
    return errors[0]


def _at(raw: object, path: tuple[int | str, ...]) -> object:
    """What stands at the component that the path leads to."""
    found: Any = raw
    for part in path:
        if part in _COMPONENTS:
            return found
        found = found[part]
    return found


def _unknown_type(raw: object) -> Error:
    given = raw.get("type") if isinstance(raw, dict) else None
    if isinstance(given, str):
        shown = repr(given[:40])
        message = f"There is no request of type {shown}; {nearest(given[:40], list(TYPES))}"
    else:
        message = f"The field 'type' must name the request: {', '.join(TYPES)}."
    return Error(id=id_of(raw), code="unknown_type", message=message, field="type")


def _words(error: ErrorDetails, field: str) -> str:
    path = error["loc"]
    kind = error["type"]
    match kind:
        case "missing":
            return f"The field {field!r} is missing; add it."
        case "extra_forbidden":
            known = [name for name in TYPES[str(path[0])].model_fields if name != "type"]
            if len(path) == 2:
                return f"There is no field {field!r} in {path[0]!r}; {nearest(field, known)}"
            return f"There is no field {field!r}; correct its name or leave it out."
        case "string_unicode":
            return f"The field {field!r} holds half of a character; send valid Unicode."
        case "invalid_key":
            return "The keys of an object must be strings."
        case _:
            told = error["msg"].removeprefix("Value error, ")
            return f"The field {field!r} is wrong: {told[:1].lower()}{told[1:]}."

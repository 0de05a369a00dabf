"""Writes the TypeScript types of all messages, for web/src/messages.ts.

What the server sends has every field, as the control channel carries it. Of a request, fields that have a
default may be left out.
"""

from __future__ import annotations

import sys
import types
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from server.messages import blame, history, parts, search
from server.messages.base import Event
from server.messages.events import AnyEvent
from server.messages.requests import AnyRequest, Request
from server.messages.stream import AnyStreamEvent, GenerateRequest

HEADER: Final = "// Generated from server/messages by `python -m server.messages.typescript`. Change it there.\n"
_ALIASES: Final[tuple[tuple[str, Any], ...]] = (
    ("JobState", parts.JobState),
    ("Strategy", parts.Strategy),
    ("Mode", parts.Mode),
    ("Component", parts.Component),
    ("Id", parts.RequestId),
)
_PLAIN: Final[dict[Any, str]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    bytes: "string",
    type(None): "null",
}
_WIDTH: Final = 120


def members(union: Any) -> tuple[type[BaseModel], ...]:
    """The models of a discriminated union."""
    found: tuple[type[BaseModel], ...] = get_args(get_args(union)[0])
    return found


def part_models() -> list[type[BaseModel]]:
    """The pieces of messages, in the order of their files."""
    return [
        model
        for module in (parts, history, blame, search)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, parts.Part) and model.__module__ == module.__name__
        if model is not parts.Part and not issubclass(model, Event | Request)
    ]


def alias_options() -> list[tuple[str, list[str]]]:
    """The types that have a name of their own, and what each may be."""
    return [(name, _union_parts(kind)) for name, kind in _ALIASES]


def generate() -> str:
    """The whole file."""
    streamed: tuple[type[BaseModel], ...] = (GenerateRequest, *members(AnyStreamEvent))
    _check_names([*part_models(), *members(AnyEvent), *members(AnyRequest), *streamed])
    out = [HEADER]
    out += [_wrapped(f"export type {name} =", options) for name, options in alias_options()]
    out += [_interface(model) for model in part_models()]
    out.append("\n// What the server says.\n")
    out += [_interface(model) for model in members(AnyEvent)]
    out.append(_union("AnyEvent", members(AnyEvent)))
    out.append("\n// What a client may ask.\n")
    out += [_interface(model) for model in members(AnyRequest)]
    out.append(_union("AnyRequest", members(AnyRequest)))
    out.append("\n// POST /api/generate: its body, and the events of its stream.\n")
    out += [_interface(model) for model in streamed]
    out.append(_union("AnyStreamEvent", members(AnyStreamEvent)))
    return "".join(out)


def _check_names(models: list[type[BaseModel]]) -> None:
    names = [model.__name__ for model in models]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"two messages are called {twice}"


def _union(name: str, models: tuple[type[BaseModel], ...]) -> str:
    return _wrapped(f"export type {name} =", [model.__name__ for model in models])


def _wrapped(head: str, options: list[str]) -> str:
    line = f"{head} {' | '.join(options)};\n"
    if len(line) <= _WIDTH:
        return line
    lines = [head]
    current = " "
    for option in options:
        if len(current) + len(option) + 4 > _WIDTH:
            lines.append(current)
            current = " "
        current += f" | {option}"
    return "\n".join([*lines, current]) + ";\n"


def _interface(model: type[BaseModel]) -> str:
    lenient = issubclass(model, Request | GenerateRequest)
    hints = get_type_hints(model, include_extras=True)
    fields = []
    # ``type`` first, as on the wire.
    for name in sorted(model.model_fields, key=lambda field: field != "type"):
        field = model.model_fields[name]
        optional = lenient and name != "type" and not field.is_required()
        fields.append(f"{name}{'?' if optional else ''}: {shown_type(hints[name])}")
    line = f"export interface {model.__name__} {{ {'; '.join(fields)} }}\n"
    if len(line) <= _WIDTH:
        return line
    lines = [f"export interface {model.__name__} {{"]
    current = " "
    for entry in fields:
        if len(current) + len(entry) + 2 > _WIDTH:
            lines.append(current)
            current = " "
        current += f" {entry};"
    return "\n".join([*lines, current]) + "\n}\n"


def shown_type(hint: Any) -> str:
    """A field's type as TypeScript writes it."""
    for name, kind in _ALIASES:
        if hint == kind:
            return name
    origin = get_origin(hint)
    if origin is Annotated:
        return shown_type(get_args(hint)[0])
    if origin in {Union, types.UnionType}:
        return " | ".join(_union_parts(hint))
    if origin is Literal:
        return " | ".join(_union_parts(hint))
    if origin is list:
        inner = shown_type(get_args(hint)[0])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if origin is dict:
        key, value = map(shown_type, get_args(hint))
        return f"Record<{key}, {value}>"
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint.__name__
    return {
        str: "string",
        int: "number",
        float: "number",
        bool: "boolean",
        bytes: "string",
        type(None): "null",
    }[hint]


def _union_parts(kind: Any) -> list[str]:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return [f'"{value}"' for value in get_args(kind)]
    # Python flattens ``parts.RequestId | None``: name the pair again.
    arguments = list(get_args(kind))
    identity = list(get_args(parts.RequestId))
    if kind != parts.RequestId and all(one in arguments for one in identity):
        arguments = ["Id", *(one for one in arguments if one not in identity)]
    names = [one if isinstance(one, str) else shown_type(one) for one in arguments]
    return list(dict.fromkeys(names))


def main() -> None:
    """Writes the file to standard output."""
    sys.stdout.write(generate())


if __name__ == "__main__":
    main()

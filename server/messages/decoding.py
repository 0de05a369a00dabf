"""Frames of the native dialect and control messages, read into plain values; strict and bounded.

JSON is read by Python's own parser because it alone can tell of a name that occurs twice in an object, which
readers disagree about. Neither NaN nor numbers of thousands of digits are let through.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Final, NoReturn

import msgpack

from collab.errors import MalformedMessage

MOST_NAMES: Final = 1_000
"""Fields of one object; no request has nearly as many."""


def decode_json(text: str) -> object:
    """The value of a JSON text. Raises MalformedMessage."""
    try:
        value: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, character {error.colno}"
        told = error.msg[:1].lower() + error.msg[1:]
        raise MalformedMessage(f"This is no valid JSON: {told} at {place}.") from None
    except RecursionError:
        raise MalformedMessage("The JSON is nested too deeply; a request needs four levels.") from None
    except ValueError:
        raise MalformedMessage("A number of the JSON is too long; 2^53 - 1 is the largest.") from None
    return value


def decode_msgpack(data: bytes) -> object:
    """The value of a msgpack object. Raises MalformedMessage."""
    try:
        value: object = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=_unique,
            max_str_len=len(data),
            max_bin_len=len(data),
            max_array_len=len(data),
            max_map_len=MOST_NAMES,
            max_ext_len=0,
            ext_hook=_no_extension,
        )
    except UnicodeDecodeError:
        raise MalformedMessage("A string of the msgpack object is not UTF-8.") from None
    except RecursionError:
        raise MalformedMessage(_NESTED) from None
    except msgpack.StackError:
        raise MalformedMessage(_NESTED) from None
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        told = str(error) or "it is cut off or holds an unknown code"
        raise MalformedMessage(f"This is no valid msgpack object: {told}.") from None
    return value


_NESTED: Final = "The msgpack object is nested too deeply; a request needs four levels."


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(pairs) > MOST_NAMES:
        raise MalformedMessage(f"An object has {len(pairs)} fields; no request has nearly as many.")
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise MalformedMessage(f"The field {str(twice)[:40]!r} is there twice; leave one out.")
    return found


def _refuse(constant: str) -> NoReturn:
    raise MalformedMessage(f"{constant} is no JSON; send a number.")


def _no_extension(code: int, data: bytes) -> NoReturn:
    raise MalformedMessage(f"The msgpack extension type {code} is not used here.")

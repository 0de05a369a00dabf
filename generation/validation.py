"""Says whether changed files are still well-formed, where that is cheap to know. Never blocks anything."""

from __future__ import annotations

import ast
import json
import tomllib
import warnings
from typing import Final

MOST_CHARS: Final = 400_000


def problem(path: str, text: str) -> str | None:
    """What is wrong with the text of a file, with its line; None if nothing is, or if it is not known."""
    if len(text) > MOST_CHARS:
        return None
    try:
        match path.lower().rpartition(".")[1:]:
            case ".", "py" | "pyi":
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    ast.parse(text)
            case ".", "json":
                json.loads(text)
            case ".", "toml":
                tomllib.loads(text)
    except SyntaxError as error:
        return f"{path} has a syntax error in line {error.lineno}: {error.msg}."
    except json.JSONDecodeError as error:
        return f"{path} is no JSON: {error.msg} in line {error.lineno}."
    except tomllib.TOMLDecodeError as error:
        return f"{path} is no TOML: {error}."
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{path} cannot be parsed: {error}."
    return None

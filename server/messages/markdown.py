"""Writes the lists of messages into ``docs/protocol.md``, between markers; ``--check`` only says if it is stale.

``python -m server.messages.markdown`` in the project's folder.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from server.messages.events import AnyEvent
from server.messages.requests import AnyRequest, Request
from server.messages.stream import AnyStreamEvent, GenerateRequest
from server.messages.typescript import alias_options, members, part_models, shown_type

PAGE: Final = Path("docs/protocol.md")


def sections() -> dict[str, str]:
    """The generated parts of the page, by the name in their markers."""
    return {
        "requests": _messages(members(AnyRequest)),
        "events": _messages(members(AnyEvent)),
        "parts": _aliases() + "".join(_model(model, f"`{model.__name__}`") for model in part_models()),
        "generate": _fields(GenerateRequest),
        "stream": _messages(members(AnyStreamEvent)),
    }


def rewritten(page: str) -> str:
    """The page with its generated parts as they should be. Raises ValueError if markers are missing."""
    for name, text in sections().items():
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"The page needs the lines {begin.strip()!r} and {end!r}.")
        page = f"{before}{begin}\n{text}{end}{after}"
    return page


def _aliases() -> str:
    return "".join(f"- `{name}`: `{' | '.join(options)}`\n" for name, options in alias_options()) + "\n"


def _messages(models: tuple[type[BaseModel], ...]) -> str:
    return "".join(_model(model, f"`{model.model_fields['type'].default}`") for model in models)


def _model(model: type[BaseModel], title: str) -> str:
    said = re.sub(r"``(.+?)``", r"`\1`", " ".join((model.__doc__ or "").split()))
    return f"**{title}** {said}\n\n{_fields(model)}"


def _fields(model: type[BaseModel]) -> str:
    hints = get_type_hints(model, include_extras=True)
    # ``id`` is in every request and answer, and told of once.
    names = [name for name in model.model_fields if name not in {"type", "id"}]
    lines = [f"- `{name}`: {_field(model, model.model_fields[name], hints[name])}\n" for name in names]
    return "".join(lines) + ("\n" if lines else "")


def _field(model: type[BaseModel], field: FieldInfo, hint: object) -> str:
    kind = "base64 or bytes" if hint_is_bytes(hint) else f"`{shown_type(hint)}`"
    if not field.is_required():
        default = field.get_default(call_default_factory=True)
        if default in (None, "", []):
            if not (field.description or "").startswith("Left out:"):
                asked = issubclass(model, Request | GenerateRequest)
                kind += ", may be left out" if asked else ", may be missing"
        else:
            kind += f", `{str(default).lower() if isinstance(default, bool) else default}` if left out"
    return f"{kind}. {field.description}" if field.description else f"{kind}."


def hint_is_bytes(hint: object) -> bool:
    """Whether a field holds bytes, which JSON carries as base64."""
    return getattr(hint, "__origin__", None) is bytes


def main(arguments: list[str]) -> int:
    """Rewrites the page, or with ``--check`` returns 1 if it is stale."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = rewritten(page)
    if "--check" in arguments:
        if page != fresh:
            sys.stderr.write(f"{PAGE} is stale; run `python -m server.messages.markdown`.\n")
            return 1
        return 0
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

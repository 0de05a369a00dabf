"""The model that is always there: templates, chosen by words of the request. It is no AI and says so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from keyword import iskeyword
from typing import Final

from generation.catalog import ModelSpec, Provider
from generation.ports import Delta, FinishDelta, Message, StreamLimits, TextDelta
from generation.prompt import request_of

NAME: Final = "offline"
NO_AI: Final = (
    "No AI model is configured; these are templates, chosen by words of your request. To have an AI answer, "
    "set model, base_url and api_key."
)
SPEC: Final = ModelSpec(NAME, Provider("templates"), NAME)
_PIECE: Final = 48
"""Characters per delta."""
_NAMED: Final = (
    re.compile(r"\b(?:called|named)\s+[`'\"]?([A-Za-z_][A-Za-z0-9_]{1,40})"),
    re.compile(r"\b(?:function|module|class)\s+[`'\"]?([A-Za-z_][A-Za-z0-9_]{1,40})"),
)
_NO_NAMES: Final = frozenset({"that", "which", "for", "with", "and", "the", "called", "named", "in", "to", "of"})


class OfflineModel:
    """Implements generation.ports.Model with templates. The same request always gets the same answer."""

    name = NAME
    offline = True

    async def stream(self, messages: Sequence[Message], limits: StreamLimits) -> AsyncIterator[Delta]:
        """The template for the request in the last message."""
        text = answer(request_of(messages))
        for at in range(0, len(text), _PIECE):
            yield TextDelta(text[at : at + _PIECE])
        yield FinishDelta("stop")


def fits(prompt: str) -> bool:
    """Whether there is a template for a request."""
    return any(re.search(pattern, prompt.lower()) for pattern, _ in _TEMPLATES)


def answer(prompt: str) -> str:
    """The templates that fit a request, in the answer format; only words if none fits."""
    words = prompt.lower()
    parts = [make(prompt) for pattern, make in _TEMPLATES if re.search(pattern, words)]
    if not parts:
        return (
            f"{NO_AI} None of the templates fits. There are templates for a README, a licence, a .gitignore, "
            "an HTML page, and a Python module with its test."
        )
    return f"{NO_AI}\n\n" + "\n".join(parts)


def _file(path: str, text: str) -> str:
    return f"{path}\n````\n{text}````\n"


def _name(prompt: str, otherwise: str) -> str:
    for pattern in _NAMED:
        for found in pattern.findall(prompt):
            if found.lower() not in _NO_NAMES and not iskeyword(found.lower()):
                return str(found)
    return otherwise


def _readme(prompt: str) -> str:
    title = _name(prompt, "Project").replace("_", " ").capitalize()
    return _file(
        "README.md",
        f"# {title}\n\nOne sentence that says what this is and for whom.\n\n## Install\n\n"
        "Say what is needed and how to install it.\n\n## Use\n\nShow the shortest example that works.\n\n"
        "## Develop\n\nSay how to run the tests.\n\n## Licence\n\nSee LICENSE.\n",
    )


def _licence(prompt: str) -> str:
    return _file("LICENSE", _MIT)


def _gitignore(prompt: str) -> str:
    return _file(
        ".gitignore",
        "# Python\n__pycache__/\n*.py[cod]\n.venv/\n*.egg-info/\n.pytest_cache/\n.coverage\n\n"
        "# Node\nnode_modules/\ndist/\n\n# Editors and systems\n.idea/\n.vscode/\n.DS_Store\n\n"
        "# Secrets\n.env\n",
    )


def _html(prompt: str) -> str:
    return _file(
        "index.html",
        '<!doctype html>\n<html lang="en">\n<head>\n  <meta charset="utf-8">\n'
        '  <meta name="viewport" content="width=device-width, initial-scale=1">\n  <title>Page</title>\n'
        "  <style>\n    body { max-width: 40rem; margin: 2rem auto; font-family: system-ui, sans-serif; }\n"
        "  </style>\n</head>\n<body>\n  <h1>Page</h1>\n  <p>Write here.</p>\n</body>\n</html>\n",
    )


def _python(prompt: str) -> str:
    name = _name(prompt, "example").lower()
    module = (
        f'"""Says in one sentence what {name} is for."""\n\nfrom __future__ import annotations\n\n\n'
        f"def {name}(text: str) -> str:\n"
        '    """Returns the text without spaces around it; put what you need in its place."""\n'
        "    return text.strip()\n"
    )
    test = (
        f"from {name} import {name}\n\n\ndef test_{name}_removes_spaces_around_a_text() -> None:\n"
        f'    assert {name}("  a b ") == "a b"\n'
    )
    return _file(f"{name}.py", module) + "\n" + _file(f"test_{name}.py", test)


_TEMPLATES: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    (r"\breadme\b", _readme),
    (r"\blicen[cs]e\b", _licence),
    (r"\.?gitignore\b", _gitignore),
    (r"\b(html|web ?page|web ?site|landing page)\b", _html),
    (r"\b(python|pytest)\b", _python),
)
_MIT: Final = """MIT License

Copyright (c) [year] [holder]

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

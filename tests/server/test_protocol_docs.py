"""docs/protocol.md and the TypeScript types say what the server does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab.errors import CollabError
from server import shortcommands
from server.messages import markdown, typescript
from server.messages.events import AnyEvent
from server.messages.problems import TYPES
from server.messages.typescript import members

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
SERVER = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "server").rglob("*.py")))
COLLAB = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "collab").rglob("*.py")))


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def errors(kind: type[CollabError] = CollabError) -> Iterator[type[CollabError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from errors(below)


def test_the_page_is_fresh() -> None:
    assert markdown.rewritten(PAGE) == PAGE, "run `python -m server.messages.markdown`"


def test_the_types_of_the_browser_client_are_fresh() -> None:
    written = (ROOT / "web/src/messages.ts").read_text(encoding="utf-8")
    assert written == typescript.generate(), "run `python -m server.messages.typescript > web/src/messages.ts`"


def test_a_page_without_a_marker_is_refused() -> None:
    with pytest.raises(ValueError, match="generated: stream"):
        markdown.rewritten(PAGE.replace("<!-- generated: stream -->\n", ""))


def test_every_message_is_on_the_page() -> None:
    for name in [*TYPES, *(model.model_fields["type"].default for model in members(AnyEvent))]:
        assert f"**`{name}`**" in PAGE


def test_every_error_code_is_on_the_page_with_its_status() -> None:
    table = section("Errors")
    for error in errors():
        assert re.search(rf"^\| `{error.code}` \| ?({error.status})? \|", table, re.MULTILINE), error
    named = re.findall(r'(?:code=|Refused\(\s*\d{3},\s*|refuse\(\w+, \d{3}, |_code = )"([a-z_]+)"', SERVER)
    assert len(named) > 3
    for code in named:
        assert f"| `{code}` |" in table, code


def test_no_error_code_is_on_the_page_that_is_not_in_the_code() -> None:
    for code in re.findall(r"^\| `([a-z_]+)` \|", section("Errors"), re.MULTILINE):
        # The codes of jobs that ended are made of their state.
        assert f'"{code.removeprefix("generation_")}"' in SERVER + COLLAB, code


def test_every_close_code_is_on_the_page() -> None:
    used = {str(error.close) for error in errors()}
    used |= set(re.findall(r"\.end\(\s*(\d{4})", SERVER)) | set(re.findall(r"Close\(\w+, (\d{4})", COLLAB))
    assert used >= {"1007", "1009", "1011", "1013"}
    for code in used:
        assert re.search(rf"^\| {code} \|", section("Close codes"), re.MULTILINE), code


def test_every_address_is_on_the_page() -> None:
    addresses = re.findall(r'RawRoute\(\s*f?"(/[^"]*)"', SERVER)
    addresses += [f"/api/rooms/{{room}}{rest}" for rest in re.findall(r'RawRoute\(\s*f"\{room\}([^"]+)"', SERVER)]
    assert len(addresses) > 8
    for address in addresses:
        shown = address.replace("{{", "{").replace("}}", "}").replace(":path}", "}")
        if shown.startswith(("/api/", "/health/")):
            assert shown in section("HTTP"), shown


def test_the_worked_session_uses_commands_that_there_are() -> None:
    session = section("The native dialect").partition("\n- A line that")[0]
    lines = [line.strip() for line in session.splitlines() if line.startswith("    ")]
    typed = [line.split()[0] for line in lines if not line.startswith(("{", "$"))]
    assert len(typed) > 5
    for word in typed:
        assert any(entry.startswith(word) for entry in " ".join(shortcommands.HELP).split()), word

"""docs/operating.md tells of every setting and every command."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from pydantic import ByteSize
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from server.cli import build
from server.settings import Settings

DOCS = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
WRITTEN_OUT = {"data_dir": "the user's data folder", "node_name": "the machine's name"}


def setting_row(name: str) -> str:
    field = Settings.model_fields[name]
    value = field.get_default(call_default_factory=True)
    if name in WRITTEN_OUT:
        default = WRITTEN_OUT[name]
    elif value is None or value == []:
        default = "none"
    elif isinstance(value, ByteSize):
        default = f"`{value.human_readable().replace('.0', '')}`"
    else:
        default = f"`{str(value).lower() if isinstance(value, bool) else value}`"
    return f"| `{name}` | {default} | {field.description} |"


ALL = cast(TyperGroup, get_command(build())).commands
COMMANDS = {name: command for name, command in ALL.items() if not command.hidden}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_setting_is_documented_as_it_is(name: str) -> None:
    assert setting_row(name) in DOCS.splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_documented_with_its_options(name: str) -> None:
    [row] = [line for line in DOCS.splitlines() if line.startswith(f"| `pairloom {name}")]
    missing = [
        option
        for parameter in COMMANDS[name].params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--") and option != "--help" and f"`{option}`" not in row
    ]
    assert not missing


GROUPS = [
    (name, sub, command)
    for name, group in COMMANDS.items()
    if isinstance(group, TyperGroup)
    for sub, command in group.commands.items()
]


@pytest.mark.parametrize(("name", "sub", "command"), GROUPS)
def test_the_command_of_a_group_is_documented_with_its_options(name: str, sub: str, command: TyperCommand) -> None:
    [row] = [line for line in DOCS.splitlines() if line.startswith(f"| `pairloom {name}")]
    assert f"`{sub} " in row.replace("`list`", "`list `")
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert not {option for option in options - {"--help"} if f"`{option}`" not in row}


def test_no_setting_is_documented_that_is_not_there() -> None:
    start = DOCS.index("## Settings")
    rows = [line for line in DOCS[start : DOCS.index("\n## ", start)].splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows} == set(Settings.model_fields)

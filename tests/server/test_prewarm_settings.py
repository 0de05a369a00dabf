from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from generation.prewarm import Wish
from server.engine_settings import generation_settings
from server.prewarm_settings import PrewarmTable
from server.settings import Settings
from server.settings_loading import SettingsError, load

DOCS = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def test_prompts_are_read_from_tables_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pairloom.toml"
    file.write_text('[[prewarm]]\nroom = "team/app"\nprompt = "Add tests"\nfiles = ["a.py"]\nstrategy = "full"\n')
    settings = load(file).settings
    assert generation_settings(settings).prewarm == (Wish("team/app", "Add tests", ("a.py",), "full"),)  # type: ignore[arg-type]


def test_prompts_are_read_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_PREWARM", '[{"room": "main", "prompt": "Add tests"}]')
    loaded = load()
    assert [str(table) for table in loaded.settings.prewarm] == ["main: Add tests"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"room": "a b", "prompt": "x"}, "percent-encode"),
        ({"room": "main", "prompt": ""}, "prompt"),
        ({"room": "main"}, "prompt"),
        ({"room": "main", "prompt": "x", "speed": 1}, "speed"),
    ],
)
def test_a_table_that_is_wrong_is_told(table: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"prewarm": [table]})


def test_a_variable_that_is_no_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_PREWARM", "[")
    with pytest.raises(SettingsError, match="no valid JSON"):
        load()


def test_prompts_ahead_need_the_cache() -> None:
    with pytest.raises(ValidationError, match="set answer_cache to true"):
        Settings.model_validate({"prewarm": [{"room": "main", "prompt": "x"}], "answer_cache": False})


@pytest.mark.parametrize("name", PrewarmTable.model_fields)
def test_the_table_is_documented_as_it_is(name: str) -> None:
    field = PrewarmTable.model_fields[name]
    default = "needed" if field.is_required() else "none"
    assert f"| `{name}` | {default} | {field.description} |" in DOCS.splitlines()

"""The tables of providers in the settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from generation.catalog import Price
from server.engine_settings import generation_settings
from server.model_settings import ModelTable, ProviderTable
from server.settings import Settings
from server.settings_loading import LoadedSettings, SettingsError, load

DOCS = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
FILE = """
fallback = ["small", "large"]

[[providers]]
name = "hosted"
base_url = "https://models.example.org/v1/"
key_variable = "HOSTED_KEY"

[[providers.models]]
name = "large"
id = "vendor/large-2"
context_tokens = 200000
answer_tokens = 32000
capabilities = ["code", "reasoning"]
price_prompt = 3.0
price_answer = 15.0

[[providers.models]]
name = "other"

[[providers]]
name = "here"
base_url = "http://127.0.0.1:11434/v1"

[[providers.models]]
name = "small"
answer_format = "whole"
"""


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine, and no file of the working folder, reaches these tests."""
    for name in os.environ:
        if name.startswith("PAIRLOOM_") or name == "OPENAI_API_KEY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def loaded(text: str = FILE) -> LoadedSettings:
    Path("pairloom.toml").write_text(text, encoding="utf-8")
    return load()


def test_models_come_in_the_order_of_fallback_then_of_the_file() -> None:
    models = generation_settings(loaded().settings).models()
    assert [model.name for model in models] == ["small", "large", "other"]


def test_the_model_that_is_set_comes_first() -> None:
    models = generation_settings(loaded('model = "other"\n' + FILE).settings).models()
    assert [model.name for model in models] == ["other", "small", "large"]


def test_a_model_is_what_its_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTED_KEY", "sk-hosted\n")
    large = generation_settings(loaded().settings).models().get("large")
    assert (large.id, large.context_tokens, large.answer_tokens) == ("vendor/large-2", 200_000, 32_000)
    assert large.capabilities == {"code", "reasoning"}
    assert large.price == Price(3.0, 3.0, 15.0)
    assert (large.provider.base_url, large.provider.api_key) == ("https://models.example.org/v1", "sk-hosted")


def test_a_key_that_is_not_there_is_told_and_no_error() -> None:
    models = generation_settings(loaded().settings).models()
    assert models.get("large").provider.missing_key == "the variable HOSTED_KEY is not set"
    assert models.get("small").provider.missing_key == ""


def test_openais_own_endpoint_takes_its_usual_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usual")
    text = '[[providers]]\nname = "openai"\n[[providers.models]]\nname = "a"\n'
    assert generation_settings(loaded(text).settings).models().get("a").provider.api_key == "sk-usual"


def test_a_key_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-file\n", encoding="utf-8")
    text = FILE.replace('key_variable = "HOSTED_KEY"', f'key_file = "{tmp_path / "key"}"')
    assert generation_settings(loaded(text).settings).models().get("large").provider.api_key == "sk-file"
    (tmp_path / "key").unlink()
    assert (
        "cannot be read" in generation_settings(loaded(text).settings).models().get("large").provider.missing_key
    )


def test_keys_are_secrets_that_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTED_KEY", "sk-hosted")
    found = loaded()
    assert "sk-hosted" in found.settings.secrets()
    assert "sk-hosted" not in repr(found.settings)
    [row] = [row for row in found.rows() if row.name == "providers"]
    assert row.value == "hosted (large, other), here (small)"


def test_providers_may_come_as_json_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "PAIRLOOM_PROVIDERS", '[{"name": "p", "base_url": "http://h/v1", "models": [{"name": "a"}]}]'
    )
    monkeypatch.setenv("PAIRLOOM_FALLBACK", "a")
    assert [model.name for model in generation_settings(load().settings).models()] == ["a"]
    monkeypatch.setenv("PAIRLOOM_PROVIDERS", "[")
    with pytest.raises(SettingsError, match="no valid JSON"):
        load()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('name = "other"', 'name = "small"', "two models are called 'small'"),
        ('name = "here"', 'name = "hosted"', "two providers are called 'hosted'"),
        ('"small", "large"', '"small", "none"', "fallback names 'none'"),
        ('"small", "large"', '"small", "small"', "two names in fallback"),
        ("price_answer = 15.0", "", "price_prompt and price_answer go together"),
        ("price_prompt = 3.0", "price_prompt = -1.0", "providers.0.models.0.price_prompt"),
        ('name = "other"', 'name = "offline"', "name of the templates"),
        ('["code", "reasoning"]', '["coding"]', "providers.0.models.0.capabilities"),
        ("context_tokens = 200000", "context_tokens = 10", "providers.0.models.0.context_tokens"),
        ("https://models.example.org", "ftp://models.example.org", "must be a URL that starts with http"),
        ("https://models", "https://me:secret@models", "must hold no name and no password"),
        ('key_variable = "HOSTED_KEY"', 'key_variable = "A"\nkey_file = "k"', "exclude each other"),
        ('key_variable = "HOSTED_KEY"', 'key = "sk-1"', "providers.0.key"),
        ("fallback", 'base_url = "http://h/v1"\nfallback', "base_url goes with model alone"),
        ("fallback", 'model = "none"\nfallback', "which is no model of providers"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_where(before: str, after: str, words: str) -> None:
    text = FILE.replace(before, after, 1)
    assert text != FILE
    with pytest.raises(SettingsError) as raised:
        loaded(text)
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def test_one_model_goes_on_working() -> None:
    settings = Settings(model="m", base_url="http://h/v1", model_context_tokens=50_000)
    [model] = generation_settings(settings).models()
    assert (model.name, model.id, model.context_tokens) == ("m", "m", 50_000)


@pytest.mark.parametrize("table", [ProviderTable, ModelTable])
def test_the_tables_are_documented_as_they_are(table: type[ProviderTable | ModelTable]) -> None:
    rows = DOCS.splitlines()
    for name, field in table.model_fields.items():
        [row] = [
            row for row in rows if row.startswith(f"| `{name}` |") and row.endswith(f"| {field.description} |")
        ]
        default = field.get_default()
        told = row.split("|")[2].strip()
        if field.is_required():
            assert told == "needed"
        elif default is None:
            assert told == "none"
        else:
            assert told == f"`{['code'] if isinstance(default, frozenset) else default}`".replace("'", '"')

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from collab.limits import Limits
from server.settings import Settings
from server.settings_loading import MASK, SettingsError, load


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine, and no file of the working folder, reaches these tests."""
    for name in os.environ:
        if name.startswith("PAIRLOOM_") or name == "OPENAI_API_KEY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write_config(text: str, name: str = "pairloom.toml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_set_the_server_is_for_this_machine_only() -> None:
    settings = load().settings
    assert (settings.host, settings.port, settings.room) == ("127.0.0.1", 8000, "main")
    assert settings.model is None


def test_the_command_line_wins_over_variables_and_variables_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_config('port = 1001\nroom = "file"\nlog_level = "debug"\n')
    monkeypatch.setenv("PAIRLOOM_PORT", "1002")
    monkeypatch.setenv("PAIRLOOM_ROOM", "variable")
    loaded = load(overrides={"port": 1003, "room": None})
    assert (loaded.settings.port, loaded.settings.room, loaded.settings.log_level) == (
        1003,
        "variable",
        "debug",
    )
    sources = {row.name: row.source for row in loaded.rows()}
    assert (sources["port"], sources["room"], sources["log_level"], sources["host"]) == (
        "command line",
        "PAIRLOOM_ROOM",
        "pairloom.toml",
        "default",
    )


def test_the_file_can_be_named_by_a_variable_or_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = write_config("port = 1001\n", "a.toml"), write_config("port = 1002\n", "b.toml")
    monkeypatch.setenv("PAIRLOOM_CONFIG", str(first))
    assert load().settings.port == 1001
    assert load(second).settings.port == 1002


def test_a_named_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SettingsError, match="no such settings file"):
        load(Path("missing.toml"))


def test_an_unknown_name_in_the_file_is_an_error_that_names_the_nearest() -> None:
    write_config("prot = 9000\n")
    with pytest.raises(SettingsError, match=r"pairloom.toml: prot is no setting; did you mean port\?"):
        load()


def test_an_unknown_variable_is_an_error_that_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_LIMIT_FILE_BYTE", "1")
    with pytest.raises(SettingsError, match=r"did you mean PAIRLOOM_LIMIT_FILE_BYTES\?"):
        load()


def test_an_unknown_name_that_is_near_to_nothing_points_to_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_XQZ", "1")
    with pytest.raises(SettingsError, match="`pairloom settings` lists all"):
        load()


def test_all_unknown_names_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write_config("prot = 9000\n")
    monkeypatch.setenv("PAIRLOOM_HOTS", "x")
    with pytest.raises(SettingsError) as raised:
        load()
    assert "prot" in str(raised.value)
    assert "PAIRLOOM_HOTS" in str(raised.value)


def test_a_wrong_value_is_an_error_that_tells_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_PORT", "99999")
    with pytest.raises(SettingsError, match=r"port \(PAIRLOOM_PORT\): .* 65535"):
        load()


def test_a_broken_file_is_an_error_that_names_it() -> None:
    write_config("port = \n")
    with pytest.raises(SettingsError, match=r"pairloom\.toml: is no valid TOML"):
        load()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_MODEL", "")
    assert load().settings.model is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "pairloom.example.org"])
def test_an_address_that_others_reach_is_refused_with_what_to_do(host: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(overrides={"host": host})
    for word in (host, "no sign-in", "SSH", "reverse proxy", "trusted_network"):
        assert word in str(raised.value)


def test_an_address_that_others_reach_is_taken_on_a_trusted_network() -> None:
    assert load(overrides={"host": "0.0.0.0", "trusted_network": True}).settings.host == "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_addresses_of_this_machine_only_are_taken(host: str) -> None:
    assert load(overrides={"host": host}).settings.host == host


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
    ],
)
def test_the_address_is_one_that_this_machine_reaches(host: str, address: str) -> None:
    assert Settings(host=host, trusted_network=True).address == address


def test_the_room_address_keeps_the_name_as_it_is() -> None:
    assert Settings(room="a%2Fb/c").room_url == "http://127.0.0.1:8000/r/a%2Fb/c"


def test_a_room_name_that_no_room_may_have_is_an_error() -> None:
    with pytest.raises(SettingsError, match="room"):
        load(overrides={"room": "../x"})


def test_the_key_falls_back_to_the_usual_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "usual-key")
    loaded = load()
    assert loaded.settings.secrets() == ["usual-key"]
    assert {row.name: row.source for row in loaded.rows()}["api_key"] == "OPENAI_API_KEY"
    monkeypatch.setenv("PAIRLOOM_API_KEY", "own-key")
    assert load().settings.secrets() == ["own-key"]


def test_secrets_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_API_KEY", "hunter2-key")
    monkeypatch.setenv("PAIRLOOM_REDIS_URL", "redis://:hunter2-password@localhost:6379")
    loaded = load()
    assert "hunter2" not in repr(loaded) + str(loaded.rows())
    assert {row.name: row.value for row in loaded.rows()}["api_key"] == MASK


def test_a_wrong_secret_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_REDIS_URL", "http://:hunter2@localhost")
    with pytest.raises(SettingsError, match="redis_url") as raised:
        load()
    assert "hunter2" not in str(raised.value)


def test_a_base_url_with_a_password_is_refused() -> None:
    with pytest.raises(SettingsError, match="api_key"):
        load(overrides={"base_url": "https://me:hunter2@models.example.org/v1"})


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_ALLOWED_ORIGINS", "https://A.example.org/, http://b.example.org:81")
    assert load().settings.allowed_origins == ["https://a.example.org", "http://b.example.org:81"]


def test_something_that_is_no_origin_is_refused() -> None:
    write_config('allowed_origins = ["example.org"]\n')
    with pytest.raises(SettingsError, match=r"'example.org' is no origin"):
        load()


def test_the_defaults_of_the_limits_are_those_of_the_core() -> None:
    assert Settings().limits() == Limits()


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_each_limit_of_the_core_can_be_set(name: str) -> None:
    settings = Settings.model_validate({f"limit_{name}": 77})
    assert getattr(settings.limits(), name) == 77


def test_sizes_may_be_given_with_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_LIMIT_FILE_BYTES", "3MiB")
    assert load().settings.limits().file_bytes == 3 * 1024 * 1024


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_says_what_it_is_for(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description is not None
    assert description.endswith(".")


def test_settings_made_by_hand_read_nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOM_PORT", "1002")
    assert Settings().port == 8000


def test_the_database_is_in_the_data_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).database_path == tmp_path / "pairloom.db"
    assert Settings(data_dir=tmp_path, database=tmp_path / "x.db").database_path == tmp_path / "x.db"

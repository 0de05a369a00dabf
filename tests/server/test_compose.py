"""compose.yaml is valid, and what it sets are settings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.settings import load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_the_server_is_published_for_this_machine_only(compose: dict[str, Any]) -> None:
    assert compose["services"]["pairloom"]["ports"] == ["127.0.0.1:8000:8000"]


def test_redis_stores_each_write_before_it_answers(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"]
    assert "--appendonly yes --appendfsync always" in " ".join(redis["command"])
    assert redis["volumes"] == ["redis:/data"]
    assert "ports" not in redis


def test_its_environment_makes_valid_settings(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("PAIRLOOM_"):
            monkeypatch.delenv(name)
    for name, value in compose["services"]["pairloom"]["environment"].items():
        monkeypatch.setenv(name, "" if value.startswith("${") else value)
    settings = load().settings
    assert settings.trusted_network
    assert (settings.host, settings.model) == ("0.0.0.0", None)
    assert settings.data_dir == Path("/data")


def test_every_volume_and_dependency_is_declared(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
        assert set(service.get("depends_on", {})) <= set(services)


def test_the_image_is_built_from_files_of_this_repository() -> None:
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert copied
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignore, name


def _has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.integration
@pytest.mark.skipif(not _has_compose(), reason="needs docker compose")
def test_docker_compose_reads_it() -> None:
    result = subprocess.run(
        ["docker", "compose", "config", "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(result.stdout)["services"]) == {"pairloom", "redis"}

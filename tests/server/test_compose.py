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

from server.settings_loading import load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


NODES = ("node-1", "node-2")


def test_only_the_balancer_is_published_and_for_this_machine_only(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"balancer": ["127.0.0.1:8000:8000"]}


def test_redis_stores_each_write_before_it_answers_and_evicts_nothing(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"]
    assert "--appendonly yes --appendfsync always" in redis["command"]
    assert "--maxmemory-policy noeviction" in redis["command"]
    assert redis["volumes"] == ["redis:/data"]


def test_only_nodes_reach_redis(compose: dict[str, Any]) -> None:
    near = {name for name, service in compose["services"].items() if "store" in service["networks"]}
    assert near == {"redis", *NODES}
    assert compose["networks"]["store"]["internal"]


def test_the_nodes_differ_in_their_name_only(compose: dict[str, Any]) -> None:
    first, second = (compose["services"][name] for name in NODES)
    assert (first.pop("hostname"), second.pop("hostname")) == NODES
    assert first == second


@pytest.mark.parametrize("name", NODES)
def test_its_environment_makes_valid_settings(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in os.environ:
        if variable.startswith("PAIRLOOM_"):
            monkeypatch.delenv(variable)
    for variable, value in compose["services"][name]["environment"].items():
        monkeypatch.setenv(variable, "" if value.startswith("${") else value)
    settings = load().settings
    assert settings.trusted_network
    assert (settings.host, settings.model) == ("0.0.0.0", None)
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "redis://redis:6379/0"


def test_the_balancer_knows_the_nodes() -> None:
    config = (ROOT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8")
    servers = [line.split()[1:3] for line in config.splitlines() if line.strip().startswith("server ")]
    assert servers == [[name, f"{name}:8000"] for name in NODES]


def test_every_volume_and_dependency_is_declared(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        sources = {volume.split(":")[0] for volume in service.get("volumes", [])}
        files = {source for source in sources if source.startswith("./")}
        assert sources - files <= set(compose["volumes"])
        assert all((ROOT / file).is_file() for file in files)
        assert set(service["networks"]) <= set(compose["networks"])
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
    assert set(json.loads(result.stdout)["services"]) == {"balancer", "redis", *NODES}

"""What ``pairloom doctor`` looks at, apart from the rooms: the address, the data folder, the model, Redis."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError

from collab.errors import StoreError
from collab.io.redis_address import Kind
from collab.io.redis_link import RedisLink
from generation.catalog import OPENAI_URL, ModelSpec
from server.commands.findings import AddressFacts, FolderFacts, ModelFacts, RedisFacts, ServerFacts
from server.engine_settings import generation_settings
from server.settings import Settings, is_loopback

_SECONDS: Final = 5.0

Ask = Callable[..., Awaitable[Any]]
"""Sends one command to one server."""


async def address(settings: Settings) -> AddressFacts:
    """Whether something answers at the settings' address, and whether that is a Pairloom."""
    where = settings.address
    parts = urlsplit(where)
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.close()
    except (OSError, TimeoutError):
        return AddressFacts(where, listens=False)
    local = is_loopback(parts.hostname or "")
    try:
        async with httpx.AsyncClient(base_url=where, timeout=_SECONDS, trust_env=not local) as client:
            answer = (await client.get("/health/ready")).json()
            ready = answer["status"] == "ready"
            version = str((await client.get("/health/live")).json()["version"])
    except (httpx.HTTPError, ValueError, TypeError, KeyError):
        return AddressFacts(where, listens=True)
    reason = "" if ready else str(answer.get("reason", "it does not say why"))
    return AddressFacts(where, listens=True, pairloom=True, version=version, not_ready=reason)


def folder(path: Path) -> FolderFacts:
    """Whether files can be made in a folder, which may not be there yet, and the space on its disk."""
    there = next(place for place in (path, *path.parents) if place.exists())
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return FolderFacts(str(path), path.exists(), writable, shutil.disk_usage(there).free)


async def models(settings: Settings) -> list[ModelFacts]:
    """What the endpoint of each model answers to GET /models. Keys are sent there and told nowhere."""
    engine = generation_settings(settings)
    catalog = engine.models()
    if not len(catalog):
        return [ModelFacts(None, OPENAI_URL)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_model(spec, min(engine.timeout_connect, 10.0))) for spec in catalog]
    return [task.result() for task in tasks]


async def _model(spec: ModelSpec, seconds: float) -> ModelFacts:
    where = spec.provider.url
    if spec.provider.missing_key:
        return ModelFacts(spec.id, where, missing_key=spec.provider.missing_key)
    key = spec.provider.api_key
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    local = is_loopback(urlsplit(where).hostname or "")
    try:
        async with httpx.AsyncClient(timeout=seconds, trust_env=not local) as client:
            response = await client.get(f"{where}/models", headers=headers)
    except httpx.TimeoutException:
        return ModelFacts(spec.id, where, problem=f"no answer within {seconds:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The text of some errors holds the headers that were sent.
        return ModelFacts(spec.id, where, problem=type(error).__name__)
    return ModelFacts(spec.id, where, response.status_code, listed=_listed(response, spec.id))


def _listed(response: httpx.Response, name: str) -> bool | None:
    """Whether the model is in the list; None where that is no list."""
    try:
        names = [one["id"] for one in response.json()["data"]]
    except (ValueError, TypeError, KeyError):
        return None
    # Some endpoints append a tag, which may be left out when asking.
    return any(name in {known, str(known).removesuffix(":latest")} for known in names) if names else None


async def redis(link: RedisLink, nodes: Callable[[], Awaitable[tuple[str, ...]]]) -> RedisFacts:
    """What Redis says of itself. ``nodes`` reads the live nodes. Does not raise StoreError: that is a fact."""
    kind = link.address.kind
    try:
        with link.failures():
            servers, state = await _servers(link)
        sentinels, quorum = await _sentinels(link) if kind is Kind.SENTINEL else (None, "")
        live = await nodes()
    except StoreError as error:
        return RedisFacts(link.place(), kind.value, (), None, problem=error.message)
    return RedisFacts(
        link.place(), kind.value, servers, live, cluster_state=state, sentinels=sentinels, quorum=quorum
    )


async def _servers(link: RedisLink) -> tuple[tuple[ServerFacts, ...], str | None]:
    client = link.client
    if not link.clustered:
        name = link.address.service or str(link.address).rpartition(" at ")[2]
        return (await _server(client.execute_command, name),), None
    await client.initialize()
    servers = []
    state = "ok"
    for node in client.get_primaries():

        async def ask(*command: Any, node: Any = node) -> Any:
            return await client.execute_command(*command, target_nodes=node)

        servers.append(await _server(ask, f"{node.host}:{node.port}"))
        # CLUSTER INFO's answer is parsed by redis-py, for one node into a dict of texts.
        told = await ask("CLUSTER INFO")
        if (one := _text(told["cluster_state"])) != "ok":
            state = one
    return tuple(servers), state


async def _server(ask: Ask, name: str) -> ServerFacts:
    await ask("PING")
    before, began = time.time(), time.monotonic()
    seconds, micros = await ask("TIME")
    took = time.monotonic() - began
    clock = (int(seconds) + int(micros) / 1e6) - (before + took / 2)
    info: dict[str, Any] = await ask("INFO")
    config = await _config(ask)
    snapshots = bool(config["save"]) if "save" in config else None
    return ServerFacts(
        name=name,
        version=str(info["redis_version"]),
        role=str(info["role"]),
        clustered=bool(info.get("cluster_enabled")),
        aof=bool(info["aof_enabled"]) if "aof_enabled" in info else None,
        appendfsync=config.get("appendfsync"),
        snapshots=snapshots,
        write_problem=_write_problem(info),
        maxmemory=_number(info.get("maxmemory")),
        policy=_optional(info.get("maxmemory_policy")),
        used_bytes=_number(info.get("used_memory")),
        system_bytes=_number(info.get("total_system_memory")),
        replicas=int(info.get("connected_slaves", 0)),
        clock_ms=clock * 1000,
        answer_ms=took * 1000,
    )


async def _config(ask: Ask) -> dict[str, str]:
    """What CONFIG tells; nothing where the server does not let this user ask, as many hosted ones do not."""
    found: dict[str, str] = {}
    for name in ("appendfsync", "save"):
        try:
            answer = await ask("CONFIG GET", name)
        except RedisError:
            return found
        pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
        found.update({_text(key): _text(value) for key, value in pairs})
    return found


def _write_problem(info: dict[str, Any]) -> str:
    names = {
        "aof_last_write_status": "Its last write to the append-only file failed.",
        "aof_last_bgrewrite_status": "It could not rewrite its append-only file, which goes on growing.",
        "rdb_last_bgsave_status": "Its last copy to the disk (RDB) failed.",
    }
    return next((words for name, words in names.items() if info.get(name, "ok") != "ok"), "")


async def _sentinels(link: RedisLink) -> tuple[int | None, str]:
    """How many Sentinels know the master, and what is wrong with them in words."""
    where = link.address
    for host, port in where.hosts:
        # Typed loosely, as its methods are.
        client: Any = Redis(
            host=host,
            port=port,
            username=where.sentinel_username,
            password=where.sentinel_password,
            ssl=where.tls,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
            **where.tls_options,  # type: ignore[arg-type]
        )
        try:
            others = await client.execute_command("SENTINEL SENTINELS", where.service)
            try:
                await client.execute_command("SENTINEL CKQUORUM", where.service)
            except RedisError as error:
                return 1 + len(others), f"The Sentinels cannot fail over: {str(error)[:160].rstrip('.')}."
            return 1 + len(others), ""
        except (RedisError, OSError, socket.gaierror):
            continue
        finally:
            await client.aclose()
    return None, f"No Sentinel of {where} answers."


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

"""What ``pairloom doctor`` makes of what it saw. Pure: facts in, findings out; ``facts.py`` gathers them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rich.filesize import decimal

OLDEST_REDIS: Final = (6, 2)
OLDEST_CLUSTER: Final = (7, 0)
"""The first with sharded pub/sub."""
LITTLE_DISK: Final = 1_000_000_000
NO_DISK: Final = 100_000_000
FULL: Final = 0.85
"""The part of its memory from which a Redis counts as nearly full."""
CLOCK_MS: Final = 2_000
"""A difference of clocks that people notice in the times they are shown."""
SLOW_MS: Final = 50.0


class Level(Enum):
    """How a finding is meant."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong, but an operator should know."""
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It could not be checked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. ``remedy`` says what to do, where something is to be done."""

    level: Level
    about: str
    message: str
    remedy: str = ""


def exit_code(findings: Iterable[Finding]) -> int:
    """0 all well, 1 something is wrong, 2 something could not be checked."""
    levels = {finding.level for finding in findings}
    return 1 if Level.WRONG in levels else 2 if Level.UNKNOWN in levels else 0


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """What is at the address of the settings."""

    address: str
    listens: bool
    pairloom: bool = False
    version: str = ""
    not_ready: str = ""


def about_address(facts: AddressFacts, version: str) -> Iterator[Finding]:
    """Whether a server runs there, or could."""
    if not facts.listens:
        yield Finding(Level.OK, "address", f"No server runs at {facts.address}; the port is free.")
        return
    if not facts.pairloom:
        yield Finding(
            Level.WRONG,
            "address",
            f"Another program answers at {facts.address}.",
            "Stop it, or choose another port with the setting port.",
        )
        return
    if facts.not_ready:
        yield Finding(
            Level.WRONG,
            "address",
            f"The server at {facts.address} is not ready: {facts.not_ready}",
            "See what follows here about the store, and the server's log.",
        )
    else:
        yield Finding(Level.OK, "address", f"A server runs at {facts.address} and is ready.")
    if facts.version != version:
        yield Finding(
            Level.NOTE,
            "address",
            f"The server is version {facts.version}, this command {version}.",
            "Restart the server to bring it to the installed version.",
        )


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """The folder of the embedded store. ``problem`` says why it cannot be looked at."""

    path: str
    exists: bool
    writable: bool
    free_bytes: int


def about_folder(facts: FolderFacts) -> Iterator[Finding]:
    """Whether the embedded store can be written there."""
    if not facts.writable:
        yield Finding(
            Level.WRONG,
            "data folder",
            f"{facts.path} cannot be written by this user{'' if facts.exists else ', as it cannot be made'}.",
            "Give this user the folder, or set data_dir to another one.",
        )
    elif not facts.exists:
        yield Finding(Level.OK, "data folder", f"{facts.path} is not there yet; the first start makes it.")
    else:
        yield Finding(Level.OK, "data folder", f"{facts.path} can be written.")
    free = f"{decimal(facts.free_bytes)} are free on the disk of {facts.path}"
    if facts.free_bytes < NO_DISK:
        yield Finding(Level.WRONG, "disk", f"Only {free}.", "Make room: on a full disk no edit is saved.")
    elif facts.free_bytes < LITTLE_DISK:
        yield Finding(Level.NOTE, "disk", f"Only {free}.", "Make room soon.")
    else:
        yield Finding(Level.OK, "disk", f"{free}.")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the provider of the model said. ``status`` is that of GET /models, None when nothing answered."""

    model: str | None
    address: str
    status: int | None = None
    problem: str = ""
    listed: bool | None = None
    missing_key: str = ""


def about_model(facts: ModelFacts) -> Iterator[Finding]:
    """Whether the model can be asked."""
    if facts.model is None:
        yield Finding(Level.OK, "model", "No model is set: templates answer requests, and say so.")
    elif facts.missing_key:
        yield Finding(
            Level.WRONG,
            "model",
            f"{facts.model} at {facts.address} cannot be asked: {facts.missing_key}.",
            "Set the key, or take the model out of providers.",
        )
    elif facts.status is None:
        yield Finding(
            Level.WRONG,
            "model",
            f"{facts.address} does not answer: {facts.problem}.",
            "Start the endpoint, or correct base_url.",
        )
    elif facts.status in {401, 403}:
        yield Finding(
            Level.WRONG,
            "model",
            f"{facts.address} refuses the key (status {facts.status}).",
            "Correct api_key (PAIRLOOM_API_KEY).",
        )
    elif facts.status != 200:
        yield Finding(
            Level.NOTE,
            "model",
            f"{facts.address} answers, but does not list its models (status {facts.status}); whether it has "
            f"{facts.model} shows with the first request.",
        )
    elif facts.listed is False:
        yield Finding(
            Level.WRONG,
            "model",
            f"{facts.address} does not list {facts.model} among its models.",
            "Correct model, or load it at the endpoint.",
        )
    else:
        yield Finding(Level.OK, "model", f"{facts.address} answers and has {facts.model}.")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One Redis server that takes writes. What it does not tell is None."""

    name: str
    version: str
    role: str
    clustered: bool
    aof: bool | None
    appendfsync: str | None
    snapshots: bool | None
    """Whether it writes RDB files by itself."""
    write_problem: str
    """What its last write to the disk says, empty when all is well."""
    maxmemory: int | None
    policy: str | None
    used_bytes: int | None
    system_bytes: int | None
    replicas: int
    clock_ms: float
    """Its clock minus ours."""
    answer_ms: float


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """The Redis of the settings. ``kind`` is server, socket, sentinel or cluster."""

    place: str
    kind: str
    servers: tuple[ServerFacts, ...]
    nodes: tuple[str, ...] | None
    """Live nodes; None when they cannot be told."""
    problem: str = ""
    """Why it cannot be reached."""
    cluster_state: str | None = None
    sentinels: int | None = None
    """How many Sentinels know the master and each other."""
    quorum: str = ""
    """What is wrong with the Sentinels."""


def about_redis(facts: RedisFacts) -> Iterator[Finding]:
    """Whether Redis can be relied on, and what "saved" means with it."""
    if facts.problem:
        yield Finding(Level.UNKNOWN, "Redis", facts.problem, "Nothing else of the store could be checked.")
        return
    yield Finding(Level.OK, "Redis", f"{facts.place[:1].upper()}{facts.place[1:]} answers.")
    if facts.cluster_state is not None:
        if facts.cluster_state == "ok":
            yield Finding(Level.OK, "Cluster", f"All slots are served, by {len(facts.servers)} masters.")
        else:
            yield Finding(
                Level.WRONG,
                "Cluster",
                f"The Cluster's state is {facts.cluster_state}.",
                "See `redis-cli cluster nodes`: rooms whose slots have no master cannot be saved.",
            )
    if facts.quorum:
        yield Finding(
            Level.WRONG,
            "Sentinel",
            facts.quorum,
            "See `redis-cli -p 26379 sentinel ckquorum`: without a majority nobody fails over.",
        )
    elif facts.sentinels is not None:
        watch = "1 Sentinel watches" if facts.sentinels == 1 else f"{facts.sentinels} Sentinels watch"
        yield Finding(Level.OK, "Sentinel", f"{watch} the master and can fail over.")
    for server in facts.servers:
        yield from _about_server(server, facts)
    if facts.nodes is None:
        yield Finding(Level.UNKNOWN, "nodes", "The live nodes could not be read.", "See the messages above.")
    elif facts.nodes:
        yield Finding(Level.OK, "nodes", f"{len(facts.nodes)} live: {', '.join(facts.nodes)}.")
    else:
        yield Finding(Level.OK, "nodes", "No node is running.")


def _about_server(server: ServerFacts, facts: RedisFacts) -> Iterator[Finding]:
    about = f"Redis {server.name}"
    number = tuple(int(part) for part in re.findall(r"\d+", server.version)[:2])
    oldest = OLDEST_CLUSTER if facts.kind == "cluster" else OLDEST_REDIS
    if number < oldest:
        remedy = f"Use Redis {'.'.join(map(str, oldest))} or newer, or Valkey."
        yield Finding(Level.WRONG, about, f"It is version {server.version}.", remedy)
    else:
        yield Finding(Level.OK, about, f"It is version {server.version}.")
    if server.role != "master":
        yield Finding(
            Level.WRONG,
            about,
            "It is a replica, which takes no writes.",
            "Set redis_url to the master, or to the Sentinels (redis+sentinel://).",
        )
    if server.clustered and facts.kind != "cluster":
        yield Finding(
            Level.WRONG, about, "It is part of a Cluster.", "Begin redis_url with redis+cluster:// for a Cluster."
        )
    yield from _about_durability(server, about)
    yield from _about_memory(server, about)
    if facts.kind in {"sentinel", "cluster"} and not server.replicas:
        yield Finding(
            Level.NOTE, about, "It has no replica: nothing takes over when it fails.", "Give it a replica."
        )
    elif server.replicas:
        yield Finding(
            Level.OK,
            about,
            f"{server.replicas} {'replica follows' if server.replicas == 1 else 'replicas follow'} it. A "
            "fail-over may lose what they had not got yet; the nodes then bring back what they hold.",
        )
    if abs(server.clock_ms) > CLOCK_MS:
        yield Finding(
            Level.NOTE,
            about,
            f"Its clock and this machine's differ by {abs(server.clock_ms) / 1000:.1f} s. Leases go by its "
            "clock and are not harmed; the times that people see are this machine's.",
            "Let both machines follow a time server.",
        )
    if server.answer_ms > SLOW_MS:
        yield Finding(
            Level.NOTE,
            about,
            f"It took {server.answer_ms:.0f} ms to answer.",
            "People see each other's edits later by that, where they sit on different nodes: move it nearer.",
        )


def _about_durability(server: ServerFacts, about: str) -> Iterator[Finding]:
    advice = "Set appendonly yes and appendfsync always."
    if server.aof is None:
        yield Finding(Level.NOTE, about, "It does not tell whether it writes to a disk.", "Ask who runs it.")
    elif not server.aof and server.snapshots:
        yield Finding(
            Level.WRONG,
            about,
            'It only writes a copy to the disk from time to time: "saved" means that it is in the memory of '
            "Redis, and a crash of Redis loses all since the last copy that no node holds.",
            advice,
        )
    elif not server.aof:
        yield Finding(
            Level.WRONG,
            about,
            'It writes nothing to a disk: "saved" means that it is in the memory of Redis, and a restart of '
            "Redis loses every room that no node holds.",
            advice,
        )
    elif server.appendfsync == "always":
        yield Finding(Level.OK, about, 'appendfsync is always: "saved" means that it is on the disk of Redis.')
    elif server.appendfsync == "everysec":
        yield Finding(
            Level.NOTE,
            about,
            'appendfsync is everysec: "saved" means that Redis has it and writes it to the disk within about a '
            "second; a loss of power may take that second, unless a node still holds it.",
            "Set appendfsync always where that is not enough.",
        )
    elif server.appendfsync is None:
        yield Finding(
            Level.NOTE, about, "It keeps an append-only file, and does not tell how often it syncs it.", advice
        )
    else:
        yield Finding(
            Level.WRONG,
            about,
            f"appendfsync is {server.appendfsync}: the system writes when it likes, and a loss of power may take "
            "half a minute.",
            advice,
        )
    if server.write_problem:
        yield Finding(
            Level.WRONG, about, server.write_problem, "See its log and its disk; while this lasts it may refuse."
        )


def _about_memory(server: ServerFacts, about: str) -> Iterator[Finding]:
    if server.policy not in {None, "noeviction"}:
        yield Finding(
            Level.WRONG,
            about,
            f"maxmemory-policy is {server.policy}: when memory is short, Redis would throw rooms away.",
            "Set maxmemory-policy noeviction; edits are then refused and said to be not saved.",
        )
    if server.used_bytes is None:
        return
    bound = server.maxmemory or server.system_bytes
    of = f" of {decimal(bound)}{'' if server.maxmemory else ' that the machine has'}" if bound else ""
    used = f"It uses {decimal(server.used_bytes)}{of}."
    if bound and server.used_bytes > FULL * bound:
        yield Finding(
            Level.WRONG,
            about,
            f"{used} When it is full, no edit is saved.",
            "Raise maxmemory or give it a larger machine, or delete rooms.",
        )
    else:
        yield Finding(Level.OK, about, used)

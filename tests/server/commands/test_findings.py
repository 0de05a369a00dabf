from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from server.commands.findings import (
    AddressFacts,
    Finding,
    FolderFacts,
    Level,
    ModelFacts,
    RedisFacts,
    ServerFacts,
    about_address,
    about_folder,
    about_model,
    about_redis,
    exit_code,
)

SERVER = ServerFacts(
    name="127.0.0.1:6379",
    version="7.0.15",
    role="master",
    clustered=False,
    aof=True,
    appendfsync="always",
    snapshots=False,
    write_problem="",
    maxmemory=1_000_000_000,
    policy="noeviction",
    used_bytes=1_000_000,
    system_bytes=8_000_000_000,
    replicas=0,
    clock_ms=3.0,
    answer_ms=0.2,
)
REDIS = RedisFacts("Redis at 127.0.0.1:6379", "server", (SERVER,), ("node-1", "node-2"))


def redis(**changes: Any) -> list[Finding]:
    """What is said of a sound server that differs in this."""
    return list(about_redis(replace(REDIS, servers=(replace(SERVER, **changes),))))


def not_ok(found: Iterable[Finding]) -> list[tuple[Level, str]]:
    return [(one.level, one.message) for one in found if one.level is not Level.OK]


def test_a_sound_redis_is_well() -> None:
    found = redis()
    assert not_ok(found) == []
    assert any('"saved" means that it is on the disk of Redis' in one.message for one in found)
    assert any("2 live: node-1, node-2" in one.message for one in found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": "6.0.16"}, "version 6.0.16"),
        ({"role": "slave"}, "is a replica"),
        ({"clustered": True}, "part of a Cluster"),
        ({"aof": False, "snapshots": True}, "from time to time"),
        ({"aof": False, "snapshots": False}, "writes nothing to a disk"),
        ({"appendfsync": "no"}, "appendfsync is no"),
        ({"policy": "allkeys-lru"}, "maxmemory-policy is allkeys-lru"),
        ({"used_bytes": 900_000_000}, "no edit is saved"),
        ({"maxmemory": 0, "used_bytes": 7_900_000_000}, "that the machine has"),
        ({"write_problem": "Its last write failed."}, "Its last write failed."),
    ],
)
def test_a_fault_of_redis_is_wrong_and_has_a_remedy(changes: dict[str, Any], words: str) -> None:
    [finding] = [one for one in redis(**changes) if one.level is not Level.OK]
    assert finding.level is Level.WRONG
    assert words in finding.message
    assert finding.remedy


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"appendfsync": "everysec"}, "within about a second"),
        ({"aof": None}, "does not tell"),
        ({"appendfsync": None}, "does not tell how often"),
        ({"clock_ms": -4_000.0}, "differ by 4.0 s"),
        ({"answer_ms": 80.0}, "80 ms"),
    ],
)
def test_what_an_operator_should_know_is_a_note(changes: dict[str, Any], words: str) -> None:
    [(level, message)] = not_ok(redis(**changes))
    assert level is Level.NOTE
    assert words in message


def test_a_version_of_two_digits_is_newer_than_one_of_one() -> None:
    assert not_ok(redis(version="10.0.0")) == []


def test_a_redis_that_is_not_reached_is_unknown() -> None:
    found = list(about_redis(RedisFacts("Redis", "server", (), None, problem="It refuses connections.")))
    assert not_ok(found) == [(Level.UNKNOWN, "It refuses connections.")]
    assert exit_code(found) == 2


def test_a_cluster_with_a_part_down_is_wrong() -> None:
    facts = replace(
        REDIS, kind="cluster", cluster_state="fail", servers=(replace(SERVER, clustered=True, replicas=1),)
    )
    assert not_ok(about_redis(facts)) == [(Level.WRONG, "The Cluster's state is fail.")]


def test_a_cluster_needs_sharded_channels() -> None:
    servers = (replace(SERVER, clustered=True, replicas=1, version="6.2.14"),)
    found = about_redis(replace(REDIS, kind="cluster", cluster_state="ok", servers=servers))
    assert not_ok(found) == [(Level.WRONG, "It is version 6.2.14.")]


def test_sentinels_without_a_majority_are_wrong() -> None:
    facts = replace(REDIS, kind="sentinel", quorum="No majority.", servers=(replace(SERVER, replicas=2),))
    assert not_ok(about_redis(facts)) == [(Level.WRONG, "No majority.")]


def test_a_master_without_a_replica_behind_sentinels_is_a_note() -> None:
    assert [level for level, _ in not_ok(about_redis(replace(REDIS, kind="sentinel", sentinels=3)))] == [
        Level.NOTE
    ]


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (ModelFacts(None, "x"), Level.OK),
        (ModelFacts("m", "x", 200, listed=True), Level.OK),
        (ModelFacts("m", "x", 200), Level.OK),
        (ModelFacts("m", "x", 200, listed=False), Level.WRONG),
        (ModelFacts("m", "x", 401), Level.WRONG),
        (ModelFacts("m", "x", 404), Level.NOTE),
        (ModelFacts("m", "x", problem="ConnectError"), Level.WRONG),
    ],
)
def test_the_model(facts: ModelFacts, level: Level) -> None:
    assert [one.level for one in about_model(facts)] == [level]


@pytest.mark.parametrize(
    ("facts", "levels"),
    [
        (AddressFacts("x", listens=False), [Level.OK]),
        (AddressFacts("x", listens=True), [Level.WRONG]),
        (AddressFacts("x", listens=True, pairloom=True, version="1"), [Level.OK]),
        (AddressFacts("x", listens=True, pairloom=True, version="0"), [Level.OK, Level.NOTE]),
        (AddressFacts("x", listens=True, pairloom=True, version="1", not_ready="why"), [Level.WRONG]),
    ],
)
def test_the_address(facts: AddressFacts, levels: list[Level]) -> None:
    assert [one.level for one in about_address(facts, "1")] == levels


@pytest.mark.parametrize(
    ("writable", "free", "levels"),
    [
        (True, 10**12, [Level.OK, Level.OK]),
        (False, 10**12, [Level.WRONG, Level.OK]),
        (True, 10**8 * 5, [Level.OK, Level.NOTE]),
        (True, 10**6, [Level.OK, Level.WRONG]),
    ],
)
def test_the_data_folder(writable: bool, free: int, levels: list[Level]) -> None:
    assert [one.level for one in about_folder(FolderFacts("x", True, writable, free))] == levels


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        ([Level.OK, Level.NOTE], 0),
        ([Level.OK, Level.WRONG, Level.UNKNOWN], 1),
        ([Level.OK, Level.UNKNOWN], 2),
    ],
)
def test_the_exit_code_says_whether_something_is_wrong(levels: list[Level], code: int) -> None:
    assert exit_code(Finding(level, "x", "y") for level in levels) == code

"""Real nodes, a real Redis and real y-websocket clients, while processes die and networks fail.

``make chaos N=200`` plays so many rounds; ``make chaos N=1 SEED=173`` plays a round again, as far as real
processes can. PAIRLOOM_CHAOS_REPORT names a file that gets a line of JSON for each round.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from httpx import HTTPError
from redis.exceptions import RedisError

from hatch_build import Node
from tests.integration.chaos.cluster import Cluster, behind_proxies, under_sentinels
from tests.integration.chaos.faults import FAULTS, SENTINEL_FAULTS, Fault, choose, named
from tests.integration.chaos.people import People
from tests.integration.chaos.report import as_json, say, table
from tests.integration.chaos.rounds import NEVER, Play, Round
from tests.integration.chaos.stored import stored_text
from tests.integration.node_clients import NodeClient, install

pytestmark = pytest.mark.integration

ROUNDS = int(os.environ.get("PAIRLOOM_CHAOS_ROUNDS", "10"))
SEED = int(os.environ.get("PAIRLOOM_CHAOS_SEED", "1"))
REPORT = os.environ.get("PAIRLOOM_CHAOS_REPORT")
CONVERGED_SECONDS = 5.0
PEOPLE_SECONDS = 10.0
TOLD_SECONDS = 10.0
PER_CLUSTER = 12
SENTINEL_EVERY = 10
"""One seed in so many is played under Sentinels."""
BRIEF = (
    "kill_node",
    "restart_node",
    "kill_clients",
    "cut",
    "delay",
    "half_close",
    "kill_redis",
    "wipe_redis",
    "full_redis",
    "blackout",
)


@pytest.fixture(scope="session")
def yjs(node: Node) -> Node:
    """Node with the clients installed."""
    install(node)
    return node


@asynccontextmanager
async def playing(
    running: AbstractAsyncContextManager[Cluster], node: Node, *, brief: bool = False
) -> AsyncIterator[Play]:
    """A cluster and people to play rounds with."""
    async with running as cluster, NodeClient(node, "3.1", "chaos.mjs") as process:
        yield Play(cluster, People(process, cluster.addresses), stored_text(cluster), brief=brief)


def failures(rounds: Sequence[Round]) -> list[str]:
    """What is wrong with each round that is not as it must be."""
    return [
        f"seed {one.seed}: {as_json(one)}"
        for one in rounds
        if one.missing
        or one.problems
        or one.converged > CONVERGED_SECONDS
        or one.people > PEOPLE_SECONDS
        or one.told > TOLD_SECONDS
    ]


def tell(result: Round) -> None:
    """Prints a round, and adds it to the report."""
    line = as_json(result)
    say(line)
    if REPORT:
        with Path(REPORT).open("a") as report:
            report.write(line + "\n")


async def test_nothing_that_was_said_to_be_saved_is_lost_whatever_fails(
    yjs: Node, redis_server: Path, tmp_path: Path
) -> None:
    rounds = []
    async with playing(behind_proxies(tmp_path, redis_server), yjs, brief=True) as play:
        for seed, name in enumerate(BRIEF):
            rounds.append(await play.round(seed, [named(name)]))
            tell(rounds[-1])
    say(table(rounds))
    assert not failures(rounds), "\n".join(failures(rounds))
    assert all(one.saved for one in rounds), "nobody was told of anything saved, so that nothing was tested"


@pytest.mark.slow
@pytest.mark.timeout(0)
async def test_rounds_of_chaos(yjs: Node, redis_server: Path, tmp_path: Path) -> None:
    seeds = range(SEED, SEED + ROUNDS)
    rounds: list[Round] = []
    for under, start, faults in (
        (False, behind_proxies, FAULTS),
        (True, under_sentinels, SENTINEL_FAULTS),
    ):
        waiting = [seed for seed in seeds if (seed % SENTINEL_EVERY == 0) is under]
        while waiting:
            played = await _play(
                start(tmp_path / f"from-{waiting[0]}", redis_server), yjs, waiting[:PER_CLUSTER], faults
            )
            waiting = waiting[len(played) :]
            rounds += played
    say(table(rounds))
    say(f"replay a round with: make chaos N=1 SEED=<seed>; logs are under {tmp_path}")
    assert not failures(rounds), "\n".join(failures(rounds))


async def _play(
    running: AbstractAsyncContextManager[Cluster], node: Node, seeds: Sequence[int], faults: Sequence[Fault]
) -> list[Round]:
    """Rounds on one cluster, which ends with a round that could not be played to its end."""
    rounds: list[Round] = []
    async with playing(running, node) as play:
        for seed in seeds:
            chosen = choose(Random(seed), faults)
            try:
                rounds.append(await play.round(seed, chosen))
            except (AssertionError, OSError, HTTPError, RedisError, ExceptionGroup) as error:
                text = "".join(traceback.format_exception(error))[-2000:]
                rounds.append(Round(seed, [fault.name for fault in chosen], problems=[text]))
            tell(rounds[-1])
            if rounds[-1].converged == NEVER:
                break
    return rounds

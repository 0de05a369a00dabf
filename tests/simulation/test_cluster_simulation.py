"""A cluster whose nodes, network and store fail in every way, simulated from a seed.

PAIRLOOM_SEEDS=10000 simulates that many seeds; PAIRLOOM_SEED=17 simulates that one alone.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.cluster_world import ClusterWorld
from tests.simulation.virtual_loop import run

SEEDS = 500
TOGETHER = 10
"""Seeds of one test."""
COUNTED = 30
"""So many first seeds run in the test that counts what the simulation meets, and need not run twice."""
DIGEST = """
import logging
logging.disable()
from tests.simulation.cluster_world import ClusterWorld
from tests.simulation.virtual_loop import run
for seed in (3, 11):
    world = ClusterWorld(seed)
    run(world.loop, world.run())
    print(world.digest)
"""


def chunks() -> list[range]:
    one = os.environ.get("PAIRLOOM_SEED")
    if one:
        return [range(int(one), int(one) + 1)]
    count = int(os.environ.get("PAIRLOOM_SEEDS", str(SEEDS)))
    return [range(start, min(count, start + TOGETHER)) for start in range(COUNTED, count, TOGETHER)]


@pytest.fixture(scope="module", autouse=True)
def little_to_collect() -> Iterator[None]:
    """What lives as long as the test run is not looked at each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_from_outside_the_seed() -> Iterator[None]:
    """When Python collects garbage is no part of a seed, and what a killed process had open is garbage."""
    ordinary = sys.unraisablehook

    def hook(raised: sys.UnraisableHookArgs) -> None:
        if asyncio._get_running_loop() is not None:
            ordinary(raised)

    gc.disable()
    logging.disable()
    sys.unraisablehook = hook
    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook = ordinary
        logging.disable(logging.NOTSET)
        gc.enable()


def simulated(seed: int) -> ClusterWorld:
    world = ClusterWorld(seed)
    try:
        run(world.loop, world.run())
    except Exception as error:
        error.add_note("\n".join(world.happened[-40:]))
        error.add_note(f"Replay with: PAIRLOOM_SEED={seed} python -m pytest {__file__} -k well")
        raise
    return world


@pytest.mark.parametrize("seeds", chunks(), ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_all_is_well_after_the_faults(seeds: range) -> None:
    for seed in seeds:
        simulated(seed)


def test_the_same_seed_is_the_same_world_whatever_python_hashes_strings_to() -> None:
    root = Path(__file__).parents[2]
    told = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hashing},
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hashing in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(set(told[0].split())) == 2


def test_the_simulation_meets_what_it_is_for() -> None:
    met: Counter[str] = Counter()
    for seed in range(COUNTED):
        world = simulated(seed)
        met.update(world.met)
        met.update(world.network.met)
        met["typed"] += sum(len(client.typed) for client in world.clients)
        met["saved"] += sum(len(client.saved) for client in world.clients)
    few = {what: met[what] for what in EXPECTED if met[what] < EXPECTED[what]}
    assert not few, met


EXPECTED = {
    "submitted": 30,
    "undone at the end": 5,
    "gone on with": 1,
    "paused a job": 3,
    "resumed a job": 2,
    "steered a job": 4,
    "moved a job": 1,
    "brought back": 10,
    "typed": 500,
    "saved": 300,
    "killed": 10,
    "restarted": 5,
    "paused": 5,
    "away": 20,
    "cut off": 10,
    "older": 3,
    "empty": 1,
    "deposed": 3,
    "half open": 5,
    "slow reader": 5,
    "clock jumped": 5,
    "question lost": 5,
    "answer lost": 5,
    "late": 3,
    "dropped": 5,
    "doubled": 5,
    "delayed": 20,
}

"""A room with many clients, lost connections, crashes and restarts, simulated from a seed.

PAIRLOOM_SEEDS=2000 simulates that many seeds; PAIRLOOM_SEED=17 simulates that one alone.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.world import World

STEPS = 250


def seeds() -> list[int]:
    one = os.environ.get("PAIRLOOM_SEED")
    return [int(one)] if one else list(range(int(os.environ.get("PAIRLOOM_SEEDS", "200"))))


@pytest.mark.parametrize("seed", seeds())
def test_nothing_is_lost_and_all_converge(seed: int) -> None:
    world = World(seed)
    try:
        for _ in range(STEPS):
            crashes = world.crashes
            world.step()
            if world.crashes > crashes:
                world.check_saved()
        world.settle()
        world.check_end()
    except Exception as error:
        error.add_note(f"Replay with: PAIRLOOM_SEED={seed} python -m pytest {__file__}")
        raise


def test_the_same_seed_is_the_same_world() -> None:
    worlds = [World(7), World(7)]
    for world in worlds:
        for _ in range(STEPS):
            world.step()
    first, second = worlds
    assert first.room.document.encode() == second.room.document.encode()
    assert first.clock.now == second.clock.now


def test_the_simulation_has_crashes_refusals_and_edits_to_tell_of() -> None:
    crashes = typed = erased = saved = 0
    for seed in range(20):
        world = World(seed)
        for _ in range(STEPS):
            world.step()
        crashes += world.crashes
        typed += sum(len(client.typed) for client in world.clients)
        erased += len(world.erased)
        saved += sum(len(client.saved) for client in world.clients)
    assert crashes > 20
    assert typed > 400
    assert erased > 50
    assert saved > 100

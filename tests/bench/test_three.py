"""How long lines of a large file take to match, and two sides' changes of it to merge, in milliseconds of CPU."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from collab.merge.three.lines import diff, split
from collab.merge.three.merge import merge, merging

pytestmark = [pytest.mark.bench]

LINES = 10_000
ROUNDS = 7


def best_ms(run: Callable[[], object]) -> float:
    """The shortest of some rounds: the others were disturbed."""
    times: list[float] = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times) * 1000


def source(chance: random.Random) -> list[str]:
    """Lines as they stand in programs: some of them empty or common, most of them only there."""
    return [
        "\n"
        if kind < 0.12
        else "    return None\n"
        if kind < 0.15
        else "    " * chance.randrange(4)
        + " ".join(f"w{chance.randrange(400)}" for _ in range(chance.randrange(1, 7)))
        + "\n"
        for kind in (chance.random() for _ in range(LINES))
    ]


def typed(lines: list[str], count: int, chance: random.Random) -> list[str]:
    """Words changed, lines added and lines removed, all over the text."""
    text = list(lines)
    for at in sorted(chance.sample(range(len(text)), count), reverse=True):
        kind = chance.random()
        if kind < 0.6:
            text[at] = text[at].rstrip("\n") + f" n{chance.randrange(999)}\n"
        elif kind < 0.9:
            text[at:at] = [f"    new line {chance.randrange(10**6)} here\n"]
        else:
            del text[at]
    return text


def rewritten(lines: list[str], count: int, chance: random.Random) -> list[str]:
    """Hunks of up to eight lines, as a job writes them."""
    text = list(lines)
    for at in sorted(chance.sample(range(0, len(text), 20), count), reverse=True):
        end = at + chance.randrange(1, 8)
        text[at:end] = [*typed(text[at:end], 1, chance), f"    return w{chance.randrange(400)}\n"]
    return text


def test_matching_the_lines_of_a_large_file() -> None:
    base = source(random.Random(1))
    other = split("".join(typed(base, 500, random.Random(2))))
    took = best_ms(lambda: diff(base, other))
    print(f"\n10,000 lines, 500 scattered changes: {took:.1f} ms")
    assert took < 20


def test_merging_people_and_a_job_in_a_large_file() -> None:
    lines = source(random.Random(1))
    base = "".join(lines)
    ours = "".join(typed(lines, 500, random.Random(3)))
    theirs = "".join(rewritten(lines, 200, random.Random(4)))
    took = best_ms(lambda: merge(base, ours, theirs).changes)
    worst: list[float] = []
    for _ in range(ROUNDS):
        steps = merging(base, ours, theirs)
        slowest = 0.0
        start = time.process_time()
        for _ in steps:
            slowest = max(slowest, time.process_time() - start)
            start = time.process_time()
        worst.append(slowest * 1000)
    print(f"\n500 edits with 200 hunks: {took:.1f} ms, the longest step {min(worst):.1f} ms")
    assert took < 100
    assert min(worst) < 20

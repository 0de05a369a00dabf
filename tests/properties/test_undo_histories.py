"""What an undo must never do, over random histories of jobs, people, undo, redo and restarts.

PAIRLOOM_HISTORIES=10000 plays that many; PAIRLOOM_HISTORY=17 plays that one alone.
"""

from __future__ import annotations

import os

import pytest

from tests.collab.undo_histories import History

TOGETHER = 10


def seeds() -> list[range]:
    # Read here, as no setting from outside reaches a test that runs.
    one = os.environ.get("PAIRLOOM_HISTORY")
    if one:
        return [range(int(one), int(one) + 1)]
    count = int(os.environ.get("PAIRLOOM_HISTORIES", "150"))
    return [range(start, min(count, start + TOGETHER)) for start in range(0, count, TOGETHER)]


@pytest.mark.parametrize("some", seeds(), ids=lambda some: f"{some.start}-{some.stop - 1}")
def test_an_undo_takes_exactly_what_is_the_jobs_and_a_redo_brings_it_back(some: range) -> None:
    for seed in some:
        history = History(seed)
        for _ in range(history.random.randint(10, 80)):
            history.step()
        history.finish()

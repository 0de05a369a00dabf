"""The command behind ``make lost-keystrokes``: plays worlds in worker processes until people have made N edits.

Which worlds are played depends on SEED and N alone, not on the number of processes.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from os import cpu_count
from time import perf_counter

from collab.merge.resolver import TextResolver
from collab.syntax.syntax import Syntax
from tests.lost_keystrokes.figures import Figures
from tests.lost_keystrokes.playing import play

BATCH = 25
"""Worlds per task of a worker process, which is replaced after some of them: pycrdt's documents leak a little."""
MOST_TOLD = 20


def play_batch(first: int) -> Figures:
    """The worlds of ``BATCH`` seeds."""
    figures = Figures()
    resolver = TextResolver(Syntax())
    for seed in range(first, first + BATCH):
        try:
            figures.add(play(seed, resolver))
        except Exception as error:  # noqa: BLE001 - told with the seed that shows it
            figures.problems.append((seed, f"raised {error!r}"))
    return figures


def run(seed: int, edits: int, processes: int) -> Figures:
    """Plays batches in the order of their seeds until there are enough edits."""
    figures = Figures()
    started = perf_counter()
    with ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=8) as pool:
        first = seed
        waiting: list[Future[Figures]] = []
        while figures.edits < edits:
            while len(waiting) < processes * 2:
                waiting.append(pool.submit(play_batch, first))
                first += BATCH
            figures.add(waiting.pop(0).result())
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{figures.edits:,} edits in {perf_counter() - started:,.0f} s")
        for future in waiting:
            future.cancel()
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return figures


def main() -> int:
    """Prints the table; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--edits", type=int, default=1_000_000, help="how many edits people make at least; 1 plays one world"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the first world")
    parser.add_argument("--processes", type=int, default=cpu_count() or 1)
    arguments = parser.parse_args()
    started = perf_counter()
    alone = arguments.edits == 1
    if alone:
        figures = play(arguments.seed, TextResolver(Syntax()))
    else:
        figures = run(arguments.seed, arguments.edits, arguments.processes)
    said = [figures.table(), f"{perf_counter() - started:,.0f} s"]
    said += [f"seed {seed}: {words}" for seed, words in figures.late if alone]
    for seed, words in figures.problems[:MOST_TOLD]:
        said += [f"seed {seed}: {words}", f"  again: make lost-keystrokes SEED={seed} N=1"]
    violations = figures.violations()
    said += [f"BROKEN: {violation}" for violation in violations]
    sys.stdout.write("\n".join(said) + "\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

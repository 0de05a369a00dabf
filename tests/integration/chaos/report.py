"""What came of all rounds: a line of JSON for each, and a table."""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict

from tests.integration.chaos.rounds import Round


def say(text: str) -> None:
    """Shows it at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def as_json(result: Round) -> str:
    """One line; a time that never came is null."""
    row = asdict(result)
    for key in ("converged", "told", "people"):
        row[key] = round(row[key], 3) if math.isfinite(row[key]) else None
    return json.dumps(row)


def table(rounds: Sequence[Round]) -> str:
    """By kind of fault, and in sum. Times in seconds."""
    kinds: dict[str, list[Round]] = {}
    for one in rounds:
        kinds.setdefault(" + ".join(one.faults), []).append(one)
    rows = [
        ("fault", "rounds", "edits", "saved", "missing", "converged max", "median", "told max", "people max"),
        *(_row(kind, kinds[kind]) for kind in sorted(kinds)),
        _row("all", rounds),
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if index == 0 else cell.rjust(width) for index, (cell, width) in cells)
        for cells in (enumerate(zip(row, widths, strict=True)) for row in rows)
    )


def _row(kind: str, rounds: Sequence[Round]) -> tuple[str, ...]:
    return (
        kind,
        str(len(rounds)),
        str(sum(one.edits for one in rounds)),
        str(sum(one.saved for one in rounds)),
        str(sum(one.missing for one in rounds)),
        f"{max(one.converged for one in rounds):.2f}",
        f"{statistics.median(one.converged for one in rounds):.2f}",
        f"{max(one.told for one in rounds):.2f}",
        f"{max(one.people for one in rounds):.2f}",
    )

"""What history reads of the settings."""

from __future__ import annotations

from dataclasses import dataclass

from collab.history.thinning import DEFAULT, Policy, parse_steps


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """``interval`` in seconds: a version is made when people have worked for so long; 0: none is, on its own."""

    interval: float = 300.0
    policy: Policy = Policy(parse_steps(DEFAULT), 64 * 1024 * 1024)  # noqa: RUF009 - it cannot be changed

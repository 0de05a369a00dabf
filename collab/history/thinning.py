"""Which versions go as they grow older, so that a room's history stays small."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from collab.errors import InvalidInput
from collab.history.version import Version, VersionId

DEFAULT: Final = "all for 1h, 10m for 1d, 1d for 30d"
MOST_VERSIONS: Final = 1_000
"""Versions of one room, those with names included."""
MOST_NAMED: Final = 500
_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PART: Final = re.compile(r"(?:all|(\d{1,4})([mhd])) for (\d{1,4})([mhd])")


@dataclass(frozen=True, slots=True)
class Step:
    """Of versions up to so old, the last one of every so long is kept; all of them where ``every_ms`` is 0."""

    every_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Policy:
    """How long versions are kept, and how many bytes of a room's versions at most. Those with a name stay."""

    steps: tuple[Step, ...]
    most_bytes: int


def parse_steps(text: str) -> tuple[Step, ...]:
    """The steps that a setting such as ``all for 1h, 10m for 1d, 1d for 30d`` stands for. Raises InvalidInput."""
    steps = []
    for part in text.split(","):
        match = _PART.fullmatch(" ".join(part.split()))
        if match is None:
            raise InvalidInput(
                f"{part.strip()[:40]!r} does not say how long versions are kept; write it like {DEFAULT!r}, "
                "with m for minutes, h for hours and d for days."
            )
        every = int(match[1]) * _UNITS[match[2]] if match[1] else 0
        steps.append(Step(every, int(match[3]) * _UNITS[match[4]]))
    if sorted(steps, key=lambda step: step.until_ms) != steps:
        raise InvalidInput(
            f"Begin with the youngest versions when saying how long they are kept, as in {DEFAULT!r}."
        )
    return tuple(steps)


def thin(policy: Policy, versions: Sequence[Version], now_ms: int) -> list[VersionId]:
    """The versions that go now, the oldest first. ``versions`` are all of the room, oldest first.

    Of those in one stretch of time the last one stays; the newest of all always does, and each that has a name.
    """
    going: list[VersionId] = []
    taken: set[tuple[int, int]] = set()
    for version in reversed(versions[:-1]):
        if version.cause == "named":
            continue
        step = next((step for step in policy.steps if now_ms - version.at_ms <= step.until_ms), None)
        if step is None:
            going.append(version.id)
        elif step.every_ms:
            stretch = (step.every_ms, version.at_ms // step.every_ms)
            if stretch in taken:
                going.append(version.id)
            taken.add(stretch)
    going.reverse()
    gone = set(going)
    return going + beyond(policy.most_bytes, [one for one in versions if one.id not in gone])


def beyond(most_bytes: int, versions: Sequence[Version]) -> list[VersionId]:
    """The oldest ones without a name that are too many: of bytes, or of versions; never the newest."""
    size, count = total(versions), len(versions)
    going = []
    for version in versions[:-1]:
        if size <= most_bytes and count <= MOST_VERSIONS:
            break
        if version.cause != "named":
            going.append(version.id)
            size -= version.size
            count -= 1
    return going


def total(versions: Iterable[Version]) -> int:
    """Bytes that these versions take."""
    return sum(version.size for version in versions)

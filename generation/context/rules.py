"""The files in which a project tells its rules to whoever works on it: ``AGENTS.md``, in any folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

NAMES: Final[tuple[str, ...]] = ("AGENTS.md", ".pairloom/rules.md")
"""Paths of rules below the folder that they are for; one in a folder speaks for what is in it."""
MOST: Final = 6


def applying(paths: Sequence[str], meant: Sequence[str]) -> list[tuple[str, str]]:
    """Which of ``paths`` are rules that apply to a request about the paths ``meant``, and why.

    Those of the whole project first, then those of folders, the outermost first.
    """
    there = set(paths)
    found = [(name, "the project's rules") for name in NAMES if name in there]
    folders = sorted(
        {folder for path in meant for folder in _folders(path)}, key=lambda one: (one.count("/"), one)
    )
    found += [
        (f"{folder}/{name}", f"the rules of {folder}")
        for folder in folders
        for name in NAMES
        if f"{folder}/{name}" in there
    ]
    return found[:MOST]


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]

"""Two plain merges to compare with: ``git merge-file``, and diff3 on lines and then on words."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.collab.merge.three.scoring import Case, Outcome

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_Part = tuple[list[str], list[str], list[str]]


def by_git(case: Case) -> Outcome:
    """What ``git merge-file`` makes of a case."""
    with TemporaryDirectory() as folder:
        for name in ("base", "ours", "theirs"):
            (Path(folder) / name).write_bytes(getattr(case, name).encode())
        done = subprocess.run(
            ["git", "merge-file", "-p", "-q", "ours", "base", "theirs"],
            cwd=folder,
            capture_output=True,
            check=False,
        )
    return Outcome(None if done.returncode else done.stdout.decode())


def by_words(case: Case) -> Outcome:
    """What diff3 makes of the lines, and of the words of each region in which the lines conflict."""
    texts = case.base, case.ours, case.theirs
    merged: list[str] = []
    pieces: list[tuple[str, str, str, str]] = []
    for lines in _diff3(*(text.splitlines(keepends=True) for text in texts)):
        settled = _settle(lines)
        if settled is None:
            words = [_WORDS.findall("".join(side)) for side in lines]
            parts = [_settle(part) for part in _diff3(*words)]
            if None in parts:
                return Outcome(None)
            settled = "".join(part or "" for part in parts)
            base, ours, theirs = map("".join, lines)
            pieces.append((base, ours, theirs, settled))
        merged.append(settled)
    return Outcome("".join(merged), pieces)


def _settle(part: _Part) -> str | None:
    base, ours, theirs = part
    if base == theirs or ours == theirs:
        return "".join(ours)
    return "".join(theirs) if base == ours else None


def _diff3(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[_Part]:
    """The three cut at what all of them have."""
    mine, yours = _partners(base, ours), _partners(base, theirs)
    parts: list[_Part] = []
    b = o = t = 0
    for at in [*(at for at in range(len(base)) if at in mine and at in yours), len(base)]:
        o1, t1 = mine.get(at, len(ours)), yours.get(at, len(theirs))
        if (b, o, t) != (at, o1, t1):
            parts.append((list(base[b:at]), list(ours[o:o1]), list(theirs[t:t1])))
        if at < len(base):
            same = [base[at]]
            parts.append((same, same, same))
        b, o, t = at + 1, o1 + 1, t1 + 1
    return parts


def _partners(base: Sequence[str], side: Sequence[str]) -> dict[int, int]:
    blocks = SequenceMatcher(None, base, side, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}

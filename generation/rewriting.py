"""Whether a new text for a whole file drops most of it, as models do that write only what they changed."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

FEWEST: Final = 6
"""Lines that are not blank; what a shorter file loses is seen at a glance."""
KEPT: Final = 0.5
"""So much of the file's lines must be kept, unless the new text is about as long."""
LENGTH: Final = 0.6

_ASKS: Final = re.compile(
    r"\b(?:rewrite|replace|remove|delete|drop|strip|simplif\w+|shorten|reduce|condense|trim|clean\s?up|empty|clear|"
    r"split|move|extract|start\s+over|from\s+scratch|scaffold|only\s+keep|keep\s+only|minimal|get\s+rid)\b",
    re.IGNORECASE,
)


def asks_to_drop(prompt: str) -> bool:
    """Whether a request may mean that a file loses most of its text."""
    return _ASKS.search(prompt) is not None


def drops_most(before: str, after: str) -> str | None:
    """What of a file a new text drops, in words, if that is most of it; else None."""
    was = Counter(line.strip() for line in before.split("\n") if line.strip())
    now = Counter(line.strip() for line in after.split("\n") if line.strip())
    count, left = was.total(), now.total()
    if not left and count:
        return f"It would leave nothing of the file's {count} lines, which nobody asked for."
    kept = (was & now).total()
    if count < FEWEST or kept >= KEPT * count or left >= LENGTH * count:
        return None
    return f"It would keep only {kept} of the file's {count} lines, which nobody asked for."

"""Line ends that stay when a line is taken back in which somebody has typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from collab.merge.items import ItemId, Run
from collab.merge.ranges import IdRanges
from collab.wire import IdRange

_LINE_END: Final = re.compile(rb"(?:\r\0)?\n\0")


def line_ends_to_keep(runs: Iterable[Run], going: IdRanges, written: IdRanges, back: IdRanges) -> IdRanges:
    """Which line ends of the text ``going`` stay, so that what somebody typed in its lines joins no other line.

    At the end of the file none is needed. ``back`` are the deleted units whose text is put back there.

    Typed in a line is what was written behind ``written``, which holds ``going`` and that of which it is a copy.
    Whoever splits a line of somebody else's has that line back whole: its text was behind nothing of theirs.
    """
    behind: set[ItemId] = set()
    kept: list[IdRange] = []
    waiting: list[IdRange] = []
    typed = False
    for run in runs:
        client, origin = run.ids.client, run.origin
        for part, own in written.split(run.ids):
            theirs = not own and origin in behind
            origin = client, part.clock + part.length - 1
            if own or theirs:
                behind.add(origin)
            if not own and (run.alive or any(inside for _, inside in back.split(part))):
                kept += waiting
                waiting.clear()
            if not run.alive:
                continue
            at = (part.clock - run.ids.clock) * 2
            units = run.units[at : at + part.length * 2]
            line = 0
            for end in _LINE_END.finditer(units):
                if end.start() % 2:
                    continue
                typed = typed or (theirs and not _blank(units[line : end.start()]))
                line = end.end()
                if typed:
                    waiting.append(IdRange(client, part.clock + end.start() // 2, (line - end.start()) // 2))
                typed = False
            typed = typed or (theirs and not _blank(units[line:]))
    return IdRanges(kept) & going


def _blank(units: bytes) -> bool:
    return not units.decode("utf-16-le", "replace").strip()

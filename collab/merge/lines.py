"""Line ends that stay when a line is taken back in which somebody has typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from collab.merge.items import ItemId, Run
from collab.merge.ranges import IdRanges
from collab.offsets import utf16_length
from collab.wire import IdRange

_LINE_END: Final = re.compile(r"\r?\n")


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
        client = run.client
        theirs = bool(behind) and (run.origin_client, run.origin_clock) in behind
        # Most runs of a large file are neither the job's nor anybody's who typed in its lines.
        if not (theirs or typed or waiting or written.has(client)):
            continue
        for clock, length, own in written.parts(client, run.clock, run.length):
            theirs = theirs and not own
            last = client, clock + length - 1
            if own or theirs:
                behind.add(last)
            if not own and (run.alive or back.touches(IdRange(client, clock, length))):
                kept += waiting
                waiting.clear()
            # Nothing that was typed is in this line, and this adds nothing.
            if run.alive and (typed or theirs):
                text = run.part(clock, length)
                line = 0
                for end in _LINE_END.finditer(text):
                    typed = typed or (theirs and bool(text[line : end.start()].strip()))
                    line = end.end()
                    if typed:
                        start = clock + utf16_length(text[: end.start()])
                        waiting.append(IdRange(client, start, line - end.start()))
                    typed = False
                typed = typed or (theirs and bool(text[line:].strip()))
            # What follows within the run stands behind this part.
            theirs = last in behind
    return IdRanges(kept) & going

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest

from collab.document import Document
from collab.ledger import Ledger
from collab.merge.resolver import TextResolver
from collab.merge.session import MergeSession, Pull
from collab.merge.workspace import Workspace
from collab.syntax.syntax import Syntax
from collab.wire import IdRange, decode_state_vector, delete_set_update
from tests.lost_keystrokes.figures import Figures
from tests.lost_keystrokes.playing import play

Others = Callable[[], Sequence[Ledger]]
SEEDS = range(7000, 7009)
FEW = range(7003, 7008)


def played(seeds: range = SEEDS) -> Figures:
    figures = Figures()
    resolver = TextResolver(Syntax())
    for seed in seeds:
        figures.add(play(seed, resolver))
    return figures


def test_no_ai_costs_a_person_a_keystroke() -> None:
    figures = played()
    assert figures.edits > 3_000
    assert figures.lost == 0
    assert figures.problems == []
    # So few worlds may be a little beside the figures of many.
    assert figures.share_displaced < 0.01
    assert figures.share_merged > 0.97


def test_a_seed_replays_exactly_whatever_the_order_of_sets_is() -> None:
    command = (
        "from collab.merge.resolver import TextResolver; from collab.syntax.syntax import Syntax;"
        "from tests.lost_keystrokes.playing import play; print(play(7003, TextResolver(Syntax())))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", command],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert said[0].startswith("Figures(worlds=1")


def test_a_merge_that_deletes_what_somebody_typed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pull = MergeSession.pull
    began: dict[MergeSession, set[int]] = {}

    def careless(session: MergeSession, live: Document, others: Others) -> Pull:
        state = decode_state_vector(live.state_vector())
        known = began.setdefault(session, set(state))
        done = pull(session, live, others)
        new = [client for client in state if client not in known and state[client] > 3]
        if done.update is not None and new:
            stray = delete_set_update([IdRange(new[0], 2, 1)])
            fork = live.fork(new[0])
            return Pull(fork.apply([done.update, stray]).update, done.blocked, done.merged, done.landed)
        return done

    monkeypatch.setattr(MergeSession, "pull", careless)
    figures = played(FEW)
    assert any("which came after its base" in words for _, words in figures.problems)


def test_a_merge_that_does_not_look_at_what_people_did_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Workspace.sync
    monkeypatch.setattr(Workspace, "sync", lambda work, live, files=None, paths=True: sync(work, work.fork))
    figures = played()
    assert figures.share_displaced > 0.01


def test_a_hunk_that_vanishes_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pull = MergeSession.pull

    def forgetful(session: MergeSession, live: Document, others: Others) -> Pull:
        done = pull(session, live, others)
        return Pull(done.update, [], done.merged, done.landed)

    monkeypatch.setattr(MergeSession, "pull", forgetful)
    figures = played(FEW)
    assert any("invisible" in words for _, words in figures.problems)

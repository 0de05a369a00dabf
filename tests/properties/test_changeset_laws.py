"""What must hold of every changeset: twice is once (I4), and everybody decides alike (I5)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab.document import Document
from collab.ids import FileId
from collab.merge.landing import land
from collab.merge.resolver import TextResolver
from collab.syntax.syntax import Syntax
from tests.collab.merge.changesets import ids, room, texts
from tests.lost_keystrokes.texts import MODEL, PEOPLE, WORD, Words
from tests.properties.changesets import Case, case, changes, decided, fingerprint, shuffled

SEEDS = st.integers(0, 2**32 - 1)
MERGER = TextResolver(Syntax())


def apply(live: Document, one: Case, number: int) -> None:
    """Decides about the changeset as the room is now, and lands it."""
    files = live.listing().files
    # The ids of the room's files are the paths that they had at first.
    paths = {path: files[file] for path in one.base if (file := FileId(one.moved.get(path, path))) in files}
    moved = {path: str(file.shown) for path, file in paths.items() if file.shown != path}
    now = Case(one.base, texts(live), one.intents, moved)
    landed = land(live, decided(now, MERGER), ids(number), 7)
    if landed.update is not None:
        live.apply([landed.update])


def words(live: Document, kind: str) -> Counter[str]:
    there = "\n".join(texts(live).values())
    return Counter(word for word in WORD.findall(there) if word.startswith(kind))


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_changeset_that_comes_twice_lands_once(seed: int) -> None:
    one = case(seed)
    live = room(one.live)
    apply(live, one, 1)
    theirs, written = words(live, PEOPLE), words(live, MODEL)
    apply(live, one, 2)
    assert words(live, PEOPLE) == theirs
    # What was a question may have got an answer by then; what has landed does not land again.
    assert all(words(live, MODEL)[word] == count for word, count in written.items())


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_a_changeset_that_comes_again_later_takes_nothing_from_people(seed: int) -> None:
    one = case(seed)
    random = Random(seed)
    live = room(one.live)
    apply(live, one, 1)
    typed = Words(alike=True, first=900_000)
    for file in sorted(live.listing().files):
        for start, end, new in reversed(changes(random, typed, PEOPLE, live.text(file))):
            live.edit(lambda editor, f=file, s=start, e=end, n=new: editor.splice(f, s, e, n))  # type: ignore[misc]
    theirs = words(live, PEOPLE)
    apply(live, one, 2)
    assert theirs <= words(live, PEOPLE)


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_the_order_of_tables_and_what_was_asked_before_change_no_decision(seed: int) -> None:
    one = case(seed)
    assert decided(shuffled(one, Random(seed)), TextResolver(Syntax())) == decided(one, MERGER)


@pytest.mark.parametrize("hash_seed", ["0", "1", "4294967295"])
def test_other_processes_decide_alike(hash_seed: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.properties.changesets", "0", "60"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == fingerprint(range(60))


def test_the_cases_are_of_all_kinds() -> None:
    outcomes = Counter(decision.outcome for seed in range(150) for decision in decided(case(seed), MERGER))
    assert min(outcomes[outcome] for outcome in ("done", "merged", "asked", "already")) > 0

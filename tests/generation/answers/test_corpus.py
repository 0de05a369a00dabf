"""The corpus of answers: each becomes what was asked for, or nothing; never something else."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from generation.answer import FileText, ParseEvent, ProseSkipped, ReplaceText
from generation.parse import Parser
from tests.generation.answers.making import CORPUS, Case, cases, read
from tests.generation.answers.playing import play, verdict

SMALL = 170
"""Characters of an answer that is split at every place."""


@cache
def corpus() -> list[Case]:
    return read()


def parsed(case: Case, pieces: list[str]) -> list[ParseEvent]:
    parser = Parser(list(case.files), 1_000_000)
    found: list[ParseEvent] = []
    for event in [event for piece in pieces for event in parser.feed(piece)] + parser.finish():
        last = found[-1] if found else None
        if isinstance(event, ReplaceText | FileText | ProseSkipped) and type(last) is type(event):
            assert isinstance(last, ReplaceText | FileText | ProseSkipped)
            found[-1] = dataclasses.replace(last, text=last.text + event.text)
        else:
            found.append(event)
    return found


def pieces_of(answer: str, rng: random.Random, most: int) -> Iterator[str]:
    at = 0
    while at < len(answer):
        size = rng.randint(1, most)
        yield answer[at : at + size]
        at += size


def test_the_stored_corpus_is_the_one_that_is_made() -> None:
    assert CORPUS.exists()
    assert corpus() == list(cases()), "Run `python -m tests.generation.answers.making`."


def test_the_corpus_is_large_and_holds_every_kind() -> None:
    kinds = Counter(case.must for case in corpus())
    assert sum(kinds.values()) >= 1_000
    assert min(kinds["right"], kinds["refused"], kinds["either"]) >= 150
    assert len({case.way for case in corpus()}) >= 60


def test_every_answer_is_right_or_refused() -> None:
    odd = []
    outcomes: Counter[str] = Counter()
    for case in corpus():
        outcome = verdict(case, play(case, [case.answer]))
        outcomes[outcome] += 1
        if outcome in {"wrong", "silent"} or (case.must != "either" and outcome != case.must):
            odd.append((case.name, case.way, case.must, outcome))
    assert odd == []
    assert outcomes["right"] >= 600


@pytest.mark.parametrize("most", [1, 3, 40])
def test_every_way_to_split_an_answer_says_the_same(most: int) -> None:
    rng = random.Random(most)
    for case in corpus() if most == 1 else corpus()[:: most // 2]:
        assert parsed(case, list(pieces_of(case.answer, rng, most))) == parsed(case, [case.answer]), case.way


def test_a_small_answer_says_the_same_wherever_it_is_split() -> None:
    seen = set()
    for case in corpus():
        if len(case.answer) <= SMALL and case.way not in seen:
            seen.add(case.way)
            whole = parsed(case, [case.answer])
            for at in range(1, len(case.answer)):
                assert parsed(case, [case.answer[:at], case.answer[at:]]) == whole, (case.way, at)
    assert len(seen) >= 15


def test_an_answer_that_lands_piece_by_piece_makes_the_same_of_the_files() -> None:
    rng = random.Random(0)
    for case in corpus()[::7]:
        whole = play(case, [case.answer])
        assert play(case, list(case.answer)) == whole, (case.name, case.way)
        landed = play(case, list(pieces_of(case.answer, rng, 60)), pulls=True)
        assert (landed.files, landed.problems) == (whole.files, whole.problems), (case.name, case.way)

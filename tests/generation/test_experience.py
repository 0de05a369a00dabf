from __future__ import annotations

import math
from dataclasses import replace

import pytest

from collab.ids import JobId, RoomId
from generation.experience import (
    AT_ONCE,
    Experience,
    Sample,
    Traits,
    Weighed,
    middle,
    sample_of,
    spread,
    timings,
    words_of,
)

ROOM = RoomId("r")
PROMPT = "Add a docstring to alpha in alpha.py"
BASE = Traits(ROOM, "m", "targeted", words_of(PROMPT), 300, 2_000)


def sample(tokens: int = 100, traits: Traits = BASE, generating: float = 1.0) -> Sample:
    return Sample(traits, tokens, preparing=0.1, waiting=0.5, generating=generating, finishing=0.2)


def learned(*samples: Sample) -> Experience:
    experience = Experience()
    for number, one in enumerate(samples):
        experience.learn(JobId(f"j{number}"), one)
    return experience


def test_without_samples_nothing_is_known() -> None:
    assert Experience().lessons(BASE).similar == 0


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, strategy="full"),
        replace(BASE, model="another"),
        replace(BASE, room=RoomId("elsewhere")),
        replace(BASE, named_tokens=30_000),
        replace(BASE, words=words_of("Write tests for the parser")),
    ],
)
def test_a_job_that_differs_in_something_counts_less(other: Traits) -> None:
    assert learned(sample(traits=other)).lessons(BASE).similar < learned(sample()).lessons(BASE).similar


def test_rates_and_waits_are_those_of_the_same_model() -> None:
    experience = learned(sample(100), sample(900, replace(BASE, model="another")))
    lessons = experience.lessons(BASE)
    assert [one.value for one in lessons.rates] == [100.0]
    assert len(lessons.waits) == 1
    assert len(lessons.lengths) == 2


def test_an_answer_that_came_in_one_piece_counts_as_quick() -> None:
    assert [one.value for one in learned(sample(100, generating=0.0)).lessons(BASE).rates] == [100 / AT_ONCE]


def test_answers_that_grow_with_their_files_are_expected_to() -> None:
    sizes = [500, 700, 1000, 1400, 2000, 2800]
    experience = learned(*(sample(size, replace(BASE, named_tokens=size)) for size in sizes))
    expected = middle(experience.lessons(replace(BASE, named_tokens=2400)).lengths)
    assert expected is not None
    assert math.exp(expected) == pytest.approx(2400, rel=0.15)


def test_answers_that_do_not_grow_with_their_files_are_not_expected_to() -> None:
    sizes = [500, 700, 1000, 1400, 2000, 2800]
    experience = learned(*(sample(150, replace(BASE, named_tokens=size)) for size in sizes))
    expected = middle(experience.lessons(replace(BASE, named_tokens=5000)).lengths)
    assert expected is not None
    assert math.exp(expected) == pytest.approx(150)


def test_newer_jobs_count_more() -> None:
    experience = learned(*[sample(100)] * 60, *[sample(400)] * 40)
    expected = middle(experience.lessons(BASE).lengths)
    assert expected is not None
    assert math.exp(expected) == pytest.approx(400)


def test_the_same_job_counts_once() -> None:
    experience = learned(sample())
    experience.learn(JobId("j0"), sample(300))
    assert len(experience) == 1


def test_the_oldest_are_forgotten_first() -> None:
    experience = Experience(2)
    for number in range(3):
        experience.learn(JobId(f"j{number}"), sample(10 ** (number + 1)))
    assert sorted(round(math.exp(one.value)) for one in experience.lessons(BASE).lengths) == [100, 1000]


def test_a_deleted_room_teaches_nothing_any_more() -> None:
    experience = learned(sample(), sample(traits=replace(BASE, room=RoomId("other"))))
    experience.forget(ROOM)
    assert len(experience) == 1


def test_a_sample_survives_the_record_of_its_job() -> None:
    one = sample()
    assert sample_of(timings(one), ROOM, "m", "targeted", PROMPT) == one


@pytest.mark.parametrize(
    "broken",
    [{"waiting": -1.0}, {"tokens": 0}, {"generating": math.nan}, {"named_tokens": "many"}, {"finishing": None}],
)
def test_a_record_that_makes_no_sense_teaches_nothing(broken: dict[str, float]) -> None:
    assert sample_of({**timings(sample()), **broken}, ROOM, "m", "targeted", PROMPT) is None


def test_a_job_without_a_strategy_teaches_nothing() -> None:
    assert sample_of(timings(sample()), ROOM, "m", None, PROMPT) is None


def test_the_middle_is_that_of_the_weights() -> None:
    assert middle([Weighed(1, 1), Weighed(2, 1), Weighed(9, 5)]) == 9
    assert middle([]) is None


def test_equal_values_do_not_spread() -> None:
    assert spread([Weighed(3, 1)]) == 0
    assert spread([Weighed(3, 1), Weighed(3, 2)]) == pytest.approx(0)
    assert spread([Weighed(1, 1), Weighed(math.e**2, 1)]) == pytest.approx(1)

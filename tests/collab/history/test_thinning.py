"""Which versions go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.errors import InvalidInput
from collab.history.thinning import DEFAULT, MOST_VERSIONS, Policy, Step, parse_steps, thin
from collab.history.version import Cause, Version, VersionId

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
POLICY = Policy(parse_steps(DEFAULT), 1_000_000)
NOW = 100 * DAY


def version(age_ms: int, cause: Cause = "work", size: int = 100) -> Version:
    return Version(VersionId(f"{cause}{age_ms}"), NOW - age_ms, NOW - age_ms, cause, size=size)


def going(*versions: Version, policy: Policy = POLICY, now: int = NOW) -> list[str]:
    return list(thin(policy, sorted(versions, key=lambda one: one.at_ms), now))


def test_the_setting_says_how_long_versions_are_kept() -> None:
    assert parse_steps(DEFAULT) == (Step(0, HOUR), Step(10 * MINUTE, DAY), Step(DAY, 30 * DAY))


@pytest.mark.parametrize("text", ["", "all", "5x for 1d", "all for 1h 10m for 1d", "1d for 30d, all for 1h"])
def test_a_setting_that_cannot_be_read_says_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidInput, match="all for 1h"):
        parse_steps(text)


def test_all_of_the_last_hour_stay() -> None:
    assert going(*(version(number * MINUTE) for number in range(60))) == []


def test_one_of_ten_minutes_stays_for_a_day() -> None:
    ages = [2 * HOUR + number * MINUTE for number in range(1, 61)]
    gone = going(version(0), *map(version, ages))
    assert len(gone) == 54


def test_the_last_one_of_a_stretch_stays() -> None:
    start = 5 * HOUR
    assert going(version(0), version(start + 8 * MINUTE), version(start + MINUTE)) == [f"work{start + 8 * MINUTE}"]


def test_what_is_older_than_all_steps_goes() -> None:
    assert going(version(0), version(31 * DAY)) == [f"work{31 * DAY}"]


def test_those_with_a_name_and_the_newest_stay() -> None:
    assert going(version(90 * DAY, "named"), version(80 * DAY)) == []


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    policy = Policy(POLICY.steps, 250)
    assert going(version(3), version(2), version(1), version(0), policy=policy) == ["work3", "work2"]


def test_those_with_a_name_do_not_go_for_bytes() -> None:
    policy = Policy(POLICY.steps, 250)
    assert going(version(3, "named"), version(2), version(1), version(0), policy=policy) == ["work2", "work1"]


def test_there_are_never_more_than_so_many() -> None:
    assert len(going(*map(version, range(MOST_VERSIONS + 5)))) == 5


@given(st.lists(st.tuples(st.integers(0, 40 * DAY), st.booleans()), max_size=40, unique_by=lambda one: one[0]))
def test_thinning_twice_is_thinning_once(made: list[tuple[int, bool]]) -> None:
    versions = sorted((version(age, "named" if named else "work") for age, named in made), key=lambda v: v.at_ms)
    gone = thin(POLICY, versions, NOW)
    kept = [one for one in versions if one.id not in gone]
    assert thin(POLICY, kept, NOW) == []
    assert kept[-1:] == versions[-1:]
    assert all(one in kept for one in versions if one.cause == "named")

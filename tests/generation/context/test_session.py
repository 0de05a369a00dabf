from __future__ import annotations

from collab.ids import ClientId, JobId, PersonId
from generation.context.session import MOST_JOBS, found_before, summarised
from generation.jobs import Job
from generation.states import JobState


def job(number: int, prompt: str = "Do it.", state: JobState = JobState.COMPLETE, error: str | None = None) -> Job:
    return Job(
        id=JobId(f"j{number}"),
        prompt=prompt,
        asked_by="Ada",
        person=PersonId("p"),
        model="m",
        offline=False,
        clients=[ClientId(number + 1)],
        color="#000000",
        created_ms=number,
        state=state,
        error=error,
        written=["a.py"] if state is JobState.COMPLETE else [],
    )


NOW = job(99, "What now?")


def test_past_requests_are_told_in_one_line_each() -> None:
    text = summarised([job(1, "Add\na test."), job(2, state=JobState.FAILED), NOW], NOW)
    assert text.split("\n") == ["Ada asked: 'Add a test.' (done; wrote a.py)", "Ada asked: 'Do it.' (failed)"]


def test_of_many_the_last_ones_are_told_and_how_many_there_were() -> None:
    lines = summarised([job(number) for number in range(MOST_JOBS + 3)], NOW).split("\n")
    assert lines[0] == "(3 earlier requests)"
    assert len(lines) == MOST_JOBS + 1


def test_that_the_same_was_asked_before_is_not_told() -> None:
    assert summarised([job(1, NOW.prompt)], NOW) == ""


def test_a_long_prompt_is_cut() -> None:
    assert len(summarised([job(1, "x" * 10_000)], NOW)) < 400


def test_what_the_last_request_came_to_is_told_and_nothing_of_one_that_went_well() -> None:
    failed = job(1, state=JobState.FAILED, error="The answer was cut.")
    assert "The answer was cut." in found_before([failed, NOW], NOW)
    assert found_before([failed, job(2), NOW], NOW) == ""
    assert found_before([], NOW) == ""


def test_what_checks_found_is_told_until_it_is_taken_back() -> None:
    last = job(1)
    last.findings = ["app.py imports nowhere, which is not there."]
    assert "app.py imports nowhere" in found_before([last], NOW)
    last.undone = True
    assert found_before([last], NOW) == ""

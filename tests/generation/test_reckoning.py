from __future__ import annotations

import pytest

from collab.ids import ClientId, FileId, FilePath, JobId, PersonId, RoomId
from generation.errors import StaleEpoch
from generation.experience import Experience
from generation.jobs import Job
from generation.reckoning import Reckoning, named_tokens, study
from generation.states import JobState
from tests.generation.fakes import ManualClock

ROOM = RoomId("r")


def make(name: str = "j1", prompt: str = "Write tests for app.py") -> Job:
    return Job(JobId(name), prompt, "Ada", PersonId("p"), "m", False, [ClientId(7)], "#000", 1)


def play(job: Job, experience: Experience, clock: ManualClock, tokens: int = 200) -> Reckoning:
    """A job up to the end of its answer, at 100 tokens a second after one second of silence."""
    epoch = job.begin()
    reckoning = Reckoning(ROOM, job, epoch, experience, clock)
    reckoning.stage(JobState.PREPARING)
    reckoning.expect("m", "targeted", 50, 1000)
    job.strategy = "targeted"
    reckoning.stage(JobState.GENERATING)
    clock.now += 1
    for count in range(1, tokens, 10):
        reckoning.counted(count)
        clock.now += 0.1
    reckoning.counted(tokens)
    reckoning.stage(JobState.VALIDATING)
    return reckoning


def finish(job: Job, reckoning: Reckoning) -> None:
    job.complete(job.epoch)
    reckoning.learn()


def learned(clock: ManualClock, count: int = 5) -> tuple[Experience, list[Job]]:
    experience, jobs = Experience(), []
    for number in range(count):
        jobs.append(make(f"j{number}"))
        finish(jobs[-1], play(jobs[-1], experience, clock))
    return experience, jobs


def test_a_finished_job_teaches_the_next() -> None:
    clock = ManualClock()
    experience, _ = learned(clock)
    job = make("next")
    reckoning = Reckoning(ROOM, job, job.begin(), experience, clock)
    reckoning.expect("m", "targeted", 50, 1000)
    reckoning.stage(JobState.GENERATING)
    assert job.eta_seconds == pytest.approx(3.0, rel=0.1)
    assert job.eta_confidence is not None
    assert job.eta_confidence > 0.5
    assert job.expected_tokens == pytest.approx(200, rel=0.1)


def test_what_a_job_taught_is_in_its_record() -> None:
    clock = ManualClock()
    experience, jobs = learned(clock)
    again = Experience()
    study(again, ROOM, [Job.from_bytes(job.to_bytes()) for job in jobs])
    assert len(again) == len(experience) == 5


def test_a_job_that_did_not_come_to_its_end_teaches_nothing() -> None:
    clock, experience = ManualClock(), Experience()
    job = make()
    play(job, experience, clock)
    job.cancel("Ada")
    study(experience, ROOM, [job])
    assert len(experience) == 0


def test_a_job_that_went_on_from_what_was_written_teaches_nothing() -> None:
    clock, experience = ManualClock(), Experience()
    job = make()
    job.written = ["app.py"]
    finish(job, play(job, experience, clock))
    assert len(experience) == 0
    assert job.timings == {}


def test_a_retry_forgets_what_the_last_try_took() -> None:
    clock, experience = ManualClock(), Experience()
    job = make()
    finish(job, play(job, experience, clock))
    assert job.timings
    job.state = JobState.CANCELLED
    job.retry(ClientId(8))
    assert job.timings == {}
    assert job.expected_tokens is None


def test_what_the_provider_counted_is_told_but_not_learned() -> None:
    clock, experience = ManualClock(), Experience()
    job = make()
    reckoning = play(job, experience, clock, tokens=200)
    job.state = JobState.GENERATING
    reckoning.counted(900, reported=True)
    assert job.tokens == 900
    finish(job, reckoning)
    assert job.timings["tokens"] == 200


def test_the_file_that_is_written_is_told_until_the_end() -> None:
    clock, experience = ManualClock(), Experience()
    job = make()
    reckoning = play(job, experience, clock)
    reckoning.writing("app.py")
    assert job.view().current_file == "app.py"
    finish(job, reckoning)
    assert job.view().current_file is None


def test_a_late_token_changes_nothing_of_a_job_that_ended() -> None:
    clock, experience = ManualClock(), Experience()
    job = make()
    reckoning = play(job, experience, clock)
    job.cancel("Ada")
    before = job.view()
    clock.now += 1
    with pytest.raises(StaleEpoch):
        reckoning.counted(999)
    with pytest.raises(StaleEpoch):
        reckoning.writing("b.py")
    assert job.view() == before


def test_the_files_that_a_request_or_its_prompt_names_are_measured() -> None:
    job = make(prompt="Rewrite src/a.py and b.py.")
    job.requested_files = ("f3",)
    files = [
        (FileId("f1"), FilePath("src/a.py"), "x" * 43),
        (FileId("f2"), FilePath("lib/b.py"), "x" * 43),
        (FileId("f3"), FilePath("c.py"), "x" * 43),
        (FileId("f4"), FilePath("d.py"), "x" * 43),
    ]
    assert named_tokens(job, files) == 3 * named_tokens(job, files[:1]) > 0

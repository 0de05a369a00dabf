from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.errors import Conflict, LimitExceeded, StoreCorrupt
from collab.ids import ClientId, JobId, PersonId
from generation.errors import StaleEpoch
from generation.jobs import Job
from generation.states import MOST_FAILURES, MOST_STEERS, MOST_TAKEOVERS, STAGES, JobState
from generation.views import Attempt, Failure, JobView, SuggestionView
from server.messages.parts import Job as JobMessage
from server.messages.parts import Suggestion as SuggestionMessage


def make() -> Job:
    return Job(
        id=JobId("j1"),
        prompt="p",
        asked_by="Ada",
        person=PersonId("p-ada"),
        model="m",
        offline=False,
        clients=[ClientId(7)],
        color="#000000",
        created_ms=1,
        requested_files=("a.py",),
    )


def test_a_job_goes_through_all_stages_to_its_end() -> None:
    job = make()
    epoch = job.begin()
    for state in STAGES[2:]:
        job.advance(epoch, state)
    job.complete(epoch)
    assert (job.state, job.progress, job.ended) == (JobState.COMPLETE, 1.0, True)


def test_a_job_does_not_go_back() -> None:
    job = make()
    epoch = job.begin()
    job.advance(epoch, JobState.GENERATING)
    with pytest.raises(ValueError, match="go back"):
        job.advance(epoch, JobState.PREPARING)


def test_a_job_with_open_suggestions_needs_review_until_they_are_answered() -> None:
    job = make()
    epoch = job.begin()
    job.settle(2)
    job.complete(epoch)
    states = [job.state]
    job.settle(0)
    states.append(job.state)
    assert states == [JobState.NEEDS_REVIEW, JobState.COMPLETE]


def test_progress_never_goes_back() -> None:
    job = make()
    epoch = job.begin()
    job.move(epoch, progress=0.5, eta_seconds=1, tokens=2)
    job.move(epoch, progress=0.2, eta_seconds=1, tokens=3)
    assert job.progress == 0.5


END = st.sampled_from(["cancel", "complete", "fail", "interrupt"])


@given(END, st.booleans())
def test_late_work_of_an_ended_epoch_never_lands(end: str, retried: bool) -> None:
    job = make()
    epoch = job.begin()
    ends: dict[str, Callable[[], None]] = {
        "cancel": lambda: job.cancel("Bob"),
        "complete": lambda: job.complete(epoch),
        "fail": lambda: job.fail(epoch, "no"),
        "interrupt": job.interrupt,
    }
    ends[end]()
    if retried and end != "complete":
        job.retry(ClientId(8))
        assert job.begin() != epoch
    before = job.to_bytes()
    late: tuple[Callable[[], None], ...] = (
        lambda: job.check(epoch),
        lambda: job.advance(epoch, JobState.GENERATING),
        lambda: job.move(epoch, progress=1, eta_seconds=None, tokens=9),
        lambda: job.complete(epoch),
        lambda: job.fail(epoch, "late"),
    )
    for act in late:
        with pytest.raises(StaleEpoch):
            act()
    assert job.to_bytes() == before


def test_a_queued_job_has_no_worker_whose_work_could_land() -> None:
    job = make()
    with pytest.raises(StaleEpoch):
        job.check(job.epoch)


def test_a_job_begins_once() -> None:
    job = make()
    job.begin()
    with pytest.raises(StaleEpoch):
        job.begin()


def test_an_ended_job_cannot_be_cancelled() -> None:
    job = make()
    job.cancel("Ada")
    with pytest.raises(Conflict, match="ended"):
        job.cancel("Ada")


def test_a_complete_job_cannot_be_retried() -> None:
    job = make()
    job.complete(job.begin())
    with pytest.raises(Conflict, match="retried"):
        job.retry(ClientId(8))


def test_a_paused_job_stays_so_until_it_is_resumed_and_its_work_lands_no_more() -> None:
    job = make()
    epoch = job.begin()
    job.pause()
    assert (job.state, job.ended, job.running, job.can_undo) == (JobState.PAUSED, False, False, False)
    with pytest.raises(StaleEpoch):
        job.advance(epoch, JobState.GENERATING)
    job.interrupt()
    job.pause()
    assert job.state is JobState.PAUSED
    with pytest.raises(Conflict, match="resume it"):
        job.retry(ClientId(8))
    assert job.resume(ClientId(8))
    assert (job.state, job.client) == (JobState.QUEUED, 8)
    assert not job.resume(ClientId(9))


def test_a_paused_job_can_be_cancelled_and_goes_with_its_room() -> None:
    job, other = make(), make()
    job.pause()
    job.cancel("Ada")
    assert job.state is JobState.CANCELLED
    other.pause()
    other.interrupt(paused=True)
    assert other.state is JobState.INTERRUPTED


def test_a_running_job_that_is_steered_is_asked_anew_and_one_that_waits_is_only_told() -> None:
    job = make()
    assert not job.steer("first", ClientId(8))
    assert (job.state, job.client) == (JobState.QUEUED, 7)
    epoch = job.begin()
    assert job.steer("second", ClientId(8), "key")
    assert (job.state, job.client, job.steers) == (JobState.QUEUED, 8, ["first", "second"])
    with pytest.raises(StaleEpoch):
        job.check(epoch)
    assert not job.steer("second", ClientId(9), "key"), "asked twice it is done once"
    assert job.steers == ["first", "second"]
    job.steer("third", ClientId(9), "other")
    kept = Job.from_bytes(job.to_bytes())
    assert not kept.steer("second", ClientId(10), "key"), "also when something else was said in between"
    assert kept.steers == ["first", "second", "third"]


def test_an_ended_job_cannot_be_paused_resumed_or_steered() -> None:
    job = make()
    job.cancel("Ada")
    for act in (job.pause, lambda: job.resume(ClientId(8)), lambda: job.steer("x", ClientId(8))):
        with pytest.raises(Conflict, match="retry it first"):
            act()


def test_a_job_is_steered_only_so_often() -> None:
    job = make()
    for number in range(MOST_STEERS):
        job.steer(f"{number}", ClientId(8))
    with pytest.raises(LimitExceeded, match="in one piece"):
        job.steer("more", ClientId(8))


def test_each_failure_is_kept_with_what_is_known_of_it_and_without_secrets() -> None:
    job = make()
    job.request_id, job.context_tokens = "r1", 1_234
    job.attempts = [Attempt("m", "refused", "Key sk-abcdefghijk is wrong")]
    job.fail(job.begin(), "The key sk-abcdefghijk is wrong.", code="model_refused", at_ms=5)
    job.retry(ClientId(8))
    assert (job.error, job.error_code, job.severity) == (None, "", "")
    job.fail(job.begin(), "No answer.", code="model_unavailable", severity="warning", at_ms=6)
    first = Failure(5, "model_refused", "error", "The key sk-*** is wrong.", "r1", "Ada", "m", 1, 1_234)
    assert job.failures[0] == first
    assert [failure.code for failure in job.failures] == ["model_refused", "model_unavailable"]
    assert job.attempts[0].error == "Key sk-*** is wrong"
    assert Job.from_bytes(job.to_bytes()).view().failures == tuple(job.failures)


def test_only_the_last_failures_are_kept() -> None:
    job = make()
    for number in range(MOST_FAILURES + 3):
        job.fail(job.begin(), f"{number}")
        job.retry(ClientId(8))
    assert [failure.message for failure in job.failures] == [f"{n}" for n in range(3, MOST_FAILURES + 3)]


def test_what_a_template_answers_is_not_charged() -> None:
    job = make()
    job.offline = True
    job.tried(Attempt("offline", "answered", prompt_tokens=60, answer_tokens=40))
    assert job.charge() == (0, 0.0)


def test_what_a_job_took_is_charged_once() -> None:
    job = make()
    job.tried(Attempt("m", "answered", prompt_tokens=60, answer_tokens=40, cost=0.5))
    job.tried(Attempt("free", "broken", prompt_tokens=20))
    assert job.charge() == (120, 0.5)
    job.tried(Attempt("m", "answered", answer_tokens=1, cost=0.25))
    assert job.charge() == (1, 0.25)
    assert job.charge() == (0, 0.0)


def test_each_try_writes_under_a_client_id_of_its_own() -> None:
    job = make()
    job.cancel("Ada")
    job.retry(ClientId(8))
    assert (job.client, job.clients) == (8, [7, 8])


def test_an_ended_job_is_not_interrupted() -> None:
    job = make()
    job.cancel("Ada")
    job.interrupt()
    assert job.state is JobState.CANCELLED


def test_only_an_ended_job_that_wrote_can_be_undone_and_only_once() -> None:
    job = make()
    epoch = job.begin()
    job.wrote = True
    can = [job.can_undo]
    job.complete(epoch)
    can.append(job.can_undo)
    job.undone = True
    can.append(job.can_undo)
    assert can == [False, True, False]


def test_a_job_survives_its_record() -> None:
    job = make()
    job.advance(job.begin(), JobState.GENERATING)
    job.touch(["a.py", "b.py"], ["a.py"])
    assert Job.from_bytes(job.to_bytes()) == job


def test_a_record_of_a_later_version_is_read() -> None:
    data = make().to_bytes().replace(b"{", b'{"later":1,', 1)
    assert Job.from_bytes(data) == make()


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"state":"x"}', b"null"])
def test_a_broken_record_is_corrupt(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        Job.from_bytes(data)


def test_the_view_has_exactly_the_fields_of_the_message() -> None:
    assert {field.name for field in fields(JobView)} == set(JobMessage.model_fields)
    assert {field.name for field in fields(SuggestionView)} == set(SuggestionMessage.model_fields)


def test_a_job_that_is_handed_over_is_queued_under_a_new_epoch_and_client() -> None:
    job = make()
    epoch = job.begin()
    job.move(epoch, progress=0.5, eta_seconds=3, tokens=9)
    job.hand_over(ClientId(8))
    assert (job.state, job.clients, job.progress, job.eta_seconds) == (JobState.QUEUED, [7, 8], 0.0, None)
    assert job.takeovers == 0
    with pytest.raises(StaleEpoch):
        job.check(epoch)
    job.hand_over(ClientId(9))
    assert job.clients == [7, 8]


def test_a_job_is_taken_over_only_so_often_unless_it_is_asked_again() -> None:
    job = make()
    for number in range(MOST_TAKEOVERS):
        job.begin()
        assert job.take_over(ClientId(10 + number))
    job.begin()
    assert not job.take_over(ClientId(99))
    assert job.state is JobState.FAILED
    assert str(MOST_TAKEOVERS) in (job.error or "")
    job.retry(ClientId(100))
    assert job.takeovers == 0
    assert Job.from_bytes(job.to_bytes()) == job

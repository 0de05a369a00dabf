from __future__ import annotations

import pytest

from server.messages.parts import Job, Suggestion
from tests.server.routes_fakes import FakeState, error_of

ROOM = "/api/rooms/main"


async def test_the_list_of_jobs_holds_messages_of_the_protocol() -> None:
    async with FakeState().client() as client:
        jobs = (await client.get(f"{ROOM}/jobs")).json()["jobs"]
    assert [Job.model_validate(job).job for job in jobs] == ["j1"]


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "retry", "undo", "redo"])
async def test_a_job_is_acted_on_in_the_name_of_who_asks(action: str) -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.post(f"{ROOM}/jobs/j1/{action}?name=Kim")
    assert response.json()["job"]["job"] == "j1"
    assert state.generation.calls == [(action, "main", "j1", "Kim")]


async def test_an_unknown_job_and_an_unknown_action_are_not_found() -> None:
    async with FakeState().client() as client:
        assert error_of(await client.post(f"{ROOM}/jobs/j9/undo"))[3] == "job"
        status, _, message, field = error_of(await client.post(f"{ROOM}/jobs/j1/explode"))
    assert (status, field) == (404, "action")
    assert "cancel, pause, resume, steer, reorder, retry, undo, redo" in message


async def test_one_job_is_shown() -> None:
    async with FakeState().client() as client:
        assert (await client.get(f"{ROOM}/jobs/j1")).json()["job"]["job"] == "j1"
        assert error_of(await client.get(f"{ROOM}/jobs/j9"))[:2] == (404, "not_found")


@pytest.mark.parametrize(
    ("action", "body", "call"),
    [
        ("steer", {"prompt": "shorter"}, "steer shorter"),
        ("reorder", {"position": 3}, "move to 3"),
        ("reorder", {"priority": "low"}, "prioritise low"),
    ],
)
async def test_a_job_is_steered_and_reordered(action: str, body: dict[str, object], call: str) -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.post(f"{ROOM}/jobs/j1/{action}?name=Kim", json=body)
    assert response.json()["job"]["job"] == "j1"
    assert state.generation.calls == [(call, "main", "j1", "Kim")]


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("steer", {"prompt": ""}, "prompt"),
        ("steer", {}, "prompt"),
        ("reorder", {"position": 0}, "position"),
        ("reorder", {"priority": "urgent"}, "priority"),
        ("reorder", {}, None),
        ("reorder", {"position": 1, "priority": "low"}, None),
    ],
)
async def test_what_cannot_be_done_with_a_job_is_refused(
    action: str, body: dict[str, object], field: str | None
) -> None:
    state = FakeState()
    async with state.client() as client:
        status, code, message, named = error_of(await client.post(f"{ROOM}/jobs/j1/{action}", json=body))
    assert (status, code, named) == (400, "invalid_input", field)
    assert message
    assert state.generation.calls == []


@pytest.mark.parametrize("name", ["", "x" * 81, "%20"])
async def test_a_name_must_be_of_a_person(name: str) -> None:
    async with FakeState().client() as client:
        assert error_of(await client.post(f"{ROOM}/jobs/j1/undo?name={name}"))[3] == "name"


async def test_the_suggestions_that_wait() -> None:
    async with FakeState().client() as client:
        found = (await client.get(f"{ROOM}/suggestions")).json()["suggestions"]
    assert [Suggestion.model_validate(one).suggestion for one in found] == ["s1"]


async def test_a_suggestion_is_answered() -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.post(f"{ROOM}/suggestions/s1?name=Kim", json={"choice": "accept"})
    assert response.json()["suggestion"]["answered_by"] == "Kim"
    assert state.generation.calls == [("answer", "main", "s1", "accept", "Kim")]


async def test_a_second_answer_and_a_wrong_one_are_refused() -> None:
    async with FakeState().client() as client:
        late = await client.post(f"{ROOM}/suggestions/answered", json={"choice": "reject"})
        wrong = await client.post(f"{ROOM}/suggestions/s1", json={"choice": "maybe"})
        large = await client.post(f"{ROOM}/suggestions/s1", json={"choice": "x" * 20_000_000})
    assert error_of(late)[:3] == (409, "conflict", "Kim has accepted this already.")
    assert (error_of(wrong)[0], error_of(wrong)[3]) == (400, "choice")
    assert error_of(large)[0] == 413


async def test_a_suggestion_is_answered_by_hand() -> None:
    state = FakeState()
    async with state.client() as client:
        await client.post(f"{ROOM}/suggestions/s1?name=Kim", json={"choice": "edit", "text": "x" * 70_000})
    assert state.generation.calls == [("answer", "main", "s1", "edit", "Kim", "x" * 70_000)]


async def test_all_suggestions_of_a_jobs_file_are_answered_at_once() -> None:
    state = FakeState()
    async with state.client() as client:
        body = {"choice": "accept", "path": "a.py"}
        answer = (await client.post(f"{ROOM}/jobs/j1/suggestions?name=Kim", json=body)).json()
    assert (answer["answered"], answer["failed"], answer["job"]["job"]) == (1, ["b.py: It is gone."], "j1")
    assert state.generation.calls == [("answer_all", "main", "j1", "a.py", "accept", "Kim")]


async def test_the_record_of_what_was_decided_is_told_when_asked_for() -> None:
    async with FakeState().client() as client:
        few = (await client.get(f"{ROOM}/suggestions")).json()["suggestions"]
        all_of_them = (await client.get(f"{ROOM}/suggestions?all=1")).json()["suggestions"]
        wrong = await client.get(f"{ROOM}/suggestions?all=yes")
    assert [one["state"] for one in few] == ["open"]
    assert [one["state"] for one in all_of_them] == ["open", "merged"]
    assert (error_of(wrong)[0], error_of(wrong)[3]) == (400, "all")

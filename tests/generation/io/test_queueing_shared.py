"""The queue of a room where several nodes share it: asked from anywhere, and after the keeper is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collab.errors import Conflict, HourlyLimit, InvalidInput, TooManyJobs
from generation.events import JobFinished, JobProgressed, JobTokens
from generation.ports import TextDelta
from generation.scripted import ScriptedModel, said
from generation.usage import Bounds, Quotas
from generation.views import GenerationRequest, JobView
from tests.generation.cluster import QUICK, FakeCluster, Node
from tests.generation.fakes import ADA, BOB, ROOM
from tests.generation.io.playing import APP, EDIT, NEW, Gate
from tests.generation.io.test_shared import ASKED, HALF, OTHER, cluster, finished, keeping, two, until

__all__ = ["cluster"]

ONE = replace(QUICK, running_per_room=1)
TWENTY = "app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n>>>>>>> REPLACE\n"


async def view(node: Node, job: str) -> JobView:
    return next(one for one in await node.generation.jobs(ROOM) if one.job == job)


async def test_a_running_job_is_paused_and_resumed_from_another_node(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [TextDelta(EDIT + HALF), gate], said(TWENTY))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await until(asker, lambda: "# half" in asker.room().text("app.py"))
    assert (await asker.generation.pause(ROOM, job, BOB)).state == "paused"
    assert asker.room().text("app.py") == APP.replace("return 1\n", "return 10\n")
    assert (await asker.generation.resume(ROOM, job, BOB)).state == "queued"
    done = await finished(asker)
    assert (done.state, done.hunks_applied) == ("complete", 2)
    assert "return 20" in asker.room().text("app.py")


async def test_a_paused_job_stays_so_when_its_keeper_is_gone(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [TextDelta(EDIT + HALF), gate], said(TWENTY))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await until(asker, lambda: "# half" in asker.room().text("app.py"))
    await asker.generation.pause(ROOM, job, ADA)
    await keeper.kill()
    assert (await view(asker, job)).state == "paused"
    asker.model._scripts = (said(TWENTY),)
    await asker.generation.resume(ROOM, job, ADA)
    assert (await finished(asker)).state == "complete"
    assert asker.room().text("app.py") == APP.replace("return 1\n", "return 10\n").replace(
        "return 2\n", "return 20\n"
    )


async def test_a_running_job_is_steered_from_another_node_and_keeps_its_place(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper = cluster.node("a", ScriptedModel([TextDelta(EDIT + HALF), gate], said(TWENTY)), ONE)
    asker = cluster.node("b", ScriptedModel(said(NEW)), ONE)
    keeper.room().add("app.py", APP)
    asker.room()
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await until(asker, lambda: "# half" in asker.room().text("app.py"))
    await asker.generation.submit(ROOM, GenerationRequest("other", priority="high"), ADA)
    steered = await asker.generation.steer(ROOM, job, "And 20.", BOB)
    assert steered.steers == ("And 20.",)
    done = await finished(asker)
    assert (done.job, done.state) == (job, "complete")
    assert "And 20." in keeper.model.asked[1][1].content
    assert asker.room().text("app.py") == APP.replace("return 1\n", "return 10\n").replace(
        "return 2\n", "return 20\n"
    )


async def test_a_word_whose_answer_was_lost_is_said_once(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [gate], said(EDIT))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await gate.reached.wait()
    asker.peers.lose = ("Steer", 1)
    assert (await asker.generation.steer(ROOM, job, "Once.", ADA)).steers == ("Once.",)
    assert (await finished(asker)).steers == ("Once.",)
    assert len(keeper.model.asked) == 2


async def test_places_are_changed_from_another_node_and_kept_by_the_next_keeper(cluster: FakeCluster) -> None:
    gate, last = Gate(), Gate()
    keeper = cluster.node("a", ScriptedModel([gate]), ONE)
    asker = cluster.node("b", ScriptedModel([last, *said(NEW)]), ONE)
    keeper.room().add("app.py", APP)
    asker.room()
    await keeping(keeper)
    first = (await asker.generation.submit(ROOM, GenerationRequest("first"), ADA)).job
    await gate.reached.wait()
    jobs = [(await asker.generation.submit(ROOM, GenerationRequest(f"w{n}"), ADA)).job for n in range(3)]
    assert (await asker.generation.move(ROOM, jobs[2], 1, BOB)).position == 1
    assert (await asker.generation.prioritise(ROOM, jobs[1], "high", BOB)).position == 1
    with pytest.raises(InvalidInput, match="does not wait"):
        await asker.generation.move(ROOM, first, 1, BOB)
    assert [(await view(asker, job)).position for job in jobs] == [3, 1, 2]
    await keeper.kill()
    last.open.set()
    await finished(asker, 4)
    order = [event.job.prompt for event in asker.room().of(JobFinished)]
    assert [prompt for prompt in order if prompt != "first"] == ["w1", "w2", "w0"]


async def test_the_bound_of_a_person_counts_the_jobs_of_all_nodes(cluster: FakeCluster) -> None:
    settings = replace(QUICK, quotas=Quotas(person=Bounds(at_once=2, jobs=3)))
    gate = Gate()
    one = cluster.node("a", ScriptedModel([gate, *said(NEW)]), settings)
    other = cluster.node("b", ScriptedModel([gate, *said(NEW)]), settings)
    for node in (one, other):
        node.room()
        node.room(OTHER)
    await keeping(one)
    await keeping(other, OTHER)
    first = (await one.generation.submit(ROOM, GenerationRequest("x"), ADA)).job
    await one.generation.submit(OTHER, GenerationRequest("x"), ADA)
    with pytest.raises(TooManyJobs, match="limit_jobs_per_person"):
        await other.generation.submit(OTHER, GenerationRequest("x"), ADA)
    await other.generation.cancel(ROOM, first, ADA)
    await one.generation._engine.metering.settle()
    third = (await other.generation.submit(OTHER, GenerationRequest("x"), ADA)).job
    await one.generation.cancel(OTHER, third, ADA)
    await other.generation._engine.metering.settle()
    with pytest.raises(HourlyLimit) as caught:
        await other.generation.retry(ROOM, first, ADA)
    assert caught.value.retry_after is not None


async def test_an_ended_job_cannot_be_paused_from_anywhere(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await finished(asker)
    with pytest.raises(Conflict, match="cannot be paused"):
        await asker.generation.pause(ROOM, job, ADA)


async def test_two_jobs_about_one_file_run_one_after_the_other_and_one_about_another_beside_them(
    cluster: FakeCluster,
) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [gate, *said(EDIT)], [gate, *said(NEW)])
    keeper.room().add("b.py", "b = 1\n")
    await keeping(keeper)
    first = (await asker.generation.submit(ROOM, GenerationRequest("1", ("app.py",)), ADA)).job
    await gate.reached.wait()
    second = (await asker.generation.submit(ROOM, GenerationRequest("2", ("app.py",)), ADA)).job
    third = (await asker.generation.submit(ROOM, GenerationRequest("3", ("b.py",)), ADA)).job
    await until(
        asker,
        lambda: any(
            one.job.job == third and one.job.state == "generating" for one in asker.room().of(JobProgressed)
        ),
    )
    assert ((await view(asker, second)).state, (await view(asker, second)).waits_for) == ("queued", first)
    assert second not in {job for _, _, job in cluster.board.posted}, "no ticket is used for it"
    gate.open.set()
    await finished(asker, 3)
    assert asker.room().of(JobTokens)

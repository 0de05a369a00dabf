"""Jobs on several nodes: requests from anywhere, deaths, hand-overs, fairness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from collab.errors import Conflict, InvalidInput, LimitExceeded, NotFound, TryLater
from collab.ids import JobId, RoomId
from generation.book import OPEN, SENT
from generation.events import (
    GenerationEvent,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobTokens,
    SuggestionAnswered,
)
from generation.ports import FinishDelta, TextDelta
from generation.questions import Submit
from generation.scripted import ScriptedModel, Step, said
from generation.sent import Sent
from generation.states import MOST_TAKEOVERS
from generation.takeover import HANDED_OVER, WENT_ON
from generation.views import GenerationRequest, JobView
from tests.generation.cluster import QUICK, FakeCluster, Node
from tests.generation.fakes import ADA, BOB, ROOM
from tests.generation.io.playing import APP, EDIT, NEW, Gate

OTHER = RoomId("other")
HALF = "app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n    # half\n"
REST = ">>>>>>> REPLACE\n"
ASKED = GenerationRequest("Return 10 in app.py")


@pytest.fixture
async def cluster() -> AsyncIterator[FakeCluster]:
    async with FakeCluster() as made, asyncio.timeout(20):
        yield made


async def until(node: Node, met: Callable[[], object], room: RoomId = ROOM) -> None:
    """Waits until something is so, looking after each event at a node."""
    await node.room(room).until(met)


async def finished(node: Node, count: int = 1, room: RoomId = ROOM) -> JobView:
    await until(node, lambda: len(node.room(room).of(JobFinished)) >= count, room)
    return node.room(room).of(JobFinished)[-1].job


async def keeping(node: Node, room: RoomId = ROOM) -> Node:
    """Has a node keep a room."""
    assert (await node.peers.claim(room)).node == node.node
    return node


def two(cluster: FakeCluster, *scripts: list[Step]) -> tuple[Node, Node]:
    """Two nodes whose models play the same scripts, with a file in the room."""
    one = cluster.node("a", ScriptedModel(*scripts))
    other = cluster.node("b", ScriptedModel(*scripts))
    one.room().add("app.py", APP)
    other.room()
    return one, other


async def test_a_job_asked_for_at_one_node_is_kept_by_another_and_seen_at_both(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    job = await asker.generation.submit(ROOM, ASKED, ADA)
    assert job.state == "queued"
    done = await finished(asker)
    assert (done.job, done.state) == (job.job, "complete")
    for node in (keeper, asker):
        assert node.room().text("app.py") == APP.replace("return 1\n", "return 10\n")
        assert [one.job for one in await node.generation.jobs(ROOM)] == [job.job]
    assert OPEN not in cluster.shared.records[ROOM] or not cluster.shared.records[ROOM][OPEN]


async def test_undo_and_redo_are_asked_of_the_keeper(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await finished(asker)
    assert (await asker.generation.undo(ROOM, job, BOB)).undone
    assert asker.room().text("app.py") == APP
    assert not (await asker.generation.redo(ROOM, job, BOB)).undone
    assert "return 10" in asker.room().text("app.py")


@pytest.mark.parametrize(
    ("request_", "error", "field"),
    [
        (GenerationRequest(" "), InvalidInput, "prompt"),
        (GenerationRequest("x" * 40_000), LimitExceeded, "prompt"),
        (GenerationRequest("x", files=("no.py",)), NotFound, "file"),
        (GenerationRequest("x", model="none"), InvalidInput, "model"),
    ],
)
async def test_a_refusal_of_the_keeper_keeps_its_class_and_field(
    cluster: FakeCluster, request_: GenerationRequest, error: type[Exception], field: str
) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    with pytest.raises(error) as there:
        await keeper.generation.submit(ROOM, request_, ADA)
    with pytest.raises(error) as here:
        await asker.generation.submit(ROOM, request_, ADA)
    assert (type(here.value), here.value.args) == (type(there.value), there.value.args)
    assert getattr(here.value, "field", None) == getattr(there.value, "field", "") == field


async def test_a_job_whose_answer_was_lost_is_queued_once(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    asker.peers.lose_submits = 1
    job = await asker.generation.submit(ROOM, ASKED, ADA)
    assert asker.peers.submits == 2
    assert [one.job for one in await asker.generation.jobs(ROOM)] == [job.job]
    await finished(asker)
    assert len(asker.room().of(JobStarted)) == 1


async def test_a_running_job_is_cancelled_from_another_node_at_once(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [TextDelta(EDIT + HALF), gate, TextDelta("late\n" + REST), FinishDelta("stop")])
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await until(asker, lambda: "half" in asker.room().text("app.py"))
    cancelled = await asyncio.wait_for(asker.generation.cancel(ROOM, job, BOB), 0.1)
    assert (cancelled.state, cancelled.error) == ("cancelled", "Cancelled by Bob.")
    gate.open.set()
    for node in (keeper, asker):
        assert node.room().text("app.py") == APP.replace("return 1\n", "return 10\n")
    with pytest.raises(Conflict, match="ended already") as caught:
        await asker.generation.cancel(ROOM, job, BOB)
    assert caught.value.field == "job"


async def test_of_two_answers_on_two_nodes_one_wins_and_the_other_hears_who(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    await asker.generation.submit(ROOM, replace(ASKED, mode="review"), ADA)
    await finished(asker)
    [hunk] = await asker.generation.suggestions(ROOM)
    answers = await asyncio.gather(
        keeper.generation.answer(ROOM, hunk.suggestion, "accept", ADA),
        asker.generation.answer(ROOM, hunk.suggestion, "reject", BOB),
        return_exceptions=True,
    )
    [refused] = [one for one in answers if isinstance(one, Conflict)]
    [won] = [one for one in answers if not isinstance(one, BaseException)]
    assert won.answered_by is not None
    assert won.answered_by in refused.message
    assert len(asker.room().of(SuggestionAnswered)) == 1
    assert await asker.generation.suggestions(ROOM) == []


async def test_a_job_whose_node_dies_goes_on_at_another_without_the_half_written_hunk(
    cluster: FakeCluster,
) -> None:
    gate = Gate()
    dying = cluster.node("a", ScriptedModel([TextDelta(EDIT + HALF), gate]))
    dying.room().add("app.py", APP)
    job = (await dying.generation.submit(ROOM, ASKED, ADA)).job
    await until(dying, lambda: "half" in dying.room().text("app.py"))
    assert "return 2\n" not in dying.room().text("app.py")
    heir = cluster.node("b", ScriptedModel(said(NEW)))
    text = heir.room().text
    assert "half" in text("app.py")
    await dying.kill()
    done = await finished(heir)
    assert (done.job, done.state, done.error, done.hunks_applied) == (job, "complete", None, 2)
    assert text("app.py") == APP.replace("return 1\n", "return 10\n")
    assert text("new.py") == "x = 1\n"
    assert WENT_ON in [event.detail for event in heir.room().of(JobProgressed)]
    prompt = heir.model.asked[0][1].content
    assert "An earlier try" in prompt
    assert "half" not in prompt
    assert not cluster.shared.records[ROOM][OPEN]
    await heir.generation.undo(ROOM, job, BOB)
    assert text("app.py") == APP
    assert [file.shown for file in heir.room().document.listing().files.values()] == ["app.py"]


async def test_half_a_new_file_goes_with_the_node_that_wrote_it(cluster: FakeCluster) -> None:
    gate = Gate()
    dying = cluster.node("a", ScriptedModel([TextDelta(NEW[:-5]), gate]))
    dying.room().add("app.py", APP)
    await dying.generation.submit(ROOM, ASKED, ADA)
    await until(dying, lambda: dying.room().of(JobTokens))
    heir = cluster.node("b", ScriptedModel(said(EDIT)))
    await dying.kill()
    assert (await finished(heir)).state == "complete"
    assert [file.shown for file in heir.room().document.listing().files.values()] == ["app.py"]


async def test_what_people_typed_into_a_dead_nodes_hunk_stays(cluster: FakeCluster) -> None:
    gate = Gate()
    dying = cluster.node("a", ScriptedModel([TextDelta(HALF), gate]))
    file = dying.room().add("app.py", APP)
    await dying.generation.submit(ROOM, ASKED, ADA)
    await until(dying, lambda: "half" in dying.room().text("app.py"))
    heir = cluster.node("b", ScriptedModel(said(EDIT)))
    heir.room()
    await dying.kill()
    at = heir.room().text("app.py").index("half")
    _, applied = heir.room().document.edit(lambda editor: editor.splice(file, at, at, "ADA"))
    assert applied.update is not None
    heir.room().write(applied.update)
    await finished(heir)
    text = heir.room().text("app.py")
    assert text.count("ADA") == 1
    assert "half" not in text
    assert "    return 2\n" in text


async def test_the_late_tokens_of_a_zombie_land_nowhere(cluster: FakeCluster) -> None:
    gate = Gate()
    zombie = cluster.node(
        "a", ScriptedModel([TextDelta(HALF), gate, TextDelta("late\n" + REST), FinishDelta("stop")])
    )
    zombie.room().add("app.py", APP)
    job = (await zombie.generation.submit(ROOM, ASKED, ADA)).job
    await until(zombie, lambda: "half" in zombie.room().text("app.py"))
    heir = cluster.node("b", ScriptedModel(said(EDIT)))
    zombie.lose_lease()
    await heir.generation.jobs(ROOM)  # Its tickets are still spoken for; somebody who joins finds it dead.
    assert (await finished(heir)).state == "complete"
    records = {kind: dict(values) for kind, values in cluster.shared.records[ROOM].items()}
    told = len(heir.room().events)
    gate.open.set()
    await until_ended(zombie, job)
    for node in (zombie, heir):
        assert node.room().text("app.py") == APP.replace("return 1\n", "return 10\n")
    assert cluster.shared.records[ROOM] == records
    assert len(heir.room().events) == told
    assert zombie.room().presence == {}


async def until_ended(node: Node, job: str) -> None:
    """Waits until nothing works on a job at a node any more."""
    async with asyncio.timeout(10):
        while any(task.get_name() == f"job {job}" for task in asyncio.all_tasks()):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.001)


async def test_a_node_that_is_told_of_its_loss_stops_at_once_without_writing(cluster: FakeCluster) -> None:
    gate = Gate()
    loser = cluster.node("a", ScriptedModel([TextDelta(HALF), gate]))
    loser.room().add("app.py", APP)
    job = (await loser.generation.submit(ROOM, ASKED, ADA)).job
    await until(loser, lambda: "half" in loser.room().text("app.py"))
    records = {kind: dict(values) for kind, values in cluster.shared.records[ROOM].items()}
    loser.lose_lease()
    loser.generation.lost([ROOM])
    await until_ended(loser, job)
    assert cluster.shared.records[ROOM] == records
    assert loser.room().of(JobFinished) == []
    assert loser.room().presence == {}


async def half_written(node: Node) -> None:
    """Waits until a node's own model has written the half of a hunk."""
    await until(node, lambda: node.model.asked and "half" in node.room().text("app.py"))


async def test_a_job_that_loses_its_node_again_and_again_fails_in_words(cluster: FakeCluster) -> None:
    nodes = [cluster.node("n0", ScriptedModel([TextDelta(HALF), Gate()]))]
    nodes[0].room().add("app.py", APP)
    job = (await nodes[0].generation.submit(ROOM, ASKED, ADA)).job
    for number in range(1, MOST_TAKEOVERS + 1):
        last = nodes[-1]
        await half_written(last)
        nodes.append(cluster.node(f"n{number}", ScriptedModel([TextDelta(HALF), Gate()])))
        nodes[-1].room()
        await last.kill()
    last = nodes[-1]
    await half_written(last)
    heir = cluster.node("heir", ScriptedModel(said(EDIT)))
    heir.room()
    await last.kill()
    done = await finished(heir)
    assert (done.job, done.state) == (job, "failed")
    assert f"{MOST_TAKEOVERS} times" in (done.error or "")
    assert heir.room().text("app.py") == APP
    assert heir.model.asked == []
    await heir.generation.retry(ROOM, job, ADA)
    assert (await finished(heir, 2)).state == "complete"


async def test_a_queued_job_outlives_its_keeper(cluster: FakeCluster) -> None:
    settings = replace(QUICK, running_per_room=1)
    dying = cluster.node("a", ScriptedModel([Gate()]), settings)
    dying.room().add("app.py", APP)
    await dying.generation.submit(ROOM, ASKED, ADA)
    waiting = (await dying.generation.submit(ROOM, GenerationRequest("and this"), BOB)).job
    heir = cluster.node("b", ScriptedModel(said(EDIT), said(NEW)), settings)
    heir.room()
    await dying.kill()
    done = await finished(heir, 2)
    assert (done.job, done.state) == (waiting, "complete")


async def test_a_drained_node_hands_its_jobs_over(cluster: FakeCluster) -> None:
    gate = Gate()
    leaving = cluster.node("a", ScriptedModel([TextDelta(EDIT + HALF), gate]))
    leaving.room().add("app.py", APP)
    job = (await leaving.generation.submit(ROOM, ASKED, ADA)).job
    await until(leaving, lambda: "half" in leaving.room().text("app.py"))
    heir = cluster.node("b", ScriptedModel(said(NEW)))
    heir.room()
    await leaving.generation.drain()
    assert leaving.task is not None
    await asyncio.wait_for(leaving.task, 1)
    assert "half" not in leaving.room().text("app.py")
    assert leaving.room().presence == {}
    done = await finished(heir)
    assert (done.job, done.state, done.hunks_applied) == (job, "complete", 2)
    details = [event.detail for event in heir.room().of(JobProgressed)]
    assert HANDED_OVER in details
    assert WENT_ON not in details
    assert cluster.shared.keeps[ROOM].node == heir.node
    with pytest.raises(TryLater, match="stopping"):
        await leaving.generation.submit(ROOM, ASKED, ADA)


async def test_a_drained_node_that_is_alone_takes_nothing_more(cluster: FakeCluster) -> None:
    gate = Gate()
    leaving = cluster.node("a", ScriptedModel([gate]))
    leaving.room().add("app.py", APP)
    await leaving.generation.submit(ROOM, ASKED, ADA)
    await gate.reached.wait()
    await leaving.generation.drain()
    with pytest.raises(TryLater, match="stopping"):
        await leaving.generation.submit(ROOM, ASKED, ADA)
    [job] = await leaving.generation.jobs(ROOM)
    assert job.state == "queued"


async def test_a_keeper_without_a_free_place_gives_up_the_room(cluster: FakeCluster) -> None:
    settings = replace(QUICK, jobs_running=1)
    gate = Gate()
    full = cluster.node("a", ScriptedModel([gate, *said(EDIT)]), settings)
    full.room().add("app.py", APP)
    full.room(OTHER).add("app.py", APP)
    await full.generation.submit(ROOM, ASKED, ADA)
    await gate.reached.wait()
    await full.generation.submit(OTHER, ASKED, ADA)
    assert cluster.shared.keeps[OTHER].node == full.node
    free = cluster.node("b", ScriptedModel(said(EDIT)), settings)
    done = await finished(free, room=OTHER)
    assert done.state == "complete"
    assert cluster.shared.keeps[OTHER].node == free.node
    assert cluster.shared.keeps[ROOM].node == full.node
    gate.open.set()
    await finished(full)


async def test_a_ticket_of_a_room_that_another_node_keeps_is_handed_to_it(cluster: FakeCluster) -> None:
    keeper = cluster.node("a", ScriptedModel(said(EDIT)))
    taker = cluster.node("b", ScriptedModel(said(EDIT)))
    keeper.room().add("app.py", APP)
    await keeping(keeper)
    for count in range(1, 7):
        await keeper.generation.submit(ROOM, replace(ASKED, prompt=f"{count}"), ADA)
        await finished(keeper, count)
    assert taker.model.asked == []
    assert len(keeper.model.asked) == 6
    assert {node for _, node in cluster.board.handed} <= {keeper.node}


async def test_the_jobs_of_a_room_begin_in_order_and_rooms_take_turns_over_two_nodes(cluster: FakeCluster) -> None:
    settings = replace(QUICK, jobs_running=1, running_per_room=1)
    gate = Gate()
    nodes = [cluster.node(name, ScriptedModel([gate, *said(NEW)]), settings) for name in ("a", "b")]
    for room in (ROOM, OTHER, RoomId("third")):
        nodes[0].room(room).add("app.py", APP)
        nodes[1].room(room)
    many = [(await nodes[0].generation.submit(ROOM, GenerationRequest(f"m{n}"), ADA)).job for n in range(6)]
    first = (await nodes[0].generation.submit(OTHER, GenerationRequest("one"), ADA)).job
    third = (await nodes[1].generation.submit(RoomId("third"), GenerationRequest("one"), ADA)).job
    assert [job for _, room, job in cluster.board.posted if room == ROOM] in ([], many[:1])
    gate.open.set()
    for room, count in ((ROOM, 6), (OTHER, 1), (RoomId("third"), 1)):
        await finished(nodes[0], count, room)
    begun = list(
        dict.fromkeys(
            event.job.job for event in nodes[0].room().of(JobProgressed) if event.job.state == "preparing"
        )
    )
    assert begun == many
    order: list[str] = [job for _, _, job in cluster.board.posted]
    assert order.index(first) <= 2
    assert order.index(third) <= 3


async def test_a_watcher_at_another_node_sees_the_job_from_its_start_to_its_end(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [gate, *said(EDIT)])
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    async with asker.generation.watch(job) as stream:
        gate.open.set()
        events: list[GenerationEvent] = [event async for event in stream]
    kinds = [type(event) for event in events]
    assert kinds[0] is JobStarted
    assert JobTokens in kinds
    assert kinds[-1] is JobFinished
    async with asker.generation.watch(job) as stream:
        assert [type(event) async for event in stream] == [JobFinished]
    with pytest.raises(NotFound):
        async with asker.generation.watch("jnone"):
            pass


async def test_a_watcher_ends_though_the_end_was_not_heard(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [gate, *said(EDIT)])
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    async with asker.generation.watch(job) as stream:
        asker.deaf = True
        gate.open.set()
        await finished(keeper)
        asker.generation.renewed()
        events = [event async for event in stream]
    assert isinstance(events[-1], JobFinished)
    assert events[-1].job.state == "complete"


async def test_a_watch_goes_on_when_the_job_moves_to_another_node(cluster: FakeCluster) -> None:
    gate = Gate()
    leaving = cluster.node("a", ScriptedModel([TextDelta(HALF), gate]))
    leaving.room().add("app.py", APP)
    job = (await leaving.generation.submit(ROOM, ASKED, ADA)).job
    await gate.reached.wait()
    async with leaving.generation.watch(job) as stream:
        heir = cluster.node("b", ScriptedModel(said(EDIT)))
        heir.room()
        await leaving.generation.drain()
        events = [event async for event in stream]
    assert isinstance(events[-1], JobFinished)
    assert events[-1].job.state == "complete"


async def test_lists_are_read_from_the_records_when_the_keeper_does_not_answer(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await finished(asker)
    keeper.cut = True
    assert [one.job for one in await asker.generation.jobs(ROOM)] == [job]


async def test_lists_are_asked_for_once_however_many_join(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    await asyncio.gather(*(asker.generation.jobs(ROOM) for _ in range(50)))
    assert asker.peers.asked == 1


async def test_a_deleted_room_has_no_jobs_on_any_node(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper, asker = two(cluster, [TextDelta(HALF), gate])
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await until(asker, lambda: asker.room().of(JobTokens))
    async with asker.generation.watch(job) as stream:
        cluster.shared.records[ROOM].clear()
        for node in (asker, keeper):
            node.generation.forget(ROOM)
        events = [event async for event in stream]
    assert isinstance(events[-1], JobFinished)
    assert events[-1].job.state == "interrupted"
    await until_ended(keeper, job)
    assert await asker.generation.jobs(ROOM) == []


async def test_records_that_the_store_has_lost_are_written_again(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    await asker.generation.submit(ROOM, replace(ASKED, mode="review"), ADA)
    await finished(asker)
    records = cluster.shared.records[ROOM]
    # What was sent is a log that nothing depends on; only the store has it.
    before = {kind: dict(values) for kind, values in records.items() if values and kind != SENT}
    records.clear()
    keeper.generation.restored(ROOM)
    async with asyncio.timeout(5):
        while {kind: values for kind, values in records.items() if values} != before:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.001)


async def test_a_job_whose_ticket_the_board_lost_is_run_all_the_same(cluster: FakeCluster) -> None:
    gate = Gate()
    settings = replace(QUICK, jobs_running=1)
    node = cluster.node("a", ScriptedModel([gate], said(EDIT)), settings)
    node.room().add("app.py", APP)
    node.room(OTHER).add("app.py", APP)
    first = (await node.generation.submit(ROOM, ASKED, ADA)).job
    await gate.reached.wait()
    await node.generation.submit(OTHER, ASKED, ADA)
    async with asyncio.timeout(5):
        while len(cluster.board.posted) < 2:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.001)
    cluster.board.wipe()
    node.generation.restored(OTHER)
    await node.generation.cancel(ROOM, first, ADA)
    assert (await finished(node, room=OTHER)).state == "complete"


async def test_a_keeper_that_is_gone_is_replaced_within_the_same_request(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await finished(asker)
    await keeper.kill()
    assert (await asker.generation.undo(ROOM, job, BOB)).undone
    assert asker.room().text("app.py") == APP
    assert cluster.shared.keeps[ROOM].node == asker.node


async def test_the_same_submission_twice_at_the_engine_is_one_job(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, [Gate()])
    await keeping(keeper)
    question = Submit(ROOM, JobId("jsame"), ASKED, ADA)
    first = await asker.generation._asking.ask(question)
    again = await asker.generation._asking.ask(question)
    assert isinstance(first, JobView)
    assert isinstance(again, JobView)
    assert first.job == again.job
    assert len(await asker.generation.jobs(ROOM)) == 1


async def test_what_jobs_took_is_known_to_the_node_that_keeps_the_room_next(cluster: FakeCluster) -> None:
    gate = Gate()
    keeper = await keeping(cluster.node("a", ScriptedModel(said(EDIT))))
    keeper.room().add("app.py", APP)
    for number in range(3):
        await keeper.generation.submit(ROOM, replace(ASKED, mode="review"), ADA)
        await finished(keeper, number + 1)
    await keeper.kill()
    heir = await keeping(cluster.node("b", ScriptedModel([gate, *said(EDIT)])))
    await heir.generation.submit(ROOM, replace(ASKED, mode="review"), ADA)
    await gate.reached.wait()
    [job] = [one for one in await heir.generation.jobs(ROOM) if one.state == "generating"]
    assert job.eta_seconds is not None
    assert job.eta_confidence is not None
    assert job.expected_tokens is not None
    assert 10 < job.expected_tokens < 40
    gate.open.set()
    await finished(heir, 1)


async def test_what_a_model_was_sent_can_be_read_on_every_node(cluster: FakeCluster) -> None:
    keeper, asker = two(cluster, said(EDIT))
    await keeping(keeper)
    job = (await asker.generation.submit(ROOM, ASKED, ADA)).job
    await finished(asker)
    kept = (await asker.room().records(SENT))[job]
    assert Sent.from_bytes(kept).asks[0].messages[-1].content.endswith(ASKED.prompt)

"""A new version is deployed under load: the nodes are restarted one after the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

import httpx
import pytest

from hatch_build import Node
from tests.fakes.openai_server import Answer, FakeOpenAI
from tests.integration.chaos.cluster import Cluster, behind_proxies
from tests.integration.chaos.nodes import ClusterNode
from tests.integration.chaos.people import Edit, Gap, People, digest
from tests.integration.chaos.report import say
from tests.integration.chaos.rounds import lost_edits
from tests.integration.node_clients import NodeClient, install

pytestmark = pytest.mark.integration

ROOM = "rolling"
CLIENTS = 12
TYPING_MS = 150.0
BLOCKED_SECONDS = 2.5
"""One second is what it must stay below on a machine that nobody else uses; tests share theirs."""
SPREAD_SECONDS = 1.0
SETTLED_SECONDS = 20.0
JOB_SECONDS = 60.0
LINES = [f"line {number} of the answer\n" for number in range(100)]


def answer() -> Answer:
    """A new file, streamed for about eight seconds."""
    text = f"written.txt\n```\n{''.join(LINES)}```\n"
    return Answer(text, piece=24, delay=8 / (len(text) / 24))


async def ask(cluster: Cluster, node: ClusterNode, room: str) -> str:
    """Starts a job that goes on by itself; its id."""
    await cluster.begin(node, room)
    body = {"room": room, "prompt": "Write it.", "strategy": "full", "detach": True}
    async with cluster.http.stream("POST", f"{node.address}/api/generate", json=body, timeout=20) as stream:
        assert stream.status_code == 200, await stream.aread()
        async for line in stream.aiter_lines():
            if '"token"' in line:
                break
    return str((await jobs(cluster.http, node, room))[0]["job"])


async def jobs(http: httpx.AsyncClient, node: ClusterNode, room: str) -> list[dict[str, object]]:
    """The room's jobs, newest first."""
    answer = await http.get(f"{node.address}/api/rooms/{room}/jobs", timeout=10)
    assert answer.is_success, answer.text
    found: list[dict[str, object]] = answer.json()["jobs"]
    return found


async def until_ended(http: httpx.AsyncClient, node: ClusterNode, room: str) -> dict[str, object]:
    """The newest job, when it does nothing more."""
    async with asyncio.timeout(JOB_SECONDS):
        while True:
            job = (await jobs(http, node, room))[0]
            if job["state"] in {"complete", "failed", "cancelled", "needs_review"}:
                return job
            await asyncio.sleep(0.1)


async def settled(cluster: Cluster, people: People) -> str:
    """The text that all clients and nodes have, once it is the same and said to be saved."""
    async with asyncio.timeout(SETTLED_SECONDS):
        while True:
            states = await people.states()
            texts = set(await cluster.texts(ROOM))
            done = all(state.synced and state.saved == state.edits for state in states)
            text = texts.pop()
            if done and not texts and text is not None and {state.digest for state in states} == {digest(text)}:
                return text
            await asyncio.sleep(0.05)


async def test_a_rolling_restart_loses_nothing_blocks_nobody_and_completes_jobs(
    node: Node, redis_server: Path, tmp_path: Path
) -> None:
    install(node)
    with FakeOpenAI(answer()) as model:
        environment = {
            "PAIRLOOM_MODEL": "fake",
            "PAIRLOOM_BASE_URL": model.base_url,
            "PAIRLOOM_API_KEY": "key",
        }
        async with (
            behind_proxies(tmp_path, redis_server, environment) as cluster,
            NodeClient(node, "3.1", "chaos.mjs") as process,
        ):
            people = People(process, cluster.addresses)
            await cluster.begin(cluster.nodes[0], ROOM)
            for number in range(CLIENTS):
                await people.open(ROOM, number % len(cluster.nodes), Random(number), obey=True)
            await people.until_synced(SETTLED_SECONDS)
            await people.type(TYPING_MS)
            rooms = {f"job-{index}": one for index, one in enumerate(cluster.nodes)}
            for room, one in rooms.items():
                await ask(cluster, one, room)
            for one in cluster.nodes:
                await one.stop()
                await one.start()
            ended = {room: await until_ended(cluster.http, one, room) for room, one in rooms.items()}
            await people.type(0)
            text = await settled(cluster, people)

            edits: list[Edit] = []
            gaps: list[Gap] = []
            for name in people.names:
                edits += await people.edits(name)
                gaps += [gap for gap in await people.gaps(name) if not gap.again]
            waits = sorted(gap.tried - gap.lost for gap in gaps if gap.tried is not None)
            worst = max(gap.blocked for gap in gaps)
            say(
                f"{len(edits)} edits, {sum(edit.saved for edit in edits)} said to be saved, "
                f"{len(lost_edits(edits, text))} of them missing; {len(gaps)} reconnects, after "
                f"{waits[0]:.2f} to {waits[-1]:.2f} s, each with at most {worst:.3f} s of waiting for a node"
            )
            assert lost_edits(edits, text) == []
            assert len(gaps) >= CLIENTS
            assert all(gap.synced is not None for gap in gaps), gaps
            # Who knocks at the very moment at which a node closes its door finds it closed, and tries the next.
            codes = Counter(gap.code for gap in gaps)
            assert codes[1012] >= CLIENTS
            assert codes.keys() <= {1006, 1012}
            assert worst < BLOCKED_SECONDS
            assert waits[-1] - waits[0] >= SPREAD_SECONDS
            for room, job in ended.items():
                assert job["state"] == "complete", f"{room}: {job}"
                written = await cluster.nodes[0].text(cluster.http, room, "written.txt")
                assert written == "".join(LINES), f"{room}: {written!r}"
            assert cluster.unforeseen() == []


def test_a_text_without_what_was_saved_is_noticed() -> None:
    """Else the tests of this package would prove nothing."""
    edits = [Edit(True, "a", True), Edit(True, "b", False), Edit(True, "c", True), Edit(False, "c", True)]
    assert lost_edits(edits, "a\n") == []
    assert lost_edits(edits, "b\n") == [edits[0]]
    assert lost_edits(edits, "a\nc\n") == [edits[3]]

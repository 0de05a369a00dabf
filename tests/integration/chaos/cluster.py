"""Several nodes and the Redis that they share, all real processes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from redis import Redis
from redis.exceptions import RedisError

from tests.integration.chaos.nodes import ClusterNode
from tests.integration.chaos.people import PATH
from tests.integration.chaos.proxy import Proxy
from tests.integration.chaos.waiting import until
from tests.redis_process import RedisProcess, free_port

NODES: Final = 3
SERVICE: Final = "mymaster"
FAILOVER_SECONDS: Final = 30.0
BEGIN_SECONDS: Final = 5.0
TRACEBACK: Final = "Traceback (most recent call last)"
DURABLE: Final[Mapping[str, str]] = {"appendonly": "yes", "appendfsync": "always"}


@dataclass
class Cluster:
    """What faults act on. ``servers`` are the Redis servers, the first one master at the start; ``proxies`` has
    one for each node, or none where the nodes find Redis by Sentinels.
    """

    nodes: Sequence[ClusterNode]
    servers: Sequence[RedisProcess]
    proxies: Sequence[Proxy] = ()
    sentinels: Sequence[Sentinel] = ()
    http: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)

    @property
    def addresses(self) -> list[str]:
        """What clients connect to."""
        return [node.socket_address for node in self.nodes]

    @property
    def redis(self) -> RedisProcess:
        """The only Redis, or the master that the Sentinels name."""
        if not self.sentinels:
            return self.servers[0]
        port = self.sentinels[0].master()
        return next(server for server in self.servers if server.port == port)

    async def begin(self, node: ClusterNode, room: str) -> None:
        """Makes the room's file, as soon as the node can: the fault before may have just ended."""
        async with asyncio.timeout(BEGIN_SECONDS):
            while True:
                answer = await self.http.put(
                    node.file(room, PATH),
                    content=b"",
                    headers={"If-None-Match": "*", "Content-Type": "text/plain"},
                    timeout=10,
                )
                if answer.status_code != 503:
                    break
                await asyncio.sleep(0.1)  # The node says "try later".
        assert answer.is_success, answer.text

    async def texts(self, room: str) -> list[str | None]:
        """The room's text as each node has it; None for one that does not say."""
        return await asyncio.gather(*(node.text(self.http, room, PATH) for node in self.nodes))

    def unforeseen(self) -> list[str]:
        """The errors that nobody foresaw, of all nodes since they first started, with what each node says."""
        return [
            f"{node.name}: {TRACEBACK}{rest[:1500]}"
            for node in self.nodes
            for rest in node.log.read_text().split(TRACEBACK)[1:]
        ]


class Sentinel(RedisProcess):
    """A Redis Sentinel, which watches over one master."""

    def __init__(self, program: Path, directory: Path, master: int, quorum: int) -> None:
        super().__init__(program, directory)
        self._settings = (
            f"port {self.port}\nbind 127.0.0.1\ndir {directory}\nlogfile {self.log}\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {master} {quorum}\n"
            f"sentinel down-after-milliseconds {SERVICE} 1000\n"
            f"sentinel failover-timeout {SERVICE} 5000\n"
            f"sentinel parallel-syncs {SERVICE} 1\n"
        )

    def command(self) -> list[str]:
        """See RedisProcess.command. A Sentinel keeps what it finds out in its settings' file."""
        path = self.directory / f"sentinel-{self.port}.conf"
        if not path.exists():
            path.write_text(self._settings)
        return [str(self.program), str(path), "--sentinel"]

    def master(self) -> int:
        """The port of the master that it names."""
        answer = self.run("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        assert isinstance(answer, list)
        return int(answer[1])

    def facts(self) -> dict[str, str]:
        """What it knows of the master."""
        answer = self.run("SENTINEL", "MASTER", SERVICE)
        if isinstance(answer, dict):
            return {_word(key): _word(value) for key, value in answer.items()}
        assert isinstance(answer, list)
        words = [_word(one) for one in answer]
        return dict(zip(words[::2], words[1::2], strict=True))


def _word(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@asynccontextmanager
async def behind_proxies(
    directory: Path, program: Path, environment: Mapping[str, str] | None = None, *, count: int = NODES
) -> AsyncIterator[Cluster]:
    """Nodes that reach one Redis, each by a proxy of its own."""
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(RedisProcess(program, directory / "redis", **DURABLE))
        proxies = [await stack.enter_async_context(Proxy(redis.port)) for _ in range(count)]
        urls = [f"redis://127.0.0.1:{proxy.port}/0" for proxy in proxies]
        nodes = await _nodes(stack, directory, urls, environment or {})
        yield Cluster(nodes, [redis], proxies, http=await stack.enter_async_context(_http()))


@asynccontextmanager
async def under_sentinels(
    directory: Path, program: Path, environment: Mapping[str, str] | None = None, *, count: int = NODES
) -> AsyncIterator[Cluster]:
    """Nodes that find the master of two Redis servers by three Sentinels."""
    async with AsyncExitStack() as stack:
        master = await stack.enter_async_context(RedisProcess(program, directory / "redis-0", **DURABLE))
        replica = await stack.enter_async_context(
            RedisProcess(program, directory / "redis-1", replicaof=f"127.0.0.1 {master.port}", **DURABLE)
        )
        await replica.until(_linked)
        sentinels = [
            await stack.enter_async_context(
                Sentinel(program, directory / f"sentinel-{index}", master.port, quorum=2)
            )
            for index in range(3)
        ]
        cluster = Cluster([], [master, replica], sentinels=sentinels)
        await until_watched(cluster)
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in sentinels)
        url = f"redis+sentinel://{hosts}/{SERVICE}/0"
        cluster.nodes = await _nodes(stack, directory, [url] * count, environment or {})
        cluster.http = await stack.enter_async_context(_http())
        yield cluster


async def until_watched(cluster: Cluster) -> None:
    """Waits until every Sentinel sees one master, one replica that is up, and the other Sentinels."""
    await until(lambda: asyncio.to_thread(_watched, cluster), FAILOVER_SECONDS)


def _watched(cluster: Cluster) -> bool:
    try:
        masters = {sentinel.master() for sentinel in cluster.sentinels}
        facts = [sentinel.facts() for sentinel in cluster.sentinels]
        replicas = [server for server in cluster.servers if server.port not in masters]
        linked = []
        for replica in replicas:
            with replica.client() as client:
                linked.append(_linked(client))
        with cluster.redis.client() as client:
            leads = client.info("replication")["role"] == "master"
    except (RedisError, OSError):
        return False
    others = str(len(cluster.sentinels) - 1)
    watching = all(fact["flags"] == "master" and fact["num-other-sentinels"] == others for fact in facts)
    return watching and leads and len(masters) == 1 and all(linked)


def _linked(client: Redis) -> bool:
    facts = client.info("replication")
    return bool(facts["role"] == "slave" and facts["master_link_status"] == "up")


async def wipe(redis: RedisProcess) -> None:
    """Kills Redis and starts it without its files."""
    await redis.kill()
    await asyncio.to_thread(shutil.rmtree, redis.directory / "appendonlydir")
    await redis.start()


async def _nodes(
    stack: AsyncExitStack, directory: Path, urls: Sequence[str], environment: Mapping[str, str]
) -> list[ClusterNode]:
    nodes = [
        ClusterNode(
            f"node-{index}",
            free_port(),
            directory / f"node-{index}",
            {"PAIRLOOM_REDIS_URL": url, **environment},
        )
        for index, url in enumerate(urls)
    ]
    for node in nodes:
        stack.push_async_callback(node.end)
    async with asyncio.TaskGroup() as tasks:
        for node in nodes:
            tasks.create_task(node.start())
    return nodes


def _http() -> httpx.AsyncClient:
    # Kept connections would be reset by nodes that are killed.
    return httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))

"""What can go wrong. A fault returns when it has ended: what it stopped runs again, what it cut is forwarded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.integration.chaos.cluster import SERVICE, Cluster, until_watched, wipe
from tests.integration.chaos.proxy import Proxy
from tests.integration.chaos.waiting import until
from tests.redis_process import RedisProcess

LEASE_SECONDS: Final = 6.0
HOLDS_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault happens. With ``brief`` it takes as little time as it may, otherwise a random one."""

    cluster: Cluster
    random: Random
    brief: bool
    everyone_vanishes: Callable[[], Awaitable[None]]

    async def wait(self, least: float, most: float) -> None:
        """Lets the fault last, in seconds."""
        await asyncio.sleep(least if self.brief else self.random.uniform(least, most))

    @property
    def proxy(self) -> Proxy:
        """Any node's."""
        return self.random.choice(self.cluster.proxies)

    def some_proxies(self) -> Sequence[Proxy]:
        """One of them, or all."""
        return [self.proxy] if self.random.random() < 0.6 else self.cluster.proxies


@dataclass(frozen=True, slots=True)
class Fault:
    """``forgets``: Redis loses what it has acknowledged, so that somebody must be left who remembers."""

    name: str
    act: Callable[[Scene], Coroutine[None, None, None]]
    forgets: bool = False
    alone: bool = False
    """Not together with another one."""


async def kill_node(scene: Scene) -> None:
    """Kill -9, and the node comes back."""
    node = scene.random.choice(scene.cluster.nodes)
    await node.kill()
    await scene.wait(0.2, 4)
    await node.start()


async def kill_two_nodes(scene: Scene) -> None:
    """Two at once."""
    nodes = scene.random.sample(list(scene.cluster.nodes), 2)
    await asyncio.gather(*(node.kill() for node in nodes))
    await scene.wait(0.2, 3)
    await asyncio.gather(*(node.start() for node in nodes))


async def restart_node(scene: Scene) -> None:
    """SIGTERM, and the node comes back."""
    node = scene.random.choice(scene.cluster.nodes)
    await node.stop()
    await node.start()


async def roll_nodes(scene: Scene) -> None:
    """All nodes are restarted in order, one after the other."""
    for node in scene.cluster.nodes:
        await node.stop()
        await node.start()


async def freeze_node(scene: Scene) -> None:
    """A node stands still for longer than its lease, and wakes up."""
    node = scene.random.choice(scene.cluster.nodes)
    node.freeze()
    await scene.wait(LEASE_SECONDS + 2, LEASE_SECONDS + 5)
    node.resume()


async def pause_node(scene: Scene) -> None:
    """A node stands still for less than its lease."""
    node = scene.random.choice(scene.cluster.nodes)
    node.freeze()
    await scene.wait(1, 4)
    node.resume()


async def kill_clients(scene: Scene) -> None:
    """Redis ends its connections, those for commands or those for announcements."""
    for _ in range(3):
        kind = scene.random.choice(["normal", "pubsub"])
        await asyncio.to_thread(scene.cluster.redis.run, "CLIENT", "KILL", "TYPE", kind)
        await scene.wait(0.2, 1.5)


async def cut(scene: Scene) -> None:
    """A node's connections to Redis are cut, and new ones refused for a while."""
    for proxy in scene.some_proxies():
        proxy.refuse()
    await scene.wait(1, 4)
    for proxy in scene.cluster.proxies:
        proxy.accept()


async def delay(scene: Scene) -> None:
    """What goes between a node and Redis comes late."""
    for proxy in scene.some_proxies():
        proxy.delay(lambda: scene.random.uniform(0.2, 1.0))
    await scene.wait(2, 6)
    for proxy in scene.cluster.proxies:
        proxy.no_delay()


async def half_close(scene: Scene) -> None:
    """One direction between a node and Redis is dead."""
    proxy, up = scene.proxy, scene.random.random() < 0.5
    proxy.freeze(up=up, down=not up)
    await scene.wait(2, 8)
    proxy.thaw()
    if scene.random.random() < 0.5:
        proxy.cut()


async def partition(scene: Scene) -> None:
    """Nothing goes between a node and Redis, in silence."""
    proxy = scene.proxy
    proxy.freeze()
    await scene.wait(3, 12)
    proxy.thaw()
    if scene.random.random() < 0.5:
        proxy.cut()


async def kill_redis(scene: Scene) -> None:
    """Kill -9 of Redis, which comes back with its file."""
    redis = scene.cluster.redis
    await redis.kill()
    await scene.wait(0.5, 6)
    await redis.start()


async def wipe_redis(scene: Scene) -> None:
    """Redis comes back empty."""
    await wipe(scene.cluster.redis)


async def freeze_redis(scene: Scene) -> None:
    """Redis stands still."""
    redis = scene.cluster.redis
    redis.pause()
    await scene.wait(3, 6)
    redis.resume()


async def full_redis(scene: Scene) -> None:
    """Redis has reached maxmemory: it refuses to write."""
    redis = scene.cluster.redis
    await asyncio.to_thread(redis.run, "CONFIG", "SET", "maxmemory", 1)
    await scene.wait(2, 6)
    await asyncio.to_thread(redis.run, "CONFIG", "SET", "maxmemory", 0)


async def blackout(scene: Scene) -> None:
    """Everything ends at once, all clients too: only what is on the disk is left."""
    nodes = scene.cluster.nodes
    await asyncio.gather(*(node.kill() for node in nodes), scene.cluster.redis.kill())
    await scene.everyone_vanishes()
    await scene.cluster.servers[0].start()
    await asyncio.gather(*(node.start() for node in nodes))


async def fail_over(scene: Scene) -> None:
    """The Sentinels make the replica the master while the master is well."""
    cluster = scene.cluster
    before = cluster.redis
    await asyncio.to_thread(cluster.sentinels[0].run, "SENTINEL", "FAILOVER", SERVICE)
    await _until_another_leads(cluster, before)
    await until_watched(cluster)


async def lose_master(scene: Scene) -> None:
    """The master dies; the replica takes its place, and it comes back as the replica."""
    cluster = scene.cluster
    master = cluster.redis
    await master.kill()
    await _until_another_leads(cluster, master)
    await master.start()
    await until_watched(cluster)


async def _until_another_leads(cluster: Cluster, before: RedisProcess) -> None:
    async def leads() -> bool:
        return await asyncio.to_thread(lambda: cluster.redis) is not before

    await until(leads, HOLDS_SECONDS)


FAULTS: Final = (
    Fault("kill_node", kill_node),
    Fault("kill_two_nodes", kill_two_nodes),
    Fault("restart_node", restart_node),
    Fault("roll_nodes", roll_nodes),
    Fault("freeze_node", freeze_node),
    Fault("pause_node", pause_node),
    Fault("kill_clients", kill_clients),
    Fault("cut", cut),
    Fault("delay", delay),
    Fault("half_close", half_close),
    Fault("partition", partition),
    Fault("kill_redis", kill_redis, alone=True),
    Fault("wipe_redis", wipe_redis, forgets=True, alone=True),
    Fault("freeze_redis", freeze_redis, alone=True),
    Fault("full_redis", full_redis, alone=True),
    Fault("blackout", blackout, alone=True),
)
SENTINEL_FAULTS: Final = (
    Fault("fail_over", fail_over, forgets=True, alone=True),
    Fault("lose_master", lose_master, forgets=True, alone=True),
)


def named(name: str) -> Fault:
    """The fault of that name."""
    return next(fault for fault in (*FAULTS, *SENTINEL_FAULTS) if fault.name == name)


def choose(random: Random, faults: Sequence[Fault]) -> list[Fault]:
    """One fault, or sometimes two that go together but not on the same process."""
    first = random.choice(faults)
    if first.alone or random.random() < 0.75:
        return [first]
    network = {"cut", "delay", "half_close", "partition", "kill_clients"}
    others = [fault for fault in faults if not fault.alone and (fault.name in network) != (first.name in network)]
    return [first, random.choice(others)]

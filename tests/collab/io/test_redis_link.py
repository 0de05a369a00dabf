"""The connection to Redis: addresses, time limits, scripts, what goes wrong in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import exceptions

from collab.errors import StoreError, StoreUnavailable
from collab.io.redis_address import Address, Kind, parse
from collab.io.redis_failures import explain
from collab.io.redis_link import RedisLink, Script
from tests.redis_process import RedisCluster, RedisProcess, free_port
from tests.redis_sentinel import SentinelProcess

ECHO = Script("return {KEYS[1], ARGV[1]}")


@pytest.fixture
async def server(redis_server: Path, tmp_path: Path) -> AsyncIterator[RedisProcess]:
    async with RedisProcess(redis_server, tmp_path) as server:
        yield server


@pytest.fixture
async def link(server: RedisProcess) -> AsyncIterator[RedisLink]:
    link = await RedisLink.open(server.url, command_timeout=0.5)
    yield link
    await link.aclose()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", Address(Kind.SERVER, hosts=(("localhost", 6379),))),
        ("redis://h:7000/3", Address(Kind.SERVER, hosts=(("h", 7000),), db=3)),
        ("redis://h?db=4", Address(Kind.SERVER, hosts=(("h", 6379),), db=4)),
        ("redis://[::1]:7000", Address(Kind.SERVER, hosts=(("::1", 7000),))),
        ("redis://:p%40ss@h", Address(Kind.SERVER, hosts=(("h", 6379),), password="p@ss")),
        ("redis://user:@h", Address(Kind.SERVER, hosts=(("h", 6379),), username="user")),
        ("rediss://u:p@h/1", Address(Kind.SERVER, (("h", 6379),), db=1, tls=True, username="u", password="p")),
        (
            "rediss://h?ssl_ca_certs=/ca.pem&ssl_check_hostname=false",
            Address(
                Kind.SERVER,
                hosts=(("h", 6379),),
                tls=True,
                tls_options={"ssl_ca_certs": "/ca.pem", "ssl_check_hostname": False},
            ),
        ),
        ("unix:///run/redis.sock?db=2", Address(Kind.SOCKET, path="/run/redis.sock", db=2)),
        ("unix://:pw@/run/redis.sock", Address(Kind.SOCKET, path="/run/redis.sock", password="pw")),
        (
            "redis+sentinel://u:p@h1:26379,h2/mymaster/5?sentinel_password=s",
            Address(
                Kind.SENTINEL,
                hosts=(("h1", 26379), ("h2", 26379)),
                service="mymaster",
                db=5,
                username="u",
                password="p",
                sentinel_password="s",
            ),
        ),
        (
            "rediss+cluster://h1:7000,h2:7001",
            Address(Kind.CLUSTER, hosts=(("h1", 7000), ("h2", 7001)), tls=True),
        ),
    ],
)
def test_a_url_is_read(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:6379", "must begin with one of"),
        ("http://h", "must begin with one of"),
        ("redis://", "lacks a host"),
        ("redis://h:port", "must be a number from 1 to 65535"),
        ("redis://h:70000", "must be a number from 1 to 65535"),
        ("redis://h/name", "database in the Redis URL must be a number"),
        ("redis://h/1/2", "too much after the database"),
        ("redis://h/1?db=1", "names the database twice"),
        ("redis://h1,h2", "names several servers"),
        ("redis://[::1", "malformed host"),
        ("redis://h?colour=red", "an option 'colour' that does not go with it"),
        ("redis://h?ssl_ca_certs=x", "does not go with it"),
        ("rediss://h?ssl_cert_reqs=maybe", "must be one of none, optional, required"),
        ("unix://run/redis.sock", "by its whole path"),
        ("redis+sentinel://h:26379", "must name the master"),
        ("redis+cluster://h/1", "has one database only"),
    ],
)
def test_a_wrong_url_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://anna:geheim@h:1",
        "unix://anna:geheim@/s",
        "redis+cluster://anna:geheim@h:1",
        "redis+sentinel://anna:geheim@h:1/m?sentinel_username=anna&sentinel_password=geheim",
    ],
)
def test_words_for_an_address_show_no_secret(url: str) -> None:
    address = parse(url)
    for text in (str(address), repr(address)):
        assert "geheim" not in text
        assert "anna" not in text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "maxmemory"),
        (exceptions.ReadOnlyError("You can't write against a read only replica."), "a replica"),
        (exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "still loading"),
        (exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "cannot save to its disk"),
        (exceptions.AuthenticationError("Authentication required."), "asks for a password"),
        (exceptions.AuthenticationError("invalid username-password pair"), "refuses the user or the password"),
        (exceptions.NoPermissionError("this user has no permissions"), "does not let its user"),
        (exceptions.ClusterDownError("CLUSTERDOWN Hash slot not served"), "cluster is down"),
        (exceptions.MovedError("3999 127.0.0.1:6381"), r"redis\+cluster://"),
        (exceptions.ResponseError("Command # 1 (SET a b) of pipeline caused error: OOM command"), "maxmemory"),
        (exceptions.TimeoutError("Timeout reading from socket"), "does not answer"),
        (TimeoutError(), "does not answer"),
        (ConnectionRefusedError(111, "Connection refused"), "refuses connections"),
        (exceptions.ConnectionError("Connection closed by server."), "cannot be reached"),
        (RuntimeError("unable to perform operation on <TCPTransport>; the handler is closed"), "has closed"),
    ],
)
def test_what_may_succeed_later_is_unavailable_in_words(error: Exception, words: str) -> None:
    told = explain(error, "Redis at h:1")
    assert isinstance(told, StoreUnavailable)
    assert told.message.startswith("Redis at h:1 ")
    assert words.replace("\\", "") in told.message


def test_a_command_that_redis_refuses_is_an_error_without_what_it_was_about() -> None:
    told = explain(exceptions.ResponseError("Command # 1 (SET text) of pipeline caused error: WRONGTYPE x"), "R")
    assert type(told) is StoreError
    assert "SET text" not in told.message


async def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable, match=f"Redis at 127.0.0.1:{port} refuses connections"):
        await RedisLink.open(f"redis://anna:geheim@127.0.0.1:{port}")


async def test_a_link_may_be_made_before_the_server_is_there(redis_server: Path, tmp_path: Path) -> None:
    server = RedisProcess(redis_server, tmp_path)
    link = await RedisLink.open(server.url, connect=False)
    with pytest.raises(StoreUnavailable), link.failures():
        await link.client.ping()
    async with server:
        assert await link.client.ping()
    await link.aclose()


async def test_a_password_is_needed_and_used(redis_server: Path, tmp_path: Path) -> None:
    async with RedisProcess(redis_server, tmp_path, requirepass="geheim") as server:
        link = await RedisLink.open(server.url)
        assert await link.client.ping()
        await link.aclose()
        with pytest.raises(StoreUnavailable, match="asks for a password"):
            await RedisLink.open(server.url.replace(":geheim@", ""))
        with pytest.raises(StoreUnavailable, match="refuses the user or the password"):
            await RedisLink.open(server.url.replace("geheim", "falsch"))


async def test_the_client_answers_in_bytes_and_has_a_name(link: RedisLink) -> None:
    await link.client.set("key", b"\xff")
    assert await link.client.get("key") == b"\xff"
    assert await link.client.client_getname() in (b"pairloom", "pairloom")


async def test_a_script_is_loaded_where_it_is_missing_and_a_link_survives_a_restart(
    link: RedisLink, server: RedisProcess
) -> None:
    assert await link.script(ECHO, ["k"], ["v"]) == [b"k", b"v"]
    await server.restart()
    assert await link.script(ECHO, ["k"], ["v"]) == [b"k", b"v"]


async def test_an_error_of_a_script_is_one_of_the_store(link: RedisLink) -> None:
    with pytest.raises(StoreError, match="no such thing"):
        await link.script(Script("return redis.error_reply('ERR no such thing')"), ["k"])


async def test_every_command_ends_in_time_when_the_server_hangs(link: RedisLink, server: RedisProcess) -> None:
    async def ask() -> None:
        with pytest.raises(StoreUnavailable, match="does not answer"), link.failures():
            await link.client.get("key")

    async def pipeline() -> None:
        with pytest.raises(StoreUnavailable, match="does not answer"), link.failures():
            await link.client.pipeline(transaction=False).get("key").execute()

    server.pause()
    begun = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(150)), *(pipeline() for _ in range(10)))
    assert time.monotonic() - begun < 2
    server.resume()
    assert await link.client.ping()


async def test_closing_takes_no_time_when_the_server_hangs(server: RedisProcess) -> None:
    link = await RedisLink.open(server.url)
    await link.blocking().ping()
    server.pause()
    async with asyncio.timeout(1):
        await link.aclose()


async def test_a_blocking_read_may_last_longer_than_a_command(link: RedisLink) -> None:
    begun = time.monotonic()
    assert not await link.blocking().execute_command("XREAD", "BLOCK", 800, "STREAMS", "s", "0")
    assert time.monotonic() - begun >= 0.8


async def test_a_cluster_is_reached(redis_server: Path, tmp_path: Path) -> None:
    async with RedisCluster(redis_server, tmp_path) as server:
        link = await RedisLink.open(server.url)
        assert link.clustered
        assert await link.script(ECHO, ["k"], ["v"]) == [b"k", b"v"]
        pipeline = link.client.pipeline()
        pipeline.set("a", 1)
        pipeline.get("b")
        assert await pipeline.execute() == [True, None]
        await link.aclose()


async def test_a_master_is_found_through_its_sentinels(redis_server: Path, tmp_path: Path) -> None:
    async with (
        RedisProcess(redis_server, tmp_path / "data") as server,
        SentinelProcess(redis_server, tmp_path / "sentinel", server) as sentinel,
    ):
        link = await RedisLink.open(f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/main")
        assert "Sentinels" in link.place()
        assert (await link.client.info("server"))["tcp_port"] == server.port
        assert (await link.client.client_info())["name"] == "pairloom"
        assert await link.blocking().ping()
        await link.aclose()
        with pytest.raises(StoreUnavailable, match=r"The Redis master 'other' .* cannot be reached"):
            await RedisLink.open(f"redis+sentinel://127.0.0.1:{sentinel.port}/other")


async def test_no_command_stays_with_a_server_that_is_master_no_more(redis_server: Path, tmp_path: Path) -> None:
    async with (
        RedisProcess(redis_server, tmp_path / "old") as old,
        RedisProcess(redis_server, tmp_path / "new") as new,
        SentinelProcess(redis_server, tmp_path / "sentinel", old) as sentinel,
    ):
        link = await RedisLink.open(sentinel.url)
        assert await link.client.set("a", 1)
        assert not await link.leave_old_masters()
        # It waits at the old one, and would go on to use that connection.
        waits = asyncio.create_task(link.blocking().blpop("list", 30))
        async with asyncio.timeout(10):
            while not (await link.client.info("clients"))["blocked_clients"]:
                pass
        await asyncio.to_thread(sentinel.watch, new)
        assert await link.leave_old_masters()
        with pytest.raises(exceptions.ConnectionError):
            async with asyncio.timeout(10):
                await waits
        for client in link.client, link.blocking():
            assert (await client.info("server"))["tcp_port"] == new.port
        assert not await link.leave_old_masters()
        await link.aclose()

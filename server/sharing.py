"""Builds what a process needs to share its rooms and jobs with others over Redis; nothing is opened yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

from collab.io.redis_address import parse
from collab.io.redis_bus import RedisBus
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from collab.ports import Clock
from collab.shared import Bus, SharedStore
from generation.cache import AnswerCache
from generation.context.shared import PieceCache
from generation.io.redis_answers import RedisAnswers
from generation.io.redis_board import RedisJobBoard
from generation.io.redis_pieces import RedisPieces
from generation.io.redis_usage import RedisUsage
from generation.sharing import JobBoard
from generation.usage import Usage
from server.cluster import Cluster
from server.settings import Settings

CONNECT_SECONDS: Final = 2.0
COMMAND_SECONDS: Final = 3.0
"""No command takes longer; then Redis counts as away."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The process among the nodes that have the same redis_url and redis_prefix, and what they share of jobs."""

    cluster: Cluster
    board: JobBoard
    answers: AnswerCache
    pieces: PieceCache
    usage: Usage


def share(settings: Settings, clock: Clock, random: Random) -> Sharing:
    """What the process shares with others.

    Raises ValueError for a URL that names nothing.
    """
    assert settings.redis_url is not None
    address = parse(settings.redis_url.get_secret_value())
    link = RedisLink(address, connect_timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS)
    prefix = settings.redis_prefix

    @asynccontextmanager
    async def open_shared(writer: str) -> AsyncIterator[tuple[SharedStore, Bus]]:
        try:
            with link.failures():
                await link.client.ping()
            yield RedisStore(link, writer=writer, prefix=prefix), RedisBus(link, prefix, writer)
        finally:
            await link.aclose()

    cluster = Cluster(open_shared, clock, random, settings.node_name)
    return Sharing(
        cluster,
        RedisJobBoard(link, prefix),
        RedisAnswers(link, prefix, settings.cache_bounds()),
        RedisPieces(link, prefix),
        RedisUsage(link, prefix),
    )

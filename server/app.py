"""The composition root: builds the objects and hands them to each other."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from random import SystemRandom
from typing import Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.config import Config
from uvicorn.server import HANDLED_SIGNALS

from collab.history.thinning import Policy, parse_steps
from collab.ids import RoomId
from collab.io.clock import SystemClock
from collab.io.sqlite import SqliteStore
from collab.merge.resolver import TextResolver
from collab.ports import Store
from collab.syntax.syntax import Syntax
from generation.cache import AnswerCache, MemoryAnswers
from generation.io.models import ConfiguredModels
from generation.io.service import GenerationEngine
from generation.io.shared import SharedGeneration
from generation.service import GenerationService
from server.dispatch import Dispatch
from server.door.door import Door
from server.door.past import OlderTexts, Past
from server.door.texts import Texts
from server.engine_settings import generation_settings
from server.finding import Finding
from server.history.doors import ChangeDoor
from server.history.service import History
from server.history.settings import HistorySettings
from server.hub import Hub
from server.interpreter import settle_interpreter
from server.routes import routes
from server.settings import Settings
from server.sharing import share
from server.sockets import NoSocketRoute, SocketRoute
from server.state import AppState
from server.transport import RoomTransport

SHUTDOWN_SECONDS: Final = 10
PONG_SECONDS: Final = 90
LAST_HANDSHAKES: Final = 0.1
CLOSING_PAUSE: Final = 0.02
"""Seconds between two connections that are ended, unless there are too many for that."""

logger = logging.getLogger(__name__)


def create_state(settings: Settings) -> AppState:
    """Builds everything that a process needs; nothing is opened yet."""
    clock, random, limits = SystemClock(), SystemRandom(), settings.limits()

    async def open_store() -> Store:
        return await SqliteStore.open(settings.database_path)

    shared_by = share(settings, clock, random) if settings.redis_url is not None else None
    cluster = shared_by.cluster if shared_by is not None else None
    answers: AnswerCache | None = None
    if settings.answer_cache:
        answers = shared_by.answers if shared_by is not None else MemoryAnswers(clock, settings.cache_bounds())
    hub = Hub(open_store, limits, clock, random, settings.commit_interval_ms / 1000, cluster)
    engine = generation_settings(settings)
    models = ConfiguredModels(engine)
    for spec in models.catalog:
        if spec.provider.missing_key:
            logger.warning("the model %s cannot be asked: %s", spec.name, spec.provider.missing_key)
    release = version("pairloom")
    resolver = TextResolver(Syntax())
    pieces = shared_by.pieces if shared_by is not None else None
    finding = Finding(settings, models, clock, answers, pieces)
    generation: GenerationService
    if shared_by is None:
        generation = GenerationEngine(
            hub, models, engine, clock, random, resolver=resolver, cache=answers, gathering=finding.gathering
        )
    else:
        generation = shared = SharedGeneration(
            hub,
            models,
            engine,
            clock,
            random,
            shared_by.cluster,
            shared_by.board,
            resolver=resolver,
            cache=answers,
            gathering=finding.gathering,
            usage=shared_by.usage,
        )
        shared_by.cluster.on_renewed(shared.renewed)
    # A parser is for one thread at a time.
    door = Door(generation, clock, random, resolver, TextResolver(Syntax()), shared=cluster is not None)
    texts = Texts(settings.remembered_bytes)

    def forget(room: RoomId) -> None:
        generation.forget(room)
        texts.forget(room)
        finding.forget(room)

    hub.on_deleted(forget)
    history = History(
        hub, clock, random, history_settings(settings), cluster, ChangeDoor(generation, random), generation
    )
    hub.on_loaded(history.attach)
    return AppState(
        settings=settings,
        limits=limits,
        clock=clock,
        random=random,
        hub=hub,
        generation=generation,
        history=history,
        door=door,
        finding=finding,
        past=Past(texts, OlderTexts(hub, history.shelf), cluster),
        dispatch=Dispatch(generation, limits, random, release, history, finding.search),
        version=release,
        close_models=models.aclose,
    )


def history_settings(settings: Settings) -> HistorySettings:
    """The part of the settings that history reads."""
    policy = Policy(parse_steps(settings.history_keep), settings.history_bytes)
    return HistorySettings(settings.history_interval_minutes * 60, policy)


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. Its lifespan opens the store and runs the jobs."""
    state = create_state(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with state.hub.running(), asyncio.TaskGroup() as tasks:
            jobs = tasks.create_task(state.generation.run())
            history = tasks.create_task(state.history.run())
            door = tasks.create_task(state.door.run())
            found = tasks.create_task(state.finding.run())
            state.started = True
            try:
                yield
            finally:
                state.stopping.set()
                await state.generation.drain()
                jobs.cancel()
                await state.history.drain()
                history.cancel()
                door.cancel()
                found.cancel()
                await state.close_models()

    app = Starlette(
        routes=[
            SocketRoute("/yjs/", state, native=False),
            SocketRoute("/collaborate/", state, native=True),
            NoSocketRoute(),
            *routes(state),
        ],
        lifespan=lifespan,
    )
    app.state.pairloom = state
    return app


class _Server(uvicorn.Server):
    """uvicorn, with words at the right moments, and an end that other nodes can take."""

    def __init__(
        self, config: Config, on_ready: Callable[[], None], on_stop: Callable[[], None], spread: float
    ) -> None:
        """``spread`` is the seconds over which connections are ended at most."""
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._spread = spread

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends the server at a signal; uvicorn's own has the signal end the process then and there, before the
        rooms are saved and the other nodes told.
        """
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to accept."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams before uvicorn waits for them, and connections one after the other."""
        for server in self.servers:
            server.close()
        # What was accepted a moment ago still gets an answer.
        await asyncio.sleep(LAST_HANDSHAKES)
        self._on_stop()
        connections = [one for one in self.server_state.connections if isinstance(one, RoomTransport)]
        pause = min(CLOSING_PAUSE, self._spread / max(1, len(connections)))
        for connection in connections if self._spread else ():
            connection.shutdown()
            await asyncio.sleep(pause)
        await super().shutdown(sockets)


def serve(settings: Settings, on_ready: Callable[[str], None], *, listener: socket.socket | None = None) -> int:
    """Serves until a signal says to stop; ``on_ready`` gets the address of the room to open.

    ``listener`` is a socket that is bound already; without it, one is opened at the settings' address. Returns
    the exit code. Raises OSError if the port cannot be had and StoreError if the store cannot be opened.
    """
    listener = listener if listener is not None else _listen(settings)
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(settings, listener, on_ready))
    finally:
        listener.close()


def server_config(app: Starlette, settings: Settings) -> Config:
    """How uvicorn is to serve the application."""
    return Config(
        app,
        ws=RoomTransport,
        ws_max_size=settings.limits().frame_bytes,
        ws_per_message_deflate=False,
        # A reader that has stopped for a while is caught up, not thrown out; it answers no ping meanwhile.
        ws_ping_timeout=PONG_SECONDS,
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


async def _serve(settings: Settings, listener: socket.socket, on_ready: Callable[[str], None]) -> int:
    app = create_app(settings)
    state: AppState = app.state.pairloom
    config = server_config(app, settings)
    port = listener.getsockname()[1]
    address = settings.model_copy(update={"port": port}).room_url

    def stop() -> None:
        state.stopping.set()
        state.history.leave()

    def ready() -> None:
        settle_interpreter()
        on_ready(address)

    # Other nodes are there to take them; a server that is alone is back as soon as it can.
    spread = settings.drain_seconds if settings.redis_url is not None else 0.0
    server = _Server(config, ready, stop, spread)
    async with app.router.lifespan_context(app):
        await server.serve([listener])
    return 0


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host.strip("[]"), settings.port), family=family, backlog=2048)

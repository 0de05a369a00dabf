"""The HTTP side of the server: one list of routes, each with its checks, headers and errors built in."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from server.errors import Refused
from server.guard import Guards
from server.pages import client_folder, pages
from server.raw_path import RawRoute
from server.routes.blaming import BlameRoutes
from server.routes.embedding import EmbeddingRoutes
from server.routes.exporting import ExportRoutes
from server.routes.files import FileRoutes
from server.routes.generating import GenerateRoutes
from server.routes.health import HealthRoutes
from server.routes.history import HistoryRoutes
from server.routes.importing import ImportRoutes
from server.routes.jobs import JobRoutes
from server.routes.ports import State
from server.routes.rooms import SETTINGS_BYTES, RoomRoutes
from server.routes.searching import SearchRoutes


def routes(state: State, client: Path | None = None) -> list[BaseRoute]:
    """All HTTP routes. The last one answers every other address with 404, so others must come before these.

    ``client`` is the folder of the built browser client; without it, the usual places are looked at.
    """
    limits = state.settings.limits()
    guards = Guards(state.settings)
    api = guards.api
    rooms, files, jobs = RoomRoutes(state), FileRoutes(state), JobRoutes(state)
    blames = BlameRoutes(state)
    exports, imports = ExportRoutes(state), ImportRoutes(state)
    generate, health = GenerateRoutes(state), HealthRoutes(state)
    embeddings = EmbeddingRoutes(state)
    history, searches = HistoryRoutes(state), SearchRoutes(state)
    room = "/api/rooms/{room}"
    return [
        RawRoute("/health/live", {"GET": health.live}, guards.page),
        RawRoute("/health/ready", {"GET": health.ready}, guards.page),
        RawRoute("/api/rooms", {"GET": rooms.rooms}, api),
        RawRoute(
            room,
            {"GET": rooms.room, "PATCH": rooms.change, "DELETE": rooms.delete},
            api,
            body_bytes=SETTINGS_BYTES,
        ),
        RawRoute(f"{room}/files", {"GET": files.files}, api),
        RawRoute(
            f"{room}/files/{{path:path}}",
            {"GET": files.read, "PUT": files.write, "DELETE": files.delete},
            api,
            body_bytes=limits.file_bytes,
        ),
        RawRoute(f"{room}/blame/{{path:path}}", {"GET": blames.blame}, api),
        RawRoute(f"{room}/attribution", {"GET": blames.attribution}, api),
        RawRoute(f"{room}/export", {"GET": exports.export}, api),
        RawRoute(f"{room}/import", {"POST": imports.upload}, api, body_bytes=limits.document_bytes),
        RawRoute(f"{room}/search", {"GET": searches.search}, api),
        RawRoute(f"{room}/jobs", {"GET": jobs.jobs}, api),
        RawRoute(f"{room}/jobs/{{job}}/suggestions", {"POST": jobs.answer_all}, api),
        RawRoute(f"{room}/jobs/{{job}}/sent", {"GET": searches.sent}, api),
        RawRoute(f"{room}/jobs/{{job}}/{{action}}", {"POST": jobs.act}, api, body_bytes=jobs.prompt_bytes),
        RawRoute(f"{room}/jobs/{{job}}", {"GET": jobs.job}, api),
        RawRoute(f"{room}/suggestions", {"GET": jobs.suggestions}, api),
        RawRoute(f"{room}/suggestions/{{suggestion}}", {"POST": jobs.answer}, api, body_bytes=jobs.body_bytes),
        RawRoute(f"{room}/versions", {"GET": history.versions, "POST": history.save}, api),
        RawRoute(f"{room}/versions/{{version}}", {"GET": history.version}, api),
        RawRoute(f"{room}/versions/{{version}}/files/{{path:path}}", {"GET": history.text}, api),
        RawRoute(f"{room}/versions/{{version}}/restore", {"POST": history.restore}, api),
        RawRoute(f"{room}/compare", {"GET": history.compare}, api),
        RawRoute(f"{room}/activity", {"GET": history.activity}, api),
        RawRoute("/api/embeddings", {"POST": embeddings.embed}, api, body_bytes=embeddings.body_bytes),
        RawRoute("/api/generate", {"POST": generate.generate}, api, body_bytes=generate.body_bytes),
        *pages(state.settings, guards, client if client is not None else client_folder()),
        RawRoute("/{anything:path}", dict.fromkeys(_METHODS, _nothing_here), guards.page),
    ]


_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


async def _nothing_here(request: Request) -> Response:
    raise Refused(404, "not_found", "There is nothing at this address; docs/protocol.md lists what there is.")

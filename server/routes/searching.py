"""Finding files of a room, and what a model was sent for a job."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from collab.errors import InvalidInput
from server.dispatch_search import found, sent
from server.routes.bodies import room_of
from server.routes.ports import State

_JSON = "application/json"


class SearchRoutes:
    """``/api/rooms/{room}/search`` and ``/api/rooms/{room}/jobs/{job}/sent``."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._search = state.search

    async def search(self, request: Request) -> Response:
        """The files that answer the question ``q``, at most ``most``."""
        most = request.query_params.get("most", "10")
        if not (most.isascii() and most.isdigit() and len(most) < 4):
            raise InvalidInput("The parameter most must be a number.", field="most")
        question = request.query_params.get("q", "")
        async with self._hub.held(room_of(request)) as host:
            answer = await found(host, self._search, question, int(most))
        return Response(answer.model_dump_json(exclude={"type", "id"}), media_type=_JSON)

    async def sent(self, request: Request) -> Response:
        """What a model was sent for a job, piece by piece and word for word."""
        async with self._hub.held(room_of(request)) as host:
            answer = await sent(host, request.path_params["job"])
        return Response(answer.model_dump_json(exclude={"type", "id"}), media_type=_JSON)

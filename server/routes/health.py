"""Health: ``/health/live`` says that the process answers, ``/health/ready`` that it can serve."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.routes.ports import State


class HealthRoutes:
    """What a supervisor or a load balancer asks."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def live(self, request: Request) -> Response:
        """200 as long as the process answers at all; otherwise it should be started again."""
        return JSONResponse({"status": "live", "version": self._state.version})

    async def ready(self, request: Request) -> Response:
        """503 with the reason while nobody should be sent here."""
        reason = self._state.not_ready()
        if reason is None:
            return JSONResponse({"status": "ready", "version": self._state.version})
        return JSONResponse({"status": "not_ready", "reason": reason}, status_code=503)

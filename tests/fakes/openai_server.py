"""An OpenAI-compatible server for tests: it streams scripted answers and misbehaves on purpose.

``python -m tests.fakes.openai_server --port P --script FILE`` runs it alone; the file is a JSON list of
Answer fields. The n-th request gets the n-th answer whose ``match`` is in its last message; the last one is
given again and again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

SCENARIOS = (
    "ok", "stall", "stall_first", "cut", "no_finish", "length", "malformed", "rate_limited", "server_error",
    "unauthorized", "not_found", "empty", "html", "huge_line", "error_event", "no_stream_options", "bare",
    "no_max_tokens", "cached", "refused", "lingers",
)  # fmt: skip


@dataclass
class Answer:
    """One scripted answer. ``delay`` in seconds between chunks of ``piece`` characters.

    ``after``: chunks before the misbehaviour. ``match``: only for requests whose last message holds it, and no
    other answer's nearer to its end.
    ``hold``: after so many chunks the answer goes on only when this is set.
    """

    text: str = "Nothing to do."
    scenario: str = "ok"
    reasoning: str = ""
    piece: int = 12
    delay: float = 0.0
    after: int = 2
    hold: threading.Event | None = None
    retry_after: str | None = None
    match: str = ""
    status: int = 400
    code: str | None = None
    """Of the scenario ``refused``, whose message is the text."""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"unknown scenario {self.scenario!r}; there are {', '.join(SCENARIOS)}")


@dataclass
class Script:
    """The answers still to give, and the requests that came."""

    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    requests: list[dict[str, Any]] = field(default_factory=list)
    requested: threading.Event = field(default_factory=threading.Event)
    disconnected: threading.Event = field(default_factory=threading.Event)

    def next(self, body: dict[str, Any]) -> Answer:
        last = str(body["messages"][-1]["content"])
        fitting = [answer for answer in self.answers if answer.match in last]
        if not fitting:
            return Answer()
        # What is asked now stands behind what the message tells of earlier requests.
        places = [last.rfind(answer.match) if answer.match else -1 for answer in fitting]
        fitting = [answer for answer, place in zip(fitting, places, strict=True) if place == max(places)]
        if len(fitting) > 1:
            self.answers.remove(fitting[0])
        return fitting[0]


def create_app(script: Script) -> Starlette:
    async def complete(request: Request) -> Response:
        body = await request.json()
        script.requested.set()
        script.requests.append({**body, "authorization": request.headers.get("authorization", "")})
        if body.get("stream_options") and script.answers[0].scenario == "no_stream_options":
            return _error(400, "Unrecognized request argument supplied: stream_options")
        if "max_tokens" in body and script.answers[0].scenario == "no_max_tokens":
            return _error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        answer = script.next(body)
        match answer.scenario:
            case "refused":
                return _error(answer.status, answer.text, answer.headers, answer.code)
            case "rate_limited":
                return _error(429, "Slow down.", {"retry-after": answer.retry_after or "0"})
            case "server_error":
                return _error(500, "Something broke.")
            case "unauthorized":
                return _error(401, f"Incorrect API key provided: {request.headers.get('authorization')}")
            case "not_found":
                return _error(404, f"The model {body.get('model')!r} does not exist.")
            case "html":
                return Response("<html>Welcome</html>", media_type="text/html")
            case _:
                return _Streaming(answer, script, str(body.get("model")))

    async def models(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "fake", "object": "model"}]})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", models),
        ]
    )


class _Streaming(Response):
    """Streams an answer; written as plain ASGI, so that it can break the rules of one."""

    def __init__(self, answer: Answer, script: Script, model: str) -> None:
        self.answer = answer
        self.script = script
        self.model = model
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.answer
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def write(text: str, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.script.disconnected.set()

        scenario = answer.scenario
        if scenario == "stall_first":
            await gone()
            return
        if scenario == "empty":
            await write("", more=False)
            return
        if scenario == "error_event":
            await write('data: {"error": {"message": "The engine is overloaded.", "type": "server_error"}}\n\n')
            await write("data: [DONE]\n\n", more=False)
            return
        watching = asyncio.create_task(gone())
        try:
            if scenario != "bare":
                await write(self._chunk({"role": "assistant", "content": ""}))
            if answer.reasoning:
                await write(self._chunk({"reasoning_content": answer.reasoning}))
            pieces = [answer.text[at : at + answer.piece] for at in range(0, len(answer.text), answer.piece)]
            if scenario == "huge_line":
                pieces = [answer.text + "x" * 1_000_000]
            for index, piece in enumerate(pieces):
                if index == answer.after and scenario in {"stall", "cut", "malformed"}:
                    if scenario == "stall":
                        await watching
                    if scenario == "malformed":
                        await write('data: {"choices": [{"delta": {"conte\n\n')
                    return  # without an end, so the connection is cut
                while index == answer.after and answer.hold is not None and not answer.hold.is_set():
                    if watching.done():
                        return
                    await asyncio.sleep(0.01)
                await write(self._chunk({"content": piece}))
                if answer.delay:
                    await asyncio.sleep(answer.delay)
                if watching.done():
                    return
            if scenario not in {"no_finish", "lingers"}:
                await write(self._chunk({}, "length" if scenario == "length" else "stop"))
            if scenario not in {"bare", "no_stream_options"}:
                usage: dict[str, Any] = {
                    "prompt_tokens": 10,
                    "completion_tokens": len(pieces),
                    "total_tokens": 10 + len(pieces),
                }
                if scenario == "cached":
                    usage["prompt_tokens_details"] = {"cached_tokens": 8}
                await write(f"data: {json.dumps({**self._head(), 'choices': [], 'usage': usage})}\n\n")
            if scenario == "lingers":
                await write("data: [DONE]\n\n")
                await watching
                return
            await write("data: [DONE]\n\n", more=False)
        finally:
            watching.cancel()

    def _head(self) -> dict[str, Any]:
        if self.answer.scenario == "bare":
            return {}
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self.model}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> str:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
        if self.answer.scenario == "bare":
            choice = {"delta": delta, **({"finish_reason": finish} if finish else {})}
        return f"data: {json.dumps({**self._head(), 'choices': [choice]})}\n\n"


def _error(status: int, message: str, headers: dict[str, str] | None = None, code: str | None = None) -> Response:
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return JSONResponse(body, status, headers)


class FakeOpenAI:
    """Runs the server in a thread on a free port of this machine, as a context manager."""

    def __init__(self, *answers: Answer) -> None:
        self.script = Script(list(answers) or [Answer()])
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            create_app(self.script), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    @property
    def base_url(self) -> str:
        """What to give a client as its base URL."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> FakeOpenAI:
        self._socket.listen()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", type=Path, help="JSON list of answers")
    given = parser.parse_args()
    answers = [Answer(**fields) for fields in json.loads(given.script.read_text())] if given.script else []
    app = create_app(Script(answers or [Answer()]))
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning", lifespan="off", ws="none")


if __name__ == "__main__":
    main()

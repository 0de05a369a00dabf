"""Models behind an OpenAI-compatible endpoint: OpenAI, Anthropic's compatible one, Ollama, vLLM.

The client's own retries are off; ``generation/resilience.py`` decides about those. Waiting is bounded here,
step by step, because a timeout around a whole generator would strike in the code of whoever reads it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import openai
import orjson

from generation.catalog import ModelSpec
from generation.errors import (
    ContentRefused,
    ContextOverflow,
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    StreamBroken,
)
from generation.event_stream import EventStream
from generation.ports import (
    Delta,
    FinishDelta,
    Message,
    ReasoningDelta,
    StreamLimits,
    TextDelta,
    UsageDelta,
)

logger = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 0.05
"""How long the end of a connection is waited for once all of an answer has come."""
_TOLD: Final = 300
"""Characters of a provider's own words that are passed on."""
_TOO_LONG: Final = re.compile(
    r"context[_ ](length|window|size)|maximum context|prompt is too long|input is too long"
    r"|too many (input )?tokens|reduce the length|exceeds? the (available|model'?s?|maximum) (context|input)",
    re.IGNORECASE,
)
"""How providers say that a request is longer than a model takes; few of them send the code."""
_FILTERED: Final = re.compile(r"content[_ ](filter|policy|management)|safety system", re.IGNORECASE)


class OpenAIModel:
    """Implements generation.ports.Model over HTTP. Many streams may run at once."""

    offline = False

    def __init__(self, spec: ModelSpec) -> None:
        self.name = spec.name
        self._spec = spec
        self._url = spec.provider.url
        self._key = spec.provider.api_key or ""
        # The client insists on a key; local servers ignore it.
        self._client = openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._url,
            max_retries=0,
            # Of both that the client offers, the one that takes less time for each token of a stream.
            http_client=openai.DefaultAioHttpClient(),
        )
        self._usage = True
        self._most = "max_tokens"

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def stream(self, messages: Sequence[Message], limits: StreamLimits) -> AsyncIterator[Delta]:
        """Asks once and streams the answer; see generation.ports.Model."""
        if self._spec.provider.missing_key:
            raise ModelRefused(
                f"{self.name} cannot be asked without a key: {self._spec.provider.missing_key}.", lasting=True
            )
        answer = _Answer(limits, asyncio.get_running_loop().time)
        try:
            stream = await self._open(messages, limits)
            try:
                async for deltas in answer.read(stream.response):
                    for delta in deltas:
                        yield delta
                    await limits.rest()
            finally:
                await stream.close()
        except ModelError:
            raise
        except TimeoutError as error:
            if answer.finished:
                return  # all of the answer is here; only the end of the connection is missing
            raise self._silent(answer.started, answer.seconds, limits) from error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            if answer.finished:
                return
            raise self._translated(error, started=answer.started) from error
        if not answer.started and not answer.finished:
            raise ModelUnavailable(f"{self.name} at {self._url} gave an empty answer; try again.")

    async def _open(self, messages: Sequence[Message], limits: StreamLimits) -> openai.AsyncStream[object]:
        async with asyncio.timeout(min(limits.first_token, limits.total)):
            while True:
                try:
                    return await self._request(messages, limits)
                except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                    # What a server does not know is left out from then on; that is no failure of the request.
                    if self._usage and "stream_options" in str(error):
                        self._usage = False
                    elif self._most == "max_tokens" and "max_completion_tokens" in str(error):
                        self._most = "max_completion_tokens"
                    else:
                        raise

    async def _request(self, messages: Sequence[Message], limits: StreamLimits) -> openai.AsyncStream[object]:
        extra: dict[str, Any] = {}
        if self._usage:
            extra["stream_options"] = {"include_usage": True}
        if limits.answer_tokens is not None:
            extra[self._most] = limits.answer_tokens
        stream = await self._client.post(
            "/chat/completions",
            body={
                "model": self._spec.id,
                "messages": [{"role": m.role, "content": m.content} for m in messages],
                "stream": True,
                **extra,
            },
            options={"timeout": openai.Timeout(None, connect=limits.connect)},
            cast_to=object,
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )
        kind = stream.response.headers.get("content-type", "text/event-stream")
        if not kind.startswith("text/event-stream"):
            await stream.close()
            raise ModelRefused(
                f"{self._url} answered with {kind[:80]!r} instead of a stream; check base_url, which usually "
                "ends with /v1.",
                lasting=True,
            )
        return stream

    def _silent(self, started: bool, took: float, limits: StreamLimits) -> ModelError:
        if took >= limits.total:
            words = f"{self.name} was still writing after {limits.total:g} s; ask for less, or raise the limit."
            return StreamBroken(words) if started else ModelUnavailable(words)
        if started:
            return StreamBroken(f"{self.name} fell silent for {limits.silence:g} s in the middle of its answer.")
        return ModelUnavailable(
            f"{self.name} at {self._url} did not begin to answer within {limits.first_token:g} s."
        )

    def _translated(self, error: Exception, *, started: bool) -> ModelError:
        said = self._said(error)
        if started:
            return StreamBroken(f"The answer of {self.name} broke off in its middle: {said}")
        if isinstance(error, openai.APITimeoutError | openai.APIConnectionError):
            return ModelUnavailable(f"{self._url} cannot be reached: {said} Check base_url and the network.")
        code = str(getattr(error, "code", None) or "")
        if not isinstance(error, openai.APIStatusError):
            if code == "context_length_exceeded":
                return self._too_long(said)
            return ModelUnavailable(f"The answer of {self.name} cannot be read: {said}")
        return self._refused(error, error.status_code, code, said)

    def _refused(self, error: openai.APIStatusError, status: int, code: str, said: str) -> ModelError:
        """What an answer with another status than 200 means."""
        if status == 429 and code != "insufficient_quota":
            return ModelRateLimited(
                f"{self._url} refuses more requests for now (429): {said}", retry_after=_retry_after(error)
            )
        if status >= 500 or status in {408, 409}:
            return ModelUnavailable(
                f"{self._url} has a failure of its own ({status}): {said}", retry_after=_retry_after(error)
            )
        if status in {402, 429}:
            return ModelRefused(f"{self._url} wants to be paid ({status}): {said}", lasting=True)
        if status in {401, 403}:
            return ModelRefused(f"{self._url} refuses the key ({status}): {said} Check api_key.", lasting=True)
        if status == 404:
            return ModelRefused(
                f"{self._url} knows no model {self._spec.id!r}, or is no endpoint (404): {said} "
                "Check model and base_url.",
                lasting=True,
            )
        if code == "context_length_exceeded" or status == 413 or (status == 400 and _TOO_LONG.search(said)):
            return self._too_long(said)
        if code in {"content_filter", "content_policy_violation"} or _FILTERED.search(said):
            return ContentRefused(
                f"The content filter of {self._url} does not let the request pass: {said} Other words may pass it."
            )
        return ModelRefused(f"{self._url} refuses the request ({status}): {said}")

    def _too_long(self, said: str) -> ContextOverflow:
        return ContextOverflow(f"The request is longer than {self.name} takes: {said}")

    def _said(self, error: Exception) -> str:
        body = getattr(error, "body", None)
        inner = body.get("message") if isinstance(body, dict) else None
        text = inner if isinstance(inner, str) and inner else str(error)
        cause = error.__cause__
        if isinstance(error, openai.APIConnectionError) and cause is not None and str(cause):
            # aiohttp names a setting of its own in between.
            text = re.sub(r" ssl:\w+ ", ": ", str(cause))
        if self._key:
            text = text.replace(self._key, "[key]")
        text = " ".join(text.split())
        text = text[:_TOLD] + "…" if len(text) > _TOLD else text
        return text if text.endswith((".", "!", "?", "…")) else text + "."


class _Answer:
    """One answer as it streams in.

    It is read here and not by the client, which makes an object of each chunk: that takes ten times as long as all
    else that is done for a token.
    """

    def __init__(self, limits: StreamLimits, time: Callable[[], float]) -> None:
        self.started = self.finished = False
        """Whether any of it has come, and whether it was said why it ended."""
        self._limits = limits
        self._time = time
        self._began = self._heard = time()

    @property
    def seconds(self) -> float:
        """How long ago it was asked for."""
        return self._time() - self._began

    async def read(self, response: httpx2.Response) -> AsyncIterator[list[Delta]]:
        """What came at once, each time that something has. Raises TimeoutError, ValueError, what HTTP raises."""
        events = EventStream()
        pieces = aiter(response.aiter_bytes())
        while True:
            broken: Exception | None = None
            async with asyncio.timeout(self._patience()):
                try:
                    piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except httpx2.HTTPError as error:
                    piece, broken = _unread(response), error
            deltas: list[Delta] = []
            texts: list[str] = []
            done = False
            try:
                for data in events.feed(piece):
                    if data.startswith(b"[DONE]"):
                        done = True
                        break
                    chunk = _read(data, response)
                    text = _only_text(chunk)
                    if text is None:
                        deltas += _joined(texts)
                        deltas += _deltas(chunk)
                    else:
                        texts.append(text)
            except (openai.APIError, ValueError) as error:
                broken = broken or error  # What came before it was in order.
            deltas += _joined(texts)
            if deltas:
                self._note(deltas)
                yield deltas
            if broken is not None:
                raise broken
            if done:
                await _drain(pieces)
                return

    def _note(self, deltas: list[Delta]) -> None:
        for delta in deltas:
            self.started = self.started or isinstance(delta, TextDelta | ReasoningDelta)
            self.finished = self.finished or isinstance(delta, FinishDelta)
        self._heard = self._time()

    def _patience(self) -> float:
        """How long may be waited for the next piece, in seconds."""
        now, limits = self._time(), self._limits
        wait = self._heard + limits.silence if self.started else self._began + limits.first_token
        return max(0.0, min(wait, self._began + limits.total) - now)


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Reads an answer to its end, so that its connection can be used again; all that matters of it is here."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in pieces:
                pass
    except (TimeoutError, httpx2.HTTPError) as error:
        logger.debug("a connection is not used again: %s", error)


def _unread(response: httpx2.Response) -> bytes:
    """What had come of an answer when its connection broke: aiohttp keeps it, but raises the error before it."""
    body = getattr(getattr(response.stream, "_stream", None), "_aiohttp_response", None)
    content = getattr(body, "content", None)
    pieces: list[bytes] = [*getattr(content, "_buffer", ())]
    return b"".join(pieces)[getattr(content, "_buffer_offset", 0) :]


def _read(data: bytes, response: httpx2.Response) -> object:
    """A chunk. Raises ValueError if it cannot be read, APIError if it tells of an error."""
    chunk: object = orjson.loads(data)
    error = chunk.get("error") if isinstance(chunk, dict) else None
    if error:
        said = error.get("message") if isinstance(error, dict) else error
        words = said if isinstance(said, str) and said else "an error in the middle of the stream"
        raise openai.APIError(words, response.request, body=error if isinstance(error, dict) else None)
    return chunk


def _only_text(chunk: object) -> str | None:
    """The text of a chunk that holds nothing else, as nearly all do."""
    try:
        [choice] = chunk["choices"]  # type: ignore[index]
        delta, text = choice["delta"], choice["delta"]["content"]
        plain = not (choice.get("finish_reason") or chunk.get("usage"))  # type: ignore[attr-defined]
        plain = plain and not (delta.get("reasoning_content") or delta.get("reasoning"))
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    return text if plain and isinstance(text, str) else None


def _joined(texts: list[str]) -> list[Delta]:
    """Texts as one, which are then taken out of the list."""
    text = "".join(texts)
    texts.clear()
    return [TextDelta(text)] if text else []


def _deltas(chunk: object) -> list[Delta]:
    """What a chunk holds. Servers leave out fields and put others in their place, so each is looked for."""
    deltas: list[Delta] = []
    if not isinstance(chunk, dict):
        return deltas
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(choice, dict):
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for name in ("reasoning_content", "reasoning"):
                reasoning = delta.get(name)
                if isinstance(reasoning, str) and reasoning:
                    deltas.append(ReasoningDelta(reasoning))
                    break
            text = delta.get("content")
            if isinstance(text, str) and text:
                deltas.append(TextDelta(text))
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            deltas.append(FinishDelta(reason))
    usage = chunk.get("usage")
    if isinstance(usage, dict):
        asked, answered = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        if asked is not None and answered is not None:
            details = usage.get("prompt_tokens_details")
            cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
            deltas.append(UsageDelta(asked, answered, cached or 0))
    return deltas


def _count(value: object) -> int | None:
    """A number of tokens, where it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _retry_after(error: openai.APIStatusError) -> float | None:
    """The wait in seconds that a provider asks for: a number of seconds or a date (RFC 9110, 10.2.3)."""
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None

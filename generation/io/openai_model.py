"""Models behind an OpenAI-compatible endpoint: OpenAI, Anthropic's compatible one, Ollama, vLLM.

The client's own retries are off; ``generation/resilience.py`` decides about those. Waiting is bounded here,
step by step, because a timeout around a whole generator would strike in the code of whoever reads it.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

import openai

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
from generation.ports import (
    Delta,
    FinishDelta,
    Message,
    ReasoningDelta,
    StreamLimits,
    TextDelta,
    UsageDelta,
)

OPENAI_URL: Final = "https://api.openai.com/v1"
_TOLD: Final = 300
"""Characters of a provider's own words that are passed on."""
_TOO_LONG: Final = re.compile(
    r"context[_ ](length|window|size)|maximum context|prompt is too long|input is too long"
    r"|too many (input )?tokens|reduce the length|exceeds? the (available|model'?s?|maximum) (context|input)",
    re.IGNORECASE,
)
"""How providers say that a request is longer than a model takes; few of them send the code."""
_FILTERED: Final = re.compile(r"content[_ ](filter|policy|management)|safety system", re.IGNORECASE)


class _Chunks(Protocol):
    def __aiter__(self) -> AsyncIterator[Any]: ...

    async def close(self) -> None: ...


class OpenAIModel:
    """Implements generation.ports.Model over HTTP. Many streams may run at once."""

    offline = False

    def __init__(self, spec: ModelSpec) -> None:
        self.name = spec.name
        self._spec = spec
        self._url = spec.provider.base_url or OPENAI_URL
        self._key = spec.provider.api_key or ""
        # The client insists on a key; local servers ignore it.
        self._client = openai.AsyncOpenAI(api_key=self._key or "none", base_url=self._url, max_retries=0)
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
        loop = asyncio.get_running_loop()
        began = loop.time()
        started = finished = False
        try:
            chunks = await self._open(messages, limits)
            try:
                source = aiter(chunks)
                while True:
                    now = loop.time()
                    left = began + limits.total - now
                    wait = limits.silence if started else began + limits.first_token - now
                    async with asyncio.timeout(max(0.0, min(wait, left))):
                        try:
                            chunk = await anext(source)
                        except StopAsyncIteration:
                            break
                    for delta in _deltas(chunk):
                        started = started or isinstance(delta, TextDelta | ReasoningDelta)
                        finished = finished or isinstance(delta, FinishDelta)
                        yield delta
            finally:
                await chunks.close()
        except ModelError:
            raise
        except TimeoutError as error:
            if finished:
                return  # all of the answer is here; only the end of the connection is missing
            raise self._silent(started, loop.time() - began, limits) from error
        except (openai.OpenAIError, json.JSONDecodeError, UnicodeDecodeError) as error:
            if finished:
                return
            raise self._translated(error, started=started) from error
        if not started and not finished:
            raise ModelUnavailable(f"{self.name} at {self._url} gave an empty answer; try again.")

    async def _open(self, messages: Sequence[Message], limits: StreamLimits) -> _Chunks:
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

    async def _request(self, messages: Sequence[Message], limits: StreamLimits) -> _Chunks:
        extra: dict[str, Any] = {}
        if self._usage:
            extra["stream_options"] = {"include_usage": True}
        if limits.answer_tokens is not None:
            extra[self._most] = limits.answer_tokens
        stream: Any = await self._client.chat.completions.create(
            model=self._spec.id,
            messages=[{"role": m.role, "content": m.content} for m in messages],  # type: ignore[misc]
            stream=True,
            timeout=openai.Timeout(None, connect=limits.connect),
            **extra,
        )
        kind = stream.response.headers.get("content-type", "text/event-stream")
        if not kind.startswith("text/event-stream"):
            await stream.close()
            raise ModelRefused(
                f"{self._url} answered with {kind[:80]!r} instead of a stream; check base_url, which usually "
                "ends with /v1.",
                lasting=True,
            )
        chunks: _Chunks = stream
        return chunks

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
            text = str(cause)
        if self._key:
            text = text.replace(self._key, "[key]")
        text = " ".join(text.split())
        text = text[:_TOLD] + "…" if len(text) > _TOLD else text
        return text if text.endswith((".", "!", "?", "…")) else text + "."


def _deltas(chunk: Any) -> list[Delta]:
    """What a chunk holds. Servers leave out fields, so each is looked for."""
    deltas: list[Delta] = []
    choices = getattr(chunk, "choices", None)
    if choices:
        choice = choices[0]
        delta = getattr(choice, "delta", None)
        for name in ("reasoning_content", "reasoning"):
            reasoning = getattr(delta, name, None)
            if isinstance(reasoning, str) and reasoning:
                deltas.append(ReasoningDelta(reasoning))
                break
        text = getattr(delta, "content", None)
        if isinstance(text, str) and text:
            deltas.append(TextDelta(text))
        reason = getattr(choice, "finish_reason", None)
        if isinstance(reason, str) and reason:
            deltas.append(FinishDelta(reason))
    usage = getattr(chunk, "usage", None)
    if usage is not None:
        asked = getattr(usage, "prompt_tokens", None)
        answered = getattr(usage, "completion_tokens", None)
        if isinstance(asked, int) and isinstance(answered, int):
            details = getattr(usage, "prompt_tokens_details", None)
            cached = getattr(details, "cached_tokens", None)
            deltas.append(UsageDelta(asked, answered, cached if isinstance(cached, int) else 0))
    return deltas


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

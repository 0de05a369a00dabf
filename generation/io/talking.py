"""The talk with models: an answer's stream is read into its writer, and asked for again where it may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from generation.accounting import Usage, cost
from generation.catalog import ModelSpec
from generation.choice import Plan
from generation.context.tokens import estimate
from generation.continuing import go_on
from generation.errors import (
    AnswerCut,
    ContentRefused,
    GenerationError,
    ModelError,
    ModelRefused,
    StaleEpoch,
    StreamBroken,
)
from generation.io.exchange import Exchange
from generation.io.pump import Pump, Signal
from generation.offline import NAME as TEMPLATE
from generation.offline import SPEC, fits
from generation.pipeline import OFFLINE, AnswerWriter
from generation.ports import Delta, FinishDelta, Message, ReasoningDelta, StreamLimits, TextDelta, UsageDelta
from generation.prompt import request_of
from generation.resilience import Ask, GiveUp, Resilience, Wait
from generation.sent import Purpose
from generation.views import Attempt, Outcome

_BYTES_A_TOKEN: Final = 4.3
_ABOUT: Final = 0.9
"""What comes this part of a rest after a merge came after that rest."""
_ENDED: Final = "The job was ended, paused or told something further."
_AGAIN: Final = "The stream was ended, to ask again."

Asking = Callable[[Ask], Sequence[Message]]
"""Words a request for the model and the size that a step says."""


class Listener(Protocol):
    """Hears how the talk goes. All but ``said`` raise StaleEpoch when nothing more may land."""

    def check(self) -> None:
        """Something has come."""
        ...

    def merge(self) -> None:
        """What was written may land now."""
        ...

    def counted(self, tokens: int, *, reported: bool = False) -> None:
        """So many tokens of answers have come, as estimated from bytes or ``reported`` by the provider."""
        ...

    def writing(self) -> None:
        """The model goes on writing."""
        ...

    def said(self, detail: str) -> None:
        """Something that the room should know."""
        ...

    def asking(self, model: ModelSpec, why: str) -> None:
        """A model is asked now. ``why`` it and no other one, in words; empty where nothing has changed."""
        ...

    def sending(self, model: str, messages: Sequence[Message], purpose: Purpose = "answer") -> None:
        """These messages go to a model now."""
        ...

    def tried(self, attempt: Attempt) -> None:
        """A request to a model has ended."""
        ...

    async def until_free(self) -> None:
        """Lands what is written, and returns when no file is waited for that another job writes."""
        ...


class Talk:
    """One job's requests, to the models of its plan."""

    def __init__(self, exchange: Exchange, plan: Plan, listener: Listener, *, templates: bool = True) -> None:
        """With ``templates``, one may answer where no model does."""
        self._exchange = exchange
        self._settings = exchange.settings
        self._clock = exchange.clock
        self._listener = listener
        self._first = plan.models[0]
        self._templates = templates
        self._control = Resilience(plan, exchange.standings, exchange.settings.policy(), exchange.random)
        self._pump: Pump | None = None
        self._again = False
        self._began = False
        self._earlier = 0
        self._bytes = 0
        self._usage = Usage()
        self._reported = False
        self._finish: str | None = None
        self._asked_at = 0.0
        self._first_token: float | None = None

    async def go(self, writer: AnswerWriter, messages: Sequence[Message], asking: Asking | None = None) -> None:
        """Reads a whole answer into the writer, to its end. ``messages`` are for the first model of the plan.

        ``asking`` words the request anew for another model, or shorter; without it the same messages are sent.
        Raises ModelError when no more try may be made.
        """
        error: ModelError | None = None
        while True:
            match self._control.next(self._clock.monotonic()):
                case Wait(seconds):
                    if error is not None:
                        self._listener.said(f"{error.message} Trying again in {seconds:.1f} s.")
                    await self._exchange.pause(seconds)
                case GiveUp(last, template):
                    if (
                        template
                        and self._templates
                        and not writer.kept
                        and await self._offer_template(writer, messages, last)
                    ):
                        return
                    raise last
                case Ask() as ask:
                    same = ask.spec is self._first and ask.share == 1.0
                    sent = messages if same or asking is None else asking(ask)
                    error = await self._ask(ask, writer, sent)
                    if error is None and not self._again:
                        return
                    self._again = False

    def again(self) -> None:
        """Ends the stream that is being read; the model is asked again, and told what is kept of its answer."""
        if self._pump is not None:
            self._again = True
            self._pump.halt()

    @property
    def ended(self) -> bool:
        """Whether the model itself ended its answer."""
        return self._finish == "stop"

    def judge(self, writer: AnswerWriter) -> None:
        """Raises StreamBroken if the answer is not complete, GenerationError if it changes nothing."""
        if writer.cut is not None:
            raise StreamBroken(writer.cut)
        if not writer.changes:
            said = " ".join([*writer.problems, *writer.prose.split()])
            raise GenerationError(
                f"The answer changes no file. It says: {said}" if said else "The answer is empty."
            )

    async def _ask(self, ask: Ask, writer: AnswerWriter, messages: Sequence[Message]) -> ModelError | None:
        """Makes one request, and tells whoever must know how it went."""
        control, standing = self._control, self._exchange.standings.of(ask.spec.name)
        if ask.continues:
            messages = go_on(messages, writer.kept, prefill=ask.prefill)
        prompt = sum(estimate(message.content) for message in messages)
        kept = len(writer.kept)
        try:
            self._begin(ask.spec, ask.why, writer, prompt)
            self._listener.sending(ask.spec.name, messages)
            error = await self._answer(ask.spec, writer, messages)
            if self._reported:
                standing.measured.counted(prompt, self._usage.prompt)
            self._note(ask.spec, error)
        except BaseException as ended:
            control.dropped()
            if isinstance(ended, asyncio.CancelledError | StaleEpoch):
                # Somebody ended the job, which was paid for until then.
                self._note(ask.spec, StreamBroken(_ENDED))
            raise
        now = self._clock.monotonic()
        if self._again:
            control.dropped(kept=True)
        elif error is None:
            control.answered(now, (self._first_token or now) - self._asked_at, self._usage.answer)
        else:
            control.failed(error, now, kept=len(writer.kept) > kept)
        return error

    def _begin(self, spec: ModelSpec, why: str, writer: AnswerWriter, prompt: int) -> None:
        if self._began or writer.finished:
            writer.resume()
            self._listener.merge()
        self._began = True
        self._earlier += self._usage.answer
        self._bytes = 0
        self._usage = Usage(prompt, estimated=True)
        self._reported = False
        self._finish = None
        self._first_token = None
        self._asked_at = self._clock.monotonic()
        self._listener.asking(spec, why)

    async def _answer(
        self, spec: ModelSpec, writer: AnswerWriter, messages: Sequence[Message]
    ) -> ModelError | None:
        """Reads one answer; what is wrong with it, if something is."""
        settings = self._settings
        limits = StreamLimits(
            connect=settings.timeout_connect,
            first_token=settings.timeout_first_token,
            silence=settings.timeout_silence,
            total=settings.timeout_total,
            answer_tokens=spec.answer_tokens if spec.limits_answer else None,
        )
        try:
            await self._stream(spec, writer, messages, limits)
        except ModelError as error:
            return error
        if self._again:
            return None
        if writer.cut is not None:
            raise StreamBroken(writer.cut)
        match self._finish:
            case None:
                return StreamBroken(f"The answer of {spec.name} ended before it was complete.")
            case "length":
                return AnswerCut(f"The answer reached the longest that {spec.name} gives.")
            case "content_filter":
                return ContentRefused("The provider's content filter ended the answer; other words may pass it.")
        await self._listener.until_free()
        writer.finish(ended=self.ended)
        return _cut(writer)

    async def _stream(
        self, spec: ModelSpec, writer: AnswerWriter, messages: Sequence[Message], limits: StreamLimits
    ) -> None:
        interval = self._settings.merge_interval_ms / 1000
        listener = self._listener
        turns = self._exchange.turns
        merged = self._clock.monotonic()
        model = self._exchange.models.open(spec.name)
        stream = model.stream(messages, replace(limits, rest=partial(turns.rested, interval)))
        async with aclosing(Pump(stream)) as pump:
            self._pump = pump
            try:
                while True:
                    rest = turns.rest(interval)
                    wait = max(0.0, merged + rest - self._clock.monotonic()) if writer.dirty else None
                    got = await pump.take(wait)
                    if got is Signal.END:
                        return
                    # A late token of a job that was ended meanwhile must not land.
                    listener.check()
                    if not isinstance(got, Signal):
                        self._take(writer, got)
                    if writer.cut is not None:
                        return
                    now = self._clock.monotonic()
                    if writer.dirty and (got is Signal.NOTHING_YET or now - merged >= rest * _ABOUT):
                        merged = now
                        await turns.mine()
                        listener.check()
                        listener.merge()
                    listener.writing()
            finally:
                self._pump = None

    def _take(self, writer: AnswerWriter, deltas: Sequence[Delta]) -> None:
        answer: list[str] = []
        usage: UsageDelta | None = None
        came = False
        for delta in deltas:
            match delta:
                case TextDelta(text):
                    answer.append(text)
                    came = True
                case ReasoningDelta(text):
                    self._bytes += len(text.encode("utf-8", "surrogatepass"))
                    came = True
                case UsageDelta():
                    usage = delta
                case FinishDelta(reason):
                    self._finish = reason
        if came:
            # A stream may carry unpaired surrogates as JSON escapes; no file can hold them.
            self._write(writer, "".join(answer).encode("utf-8", "replace"))
        if usage is not None:
            self._reported = True
            self._usage = Usage(usage.prompt_tokens, usage.answer_tokens, usage.cached_tokens)
            self._listener.counted(self._earlier + usage.answer_tokens, reported=True)

    def _write(self, writer: AnswerWriter, data: bytes) -> None:
        if self._first_token is None:
            self._first_token = self._clock.monotonic()
        self._bytes += len(data)
        writer.feed(data.decode())
        tokens = round(self._bytes / _BYTES_A_TOKEN)
        if not self._reported:
            self._usage = Usage(self._usage.prompt, tokens, estimated=True)
        self._listener.counted(self._earlier + tokens)

    def _note(self, spec: ModelSpec, error: ModelError | None) -> None:
        """Counts a request to the model that was asked in it."""
        began = self._first_token is not None or self._reported or error is None
        # What was refused or never begun is not paid for.
        usage = self._usage if began else Usage()
        self._usage = usage
        outcome: Outcome = "answered"
        if self._again or isinstance(error, StreamBroken):
            outcome = "broken"
        elif isinstance(error, ModelRefused):
            outcome = "refused"
        elif error is not None:
            outcome = "failed"
        seconds = self._clock.monotonic() - self._asked_at
        self._listener.tried(
            Attempt(
                spec.name,
                outcome,
                _AGAIN if self._again else error.message if error is not None else "",
                usage.prompt,
                usage.answer,
                cost(spec.price, usage),
                round(seconds, 3),
                self._clock.wall_ms() - round(seconds * 1000),
            )
        )

    async def _offer_template(self, writer: AnswerWriter, messages: Sequence[Message], error: ModelError) -> bool:
        """Has a template answer, for people to accept or not; False if there is none for the request."""
        if self._first.name == TEMPLATE or not fits(request_of(messages)):
            return False
        writer.resume()
        writer.offer(OFFLINE)
        self._begin(SPEC, f"No model has answered, so a template is offered. {error.message}", writer, 0)
        await self._answer(SPEC, writer, messages)
        self._usage = Usage()
        self._note(SPEC, None)
        writer.problems.append(f"No model has answered: {error.message} What is offered comes from a template.")
        return True


def _cut(writer: AnswerWriter) -> ModelError | None:
    """What is wrong with an answer that has come to its end, if it is not complete."""
    return AnswerCut(writer.cut) if writer.cut is not None else None

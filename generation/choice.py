"""Which model is asked, and which come after it if it fails.

The score of a model is made of how well the request fits into its window, its capabilities, and the success and
latency measured so far; that counts 70 of 100, how free it is of other requests 30. Models that are about equally
good are taken in the configured order. Sources of the weights: none but that they can be told in one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from generation.catalog import Capability, Catalog, ModelSpec
from generation.standing import Standing, Standings

QUALITY: Final = 0.7
LOAD: Final = 0.3
EQUAL: Final = 0.05
"""Scores that differ by no more count as equal."""
_FIT, _CAPABLE, _SUCCESS, _LATENCY = 0.35, 0.3, 0.25, 0.1
_SLOW: Final = 10.0
"""Seconds to the first token at which the latency counts half."""
_UNMEASURED: Final = 2.0
"""Seconds that are assumed of a model that has not answered yet."""
_ANSWER: Final = 2_000
"""Tokens that an answer needs at least."""
_HARD: Final = re.compile(
    r"\b(algorithm|architecture|concurren\w+|deadlock|debug|design|optimi[sz]e|prove|race|redesign|refactor\w*|why)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks of a model: tokens that its prompt takes at least, and those that it would use if there
    is room, and capabilities.
    """

    least: int
    most: int
    capabilities: frozenset[Capability] = frozenset({"code"})


@dataclass(frozen=True, slots=True)
class Plan:
    """The models in the order in which they are asked, and in words why the first is first.

    ``asked`` says that somebody chose the model, so that no other is asked.
    """

    models: tuple[ModelSpec, ...]
    why: str
    asked: bool = False


@dataclass(frozen=True, slots=True)
class _Scored:
    spec: ModelSpec
    score: float
    words: str


def wanted(prompt: str, least: int, most: int) -> Wanted:
    """What a prompt wants; ``least`` and ``most`` are tokens of what a model would be shown, prompt included."""
    capabilities: set[Capability] = {"code"}
    if _HARD.search(prompt):
        capabilities.add("reasoning")
    return Wanted(least, max(least, most), frozenset(capabilities))


def plan(catalog: Catalog, standings: Standings, want: Wanted, now: float) -> Plan:
    """The order of models for a request; ``catalog`` holds one at least."""
    models = list(catalog)
    usable = [model for model in models if not model.provider.missing_key] or models
    fitting = [model for model in usable if _fit(model, want) > 0] or usable
    free = [model for model in fitting if standings.of(model.name).available(now)]
    scored = [_score(model, standings.of(model.name), want, now) for model in free or fitting]
    best = max(one.score for one in scored)
    chosen = next(one for one in scored if one.score >= best - EQUAL)
    why = _told(chosen, scored)
    # Only a real request finds out whether a model that was left alone is back.
    for one in scored[: scored.index(chosen) + 1]:
        if standings.of(one.spec.name).probe_due(now):
            chosen, why = one, f"{one.spec.name} is asked to see whether it is back."
            break
    out = [_absent(model, standings.of(model.name), usable, fitting, now) for model in models if model not in free]
    others = [model for model in fitting if model is not chosen.spec]
    others.sort(key=lambda model: len(want.capabilities - model.capabilities))
    return Plan((chosen.spec, *others), " ".join([why, *out]) if free else why)


def _score(model: ModelSpec, standing: Standing, want: Wanted, now: float) -> _Scored:
    fit = _fit(model, want)
    capable = len(want.capabilities & model.capabilities) / len(want.capabilities)
    success = standing.measured.success(now)
    first = standing.measured.first_token
    latency = _SLOW / (_SLOW + (first if first is not None else _UNMEASURED))
    free = 1.0 - min(1.0, standing.running / model.parallel)
    quality = _FIT * fit + _CAPABLE * capable + _SUCCESS * success + _LATENCY * latency
    lacks = ", ".join(sorted(want.capabilities - model.capabilities))
    words = (
        f"window {fit:.0%}, capabilities {capable:.0%}{f' (no {lacks})' if lacks else ''}, success {success:.0%}, "
        f"first token {f'{first:.1f} s' if first is not None else 'not measured'}, load {1 - free:.0%}"
    )
    return _Scored(model, QUALITY * quality + LOAD * free, words)


def _fit(model: ModelSpec, want: Wanted) -> float:
    """The share of what could be shown that fits; 0 if not even what must be shown does."""
    room = model.prompt_tokens
    if want.least + min(_ANSWER, model.answer_tokens) > model.context_tokens or want.least > room:
        return 0.0
    return min(1.0, room / max(1, want.most))


def _told(chosen: _Scored, scored: Sequence[_Scored]) -> str:
    others = sorted((one for one in scored if one is not chosen), key=lambda one: -one.score)
    said = f"{chosen.spec.name} scores {chosen.score:.2f} ({chosen.words})"
    if others:
        said += "; " + ", ".join(f"{one.spec.name} {one.score:.2f}" for one in others[:4])
        if others[0].score > chosen.score:
            said += "; about equal, so the configured order decides"
    return said + "."


def _absent(
    model: ModelSpec, standing: Standing, usable: Sequence[ModelSpec], fitting: Sequence[ModelSpec], now: float
) -> str:
    if model not in usable:
        return f"{model.name} has no key."
    if model not in fitting:
        return f"{model.name} has too small a window."
    rest = standing.rests(now)
    return f"{model.name} rests for {rest:.0f} s." if rest else f"{model.name} is being probed."

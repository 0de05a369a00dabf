from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest

from collab.errors import MalformedMessage
from collab.ids import ClientId, JobId, PersonId
from generation import events
from generation.event_codec import MOST_BYTES, decode_event, encode_event
from generation.events import GenerationEvent
from generation.jobs import Job
from generation.views import SuggestionView

VIEW = Job(
    JobId("j1"), "Prüfe 👍", "Ada", PersonId("p"), "m", False, [ClientId(2**53 - 1)], "#000000", 1, files=["a.py"]
).view()
HUNK = SuggestionView(
    "s1",
    "j1",
    None,
    "a.py",
    "Somebody changed it.",
    "hunk",
    "x\n",
    "y\n",
    "z\n",
    "AAA=",
    "AAA=",
    "open",
    None,
    "overlapping_edits",
    "",
    ("accept", "reject"),
    1,
    0,
)
EVENTS: Sequence[GenerationEvent] = (
    events.JobStarted(VIEW),
    events.JobProgressed(VIEW, "Writing a.py."),
    events.ContextReady("j1", ("a.py", "b.py"), 12),
    events.StrategyDetermined("j1", "targeted", "It is small."),
    events.FileStarted("j1", "a.py"),
    events.FileEnded("j1", "a.py", 1, 0),
    events.JobTokens("j1", "a.py", "x\n"),
    events.SuggestionAdded(HUNK),
    events.SuggestionAnswered(HUNK),
    events.JobFinished(VIEW),
    events.JobChanged(VIEW),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: GenerationEvent) -> None:
    assert decode_event(encode_event(event)) == event


def test_every_class_of_events_is_among_those() -> None:
    kinds: tuple[Any, ...] = get_args(GenerationEvent)
    assert {type(event) for event in EVENTS} == set(kinds)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b'["JobTokens"]',
        b'["Nothing",{}]',
        b'["JobTokens",{"job":"j1","path":"a","text":1}]',
        b'["JobTokens",{"job":"j1","path":"a"}]',
        b'[["JobTokens"],{}]',
        b'["SuggestionAdded",{"suggestion":null}]',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_event(data)


def test_an_event_beyond_the_bound_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="may have"):
        decode_event(b" " * (MOST_BYTES + 1))


def test_an_unpaired_surrogate_does_not_keep_an_event_from_the_others() -> None:
    sent = events.JobTokens("j1", "a.py", "x\ud800y")
    assert decode_event(encode_event(sent)) == events.JobTokens("j1", "a.py", "x?y")

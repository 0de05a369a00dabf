from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pytest

from collab.errors import (
    CollabError,
    Conflict,
    HourlyLimit,
    KeepLost,
    MalformedMessage,
    NotFound,
    StoreUnavailable,
)
from collab.ids import ClientId, JobId, PersonId, RoomId
from generation.jobs import Job
from generation.questions import (
    ERRORS,
    AnswerAll,
    AnswerSuggestion,
    Cancel,
    ListJobs,
    ListSuggestions,
    Move,
    Offer,
    Pause,
    Prioritise,
    Question,
    Record,
    Redo,
    Result,
    Resume,
    Retry,
    Steer,
    Submit,
    Undo,
    decode_answer,
    decode_question,
    encode_error,
    encode_question,
    encode_result,
)
from generation.sharing import Ticket
from generation.views import AnsweredAll, Asker, GenerationRequest, NewChange, SuggestionView

ROOM, JOB = RoomId("room"), JobId("j1")
ADA = Asker(PersonId("p-ada"), "Ada 👍")
VIEW = Job(JOB, "p", "Ada", PersonId("p"), "m", False, [ClientId(7)], "#000000", 1, files=["a.py"]).view()
HUNK = SuggestionView(
    "s1", "j1", "f1", "a.py", "r", "hunk", "x", "y", "z", None, None, "open", None, "none", "", ("accept",), 1, 0
)
PAIRS: Sequence[tuple[Question, Result]] = (
    (Submit(ROOM, JOB, GenerationRequest("x", ("a.py",), "full", None, "review", "low"), ADA), VIEW),
    (Cancel(ROOM, JOB, ADA), VIEW),
    (Retry(ROOM, JOB, ADA), VIEW),
    (Pause(ROOM, JOB, ADA), VIEW),
    (Resume(ROOM, JOB, ADA), VIEW),
    (Steer(ROOM, JOB, "shorter 👍", ADA, "k1"), VIEW),
    (Move(ROOM, JOB, 2, ADA), VIEW),
    (Prioritise(ROOM, JOB, "low", ADA), VIEW),
    (Undo(ROOM, JOB, ADA), VIEW),
    (Redo(ROOM, JOB, ADA), VIEW),
    (AnswerSuggestion(ROOM, "s1", "edit", ADA, "by hand"), HUNK),
    (AnswerAll(ROOM, "j1", "a.py", "reject", ADA), AnsweredAll(2, ("b.py: It is gone.",), VIEW)),
    (Record(ROOM, NewChange("c1", "import", "Import", 7, ("a.py",), "e30=", (), 1), ADA), VIEW),
    (ListJobs(ROOM), [VIEW, VIEW]),
    (ListSuggestions(ROOM), [HUNK]),
    (Offer(ROOM, Ticket("1-0", "high", ROOM, JOB, 2)), True),
)


@pytest.mark.parametrize(("question", "result"), PAIRS, ids=lambda value: type(value).__name__)
def test_questions_and_answers_come_back_as_they_were(question: Question, result: Result) -> None:
    assert decode_question(encode_question(question)) == question
    assert decode_answer(question, encode_result(result)) == result


def test_every_question_is_among_those() -> None:
    assert {type(question) for question, _ in PAIRS} == set(get_args(Question))


@pytest.mark.parametrize("kind", [CollabError, NotFound, Conflict, KeepLost, StoreUnavailable])
def test_an_error_is_raised_as_the_same_class_with_its_words_and_field(kind: type[CollabError]) -> None:
    with pytest.raises(CollabError, match=r"^Bob was first\.$") as caught:
        decode_answer(ListJobs(ROOM), encode_error(kind("Bob was first.", field="job")))
    assert type(caught.value) is kind
    assert caught.value.field == "job"


def test_the_wait_of_a_bound_of_an_hour_travels_too() -> None:
    with pytest.raises(HourlyLimit) as caught:
        decode_answer(ListJobs(ROOM), encode_error(HourlyLimit("Too much.", retry_after=12.5)))
    assert caught.value.retry_after == 12.5
    with pytest.raises(MalformedMessage):
        decode_answer(ListJobs(ROOM), b'{"code":"hourly_limit","message":"x","field":null,"retry_after":"soon"}')


def test_every_error_of_collab_has_a_code_of_its_own() -> None:
    assert len(ERRORS) == len({id(kind) for kind in ERRORS.values()})
    assert ERRORS["keep_lost"] is KeepLost


def test_an_error_of_a_later_version_keeps_its_words() -> None:
    with pytest.raises(CollabError, match="New") as caught:
        decode_answer(ListJobs(ROOM), b'{"code":"of_tomorrow","message":"New.","field":null}')
    assert type(caught.value) is CollabError


@pytest.mark.parametrize(
    "data",
    [b"", b"[", b"3", b"{}", b'["Cancel",{}]', b'{"result":[1]}', b'{"code":1,"message":2,"field":3}', b"\xff"],
)
def test_what_is_neither_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_question(data)
    with pytest.raises(MalformedMessage):
        decode_answer(ListJobs(ROOM), data)

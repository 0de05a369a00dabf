from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from collab.errors import CollabError, Conflict, HourlyLimit, InvalidPath, StoreUnavailable, TooManyJobs
from generation.errors import ModelUnavailable, StaleEpoch
from server.errors import Refused, answer, failure_of
from server.messages.stream import GenerateRequest


def kinds(base: type[CollabError]) -> list[type[CollabError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in kinds(child))]


@pytest.mark.parametrize("kind", kinds(CollabError))
def test_every_error_of_the_core_has_its_row(kind: type[CollabError]) -> None:
    failure = failure_of(kind("What is wrong.", field="path"))
    assert (failure.status, failure.close, failure.code) == (kind.status, kind.close, kind.code)
    assert (failure.message, failure.field) == ("What is wrong.", "path")


def test_an_answer_has_the_form_of_errors() -> None:
    response = answer(failure_of(InvalidPath("Wrong.", field="path")))
    assert response.status_code == 400
    assert json.loads(bytes(response.body)) == {
        "error": {"code": "invalid_path", "message": "Wrong.", "field": "path"}
    }


def test_a_store_that_may_recover_says_when_to_come_back() -> None:
    assert answer(failure_of(StoreUnavailable("Full."))).headers["retry-after"] == "5"
    assert "retry-after" not in answer(failure_of(Conflict("Changed."))).headers


def test_a_bound_of_an_hour_says_when_to_come_back() -> None:
    response = answer(failure_of(HourlyLimit("Too much.", retry_after=61.2)))
    assert (response.status_code, response.headers["retry-after"]) == (429, "62")
    assert "retry-after" not in answer(failure_of(TooManyJobs("Too many."))).headers


def test_errors_of_the_work_of_a_job_are_told_in_their_words() -> None:
    broken = failure_of(ModelUnavailable("The model cannot be reached; check base_url."))
    assert (broken.status, broken.code) == (502, "generation_failed")
    assert broken.message == "The model cannot be reached; check base_url."
    assert failure_of(StaleEpoch("The job was cancelled.")).status == 409


def test_what_nobody_foresaw_tells_no_details() -> None:
    failure = failure_of(RuntimeError("the secret part"))
    assert (failure.status, failure.close, failure.code) == (500, 1011, "internal_error")
    assert "secret" not in failure.message


def test_a_refusal_and_an_http_exception_keep_their_status() -> None:
    assert failure_of(Refused(412, "conflict", "Stale.")).status == 412
    assert failure_of(HTTPException(404)).code == "not_found"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ("{}", "room", "is missing; add it"),
        ('{"room":"a","prompt":"b","promt":1}', "promt", "correct its name"),
        ('{"room":"a","prompt":3}', "prompt", "is wrong"),
        ("[1]", None, "."),
        ("{", None, "no valid JSON"),
    ],
)
def test_wrong_input_is_told_by_field_and_remedy(body: str, field: str | None, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GenerateRequest.model_validate_json(body)
    failure = failure_of(caught.value)
    assert (failure.status, failure.field) == (400, field)
    assert words in failure.message

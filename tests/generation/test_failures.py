from __future__ import annotations

import pytest

from collab.errors import HourlyLimit, NotFound, StoreCorrupt, StoreUnavailable
from generation.errors import (
    AnswerCut,
    ContentRefused,
    ContextOverflow,
    GenerationError,
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    ParserLimit,
    StreamBroken,
)
from generation.failures import code_of, severity_of


@pytest.mark.parametrize(
    ("error", "code", "severity"),
    [
        (ModelUnavailable("x"), "model_unavailable", "warning"),
        (ModelRateLimited("x"), "rate_limited", "warning"),
        (ModelRefused("x"), "model_refused", "error"),
        (StreamBroken("x"), "stream_broken", "warning"),
        (ModelError("x"), "model_failed", "error"),
        (ParserLimit("x"), "answer_too_large", "warning"),
        (GenerationError("x"), "failed", "warning"),
        (ContentRefused("x"), "content_filter", "notice"),
        (ContextOverflow("x"), "context_overflow", "notice"),
        (AnswerCut("x"), "answer_too_long", "warning"),
        (HourlyLimit("x"), "hourly_limit", "notice"),
        (NotFound("x"), "not_found", "notice"),
        (StoreUnavailable("x"), "store_unavailable", "warning"),
        (StoreCorrupt("x"), "store_corrupt", "error"),
        (RuntimeError("x"), "internal_error", "error"),
    ],
)
def test_an_error_has_a_code_and_is_as_bad_as_it_is(error: Exception, code: str, severity: str) -> None:
    assert (code_of(error), severity_of(error)) == (code, severity)

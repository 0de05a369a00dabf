from __future__ import annotations

import pytest

from collab.redaction import redacted


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Incorrect API key provided: sk-proj-abc123def", "Incorrect API key provided: sk-***"),
        ("Authorization: Bearer abc.def", "Authorization: *** ***"),
        ("at https://ann:secret@host/v1?key=1", "at https://***@host/v1?***"),
        ("api_key='abcdef' was refused", "api_key='***' was refused"),
        ("The answer used 12 tokens.", "The answer used 12 tokens."),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, clean: str) -> None:
    assert redacted(text) == clean


def test_known_secrets_are_taken_out() -> None:
    assert redacted("it said hunter22 twice, hunter22", ["hunter22"]) == "it said *** twice, ***"

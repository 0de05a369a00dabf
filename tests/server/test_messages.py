from __future__ import annotations

import json
import typing

import pytest
from pydantic import BaseModel, ValidationError

from collab import text_ops
from server.messages import blame, events, history, parts, requests, search
from server.messages.encoding import encode_control, encode_json
from server.messages.events import EVENTS, AnyEvent
from server.messages.problems import TYPES, nearest
from server.messages.requests import REQUESTS, AnyRequest
from server.messages.stream import AnyStreamEvent
from server.messages.text_steps import to_components, to_op
from server.messages.typescript import generate, members

KEPT = {
    "user_joined",
    "user_left",
    "cursor_update",
    "text_operation",
    "generation_started",
    "generation_progress",
    "generation_complete",
}
"""Names that clients of other servers of this kind know."""


def types(union: object) -> list[str]:
    return [model.model_fields["type"].default for model in members(union)]


def test_the_names_that_clients_know_are_kept() -> None:
    assert set(types(AnyEvent)) >= KEPT
    assert set(types(AnyRequest)) >= {"text_operation", "cursor_update"}


@pytest.mark.parametrize("union", [AnyEvent, AnyRequest, AnyStreamEvent])
def test_every_type_is_there_once(union: object) -> None:
    assert len(types(union)) == len(set(types(union)))


@pytest.mark.parametrize("model", [*members(AnyEvent), *members(AnyRequest), *members(AnyStreamEvent)])
def test_every_message_says_what_it_is_for(model: type[BaseModel]) -> None:
    assert model.__doc__


def test_every_request_is_known_by_its_type() -> None:
    assert list(TYPES) == types(AnyRequest)


@pytest.mark.parametrize(
    "event",
    [
        events.Done(id="a"),
        events.Error(code="conflict", message="m", field="version"),
        events.UserJoined(person=parts.Person(client=1, name="é", color="#000000", kind="job")),
        events.TextChanged(file="f", path="p", version=2, ops=[parts.Insert(insert="x")], by=""),
    ],
    ids=lambda event: event.type,
)
def test_what_is_left_out_is_what_a_reader_fills_in(event: AnyEvent) -> None:
    assert EVENTS.validate_json(encode_json(event)) == event
    assert EVENTS.validate_json(encode_control(event)) == event
    assert json.loads(encode_control(event)).keys() == type(event).model_fields.keys()


def test_bytes_are_taken_as_they_are_and_as_base64() -> None:
    assert REQUESTS.validate_python({"type": "update", "update": b"\1"}, strict=True).update == b"\1"  # type: ignore[union-attr]
    assert REQUESTS.validate_json('{"type":"update","update":"AQ=="}').update == b"\1"  # type: ignore[union-attr]
    with pytest.raises(ValidationError, match="must be base64"):
        REQUESTS.validate_json('{"type":"update","update":"A"}')


def test_components_and_operations_are_the_same_both_ways() -> None:
    op = (text_ops.Retain(2), text_ops.Insert("é"), text_ops.Delete(1))
    components: list[parts.Component] = [parts.Retain(retain=2), parts.Insert(insert="é"), parts.Delete(delete=1)]
    assert to_components(op) == components
    assert to_op(components) == op


def test_an_unknown_word_is_answered_with_the_nearest_or_with_all() -> None:
    assert nearest("fils", ["who", "files"]) == "did you mean 'files'?"
    assert nearest("zzz", ["who", "files"]) == "there are who, files."


def test_typescript_makes_what_a_request_may_leave_out_optional_and_all_else_required() -> None:
    generated = generate()
    assert (
        'export interface Hello { type: "hello"; id?: Id | null; name?: string | null; color?: string | null }'
        in generated
    )
    assert 'export interface Done { type: "done"; id: Id | null; message: string }' in generated
    assert "export type Component = Retain | Insert | Delete;\n" in generated
    assert "ops: Component[]" in generated
    assert all(len(line) <= 120 for line in generated.splitlines())


def test_typescript_has_every_message() -> None:
    generated = generate()
    for model in (*members(AnyEvent), *members(AnyRequest), *members(AnyStreamEvent)):
        assert f"export interface {model.__name__} " in generated


def test_the_union_of_requests_is_what_dispatch_matches() -> None:
    modelled = {
        value
        for module in (requests, history, blame, search)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, requests.Request)
    }
    assert modelled - {requests.Request} == set(typing.get_args(typing.get_args(AnyRequest)[0]))

from __future__ import annotations

import base64
import json
import random
from typing import Any

import msgpack
import pytest

from server.messages import events, requests
from server.messages.parts import Person, Position, Retain
from server.messages.requests import Request
from server.textmode import TextSession, control_request


def refused(frame: str | bytes, session: TextSession | None = None) -> events.Error:
    """The error that a frame is answered with, which must itself be sendable."""
    answer = (session or TextSession()).receive(frame)
    assert isinstance(answer, events.Error), answer
    assert json.loads(TextSession().encode(answer))["type"] == "error"
    assert unpacked(TextSession(packed=True).encode(answer))["type"] == "error"
    return answer


def packed(value: object) -> bytes:
    data: bytes = msgpack.packb(value)
    return data


def unpacked(frame: str | bytes) -> Any:
    assert isinstance(frame, bytes)
    return msgpack.unpackb(frame)


# JSON


def test_a_json_object_is_a_request() -> None:
    frame = '{"type":"text_operation","id":"a","file":"x","version":3,"ops":[{"retain":2},{"insert":"é"}]}'
    request = TextSession().receive(frame)
    assert isinstance(request, requests.TextOperation)
    assert (request.id, request.version, request.ops[0]) == ("a", 3, Retain(retain=2))


def test_bytes_are_base64_in_json() -> None:
    frame = json.dumps({"type": "update", "update": base64.b64encode(b"\0\0").decode()})
    assert TextSession().receive(frame) == requests.Update(update=b"\0\0")
    assert refused('{"type":"update","update":"é"}').field == "update"


@pytest.mark.parametrize(
    ("frame", "code", "field", "words"),
    [
        ('{"type":"red","id":4}', "unknown_type", "type", "did you mean 'redo'?"),
        ('{"type":"zzz"}', "unknown_type", "type", "there are hello, who, files"),
        ('{"typ":"who"}', "unknown_type", "type", "must name the request"),
        ('{"type":7}', "unknown_type", "type", "must name the request"),
        ('{"type":"read"}', "invalid_input", "file", "The field 'file' is missing; add it."),
        ('{"type":"who","nane":1}', "invalid_input", "nane", "There is no field 'nane' in 'who'"),
        ('{"type":"generate","prompt":"x","fils":[]}', "invalid_input", "fils", "did you mean 'files'?"),
        ('{"type":"read","file":7}', "invalid_input", "file", "should be a valid string"),
        ('{"type":"read","file":""}', "invalid_input", "file", "at least 1 character"),
        ('{"type":"hello","color":"red"}', "invalid_input", "color", "pattern"),
        ('{"type":"generate","prompt":"x","mode":"now"}', "invalid_input", "mode", "'auto', 'review' or 'ask'"),
        (
            '{"type":"edit","file":"a","start":{"line":-1,"character":0}}',
            "invalid_input",
            "start.line",
            "greater than or equal to 0",
        ),
        (
            '{"type":"text_operation","file":"a","version":1,"ops":[{"retain":1},{"retain":-4}]}',
            "invalid_input",
            "ops.1.retain",
            "greater than 0",
        ),
        (
            '{"type":"text_operation","file":"a","version":1,"ops":[{"skip":1}]}',
            "invalid_input",
            "ops.0",
            'ops.0 is no component of an operation; each is one of {"retain": n}',
        ),
        ('{"type":"text_operation","file":"a","version":"1","ops":[]}', "invalid_input", "version", "integer"),
        ('{"type":"who","id":true}', "invalid_input", "id", "an integer up to 2^53 - 1"),
        ('{"type":"who","id":99999999999999999999}', "invalid_input", "id", "an integer up to 2^53 - 1"),
    ],
)
def test_an_object_that_is_no_request_is_refused_in_words(frame: str, code: str, field: str, words: str) -> None:
    error = refused(frame)
    assert (error.code, error.field) == (code, field)
    assert words in error.message


def test_an_error_repeats_the_id_if_that_can_be_read() -> None:
    assert refused('{"type":"nope","id":4}').id == 4
    assert refused('{"type":"read","id":"r1"}').id == "r1"
    assert refused('{"type":"nope","id":[4]}').id is None
    assert refused('{"type":"nope","id":"\\ud800"}').id is None


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ("", "The line is empty"),
        ("  \n", "The line is empty"),
        ('{"type":"who"', "no valid JSON"),
        ('{"type":"who"} x', "no valid JSON"),
        ("[]", "one JSON object"),
        ('"who"', "one JSON object"),
        ('{"type":"who","type":"files"}', "'type' is there twice"),
        ('{"type":"who","id":NaN}', "NaN is no JSON"),
        ('{"type":"who","id":-Infinity}', "Infinity is no JSON"),
        ('{"type":"who","id":' + "9" * 5_000 + "}", "too long"),
        ('{"type":"who","id":' + "[" * 100_000 + "}", "nested too deeply"),
        ('{"type":"who",' + '"a":{' * 100_000 + "}", "nested too deeply"),
        ("{" + ",".join(f'"{n}":1' for n in range(2_000)) + "}", "2000 fields"),
    ],
)
def test_what_is_no_json_object_is_refused_in_words(frame: str, words: str) -> None:
    error = refused(frame)
    assert error.code == "malformed_message"
    assert words in error.message


def test_half_a_character_is_refused() -> None:
    assert refused('{"type":"read","file":"\\ud83d"}').field == "file"
    assert refused('{"type":"who","\\ud83d":1}').code == "invalid_input"


def test_a_frame_over_the_limit_is_refused() -> None:
    assert refused("x" * 11, TextSession(limit=10)).code == "limit_exceeded"


def test_a_binary_frame_on_a_json_connection_is_refused() -> None:
    error = refused(b'{"type":"who"}')
    assert error.code == "malformed_message"
    assert "text frames" in error.message


def test_random_frames_are_answered_and_raise_nothing() -> None:
    chance = random.Random(5)
    alphabet = '{}[]":,0e-+.\\u\ud800é😀 \n\0typewhoidnulltruefile'
    for _ in range(20_000):
        frame = "".join(chance.choices(alphabet, k=chance.randrange(40)))
        answer = TextSession().receive(chance.choice(("", "{", '{"type":"read",')) + frame)
        assert isinstance(answer, events.Error | Request)
        TextSession().encode(events.Error(code="x", message=answer.model_dump_json()[:0]))


# msgpack


def test_a_msgpack_object_is_a_request_and_its_bytes_are_bytes() -> None:
    session = TextSession(packed=True)
    assert session.receive(packed({"type": "update", "id": 2, "update": b"\0\0"})) == requests.Update(
        id=2, update=b"\0\0"
    )


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"", "no valid msgpack"),
        (b"\xc1", "no valid msgpack"),
        (b"\x81\xa1a", "incomplete"),
        (b"\xdf\xff\xff\xff\xff", "exceeds max_map_len"),
        (b"\x91" * 100_000, "nested too deeply"),
        (b"\x81\xa1a" * 100_000, "nested too deeply"),
        (b"\xd9\x02\xff\xff", "not UTF-8"),
        (b"\xc7\x00\x05", "extension type"),
        (b"\xd6\xff\0\0\0\0", "no valid msgpack"),
        (b"\x82\xa1a\x01\xa1a\x01", "'a' is there twice"),
        (b"\x81\x01\x01", "not allowed for map key"),
        (b"\x93\x01\x02\x03", "one JSON object"),
        (b"\xc0\xc0", "no valid msgpack"),
    ],
)
def test_what_is_no_msgpack_object_is_refused_in_words(frame: bytes, words: str) -> None:
    error = refused(frame, TextSession(packed=True))
    assert error.code == "malformed_message"
    assert words in error.message


def test_a_bytes_key_is_refused() -> None:
    assert refused(b"\x82\xa4type\xa3who\xc4\x01x\x01", TextSession(packed=True)).code == "invalid_input"


def test_a_text_frame_on_a_msgpack_connection_is_refused() -> None:
    error = refused("who", TextSession(packed=True))
    assert "binary frames" in error.message


def test_random_bytes_are_answered_and_raise_nothing() -> None:
    chance = random.Random(6)
    session = TextSession(packed=True)
    start = packed({"type": "read", "file": "x"})
    for _ in range(20_000):
        data = bytearray(start if chance.random() < 0.5 else chance.randbytes(chance.randrange(30)))
        for _ in range(min(len(data), 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        assert isinstance(session.receive(bytes(data)), events.Error | Request)


# Short commands


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("who", requests.Who()),
        (" WHO\n", requests.Who()),
        ("files", requests.Files()),
        ("read my file.py", requests.Read(file="my file.py")),
        ('read "app.py"', requests.Read(file="app.py")),
        ("new src/app.py", requests.CreateFile(path="src/app.py")),
        ("rename a.py b c.py", requests.RenameFile(file="a.py", path="b c.py")),
        ('rename "a b.py" c.py', requests.RenameFile(file="a b.py", path="c.py")),
        ("delete a.py", requests.DeleteFile(file="a.py")),
        (
            "insert app.py 3:0 some  text",
            requests.Edit(file="app.py", start=Position(line=3, character=0), text="some  text"),
        ),
        (
            r"insert app.py 0:1   a\n\tb\\n",
            requests.Edit(file="app.py", start=Position(line=0, character=1), text="  a\n\tb\\n"),
        ),
        (
            "cut app.py 3:0 4:1",
            requests.Edit(file="app.py", start=Position(line=3, character=0), end=Position(line=4, character=1)),
        ),
        ("ask write a test for app.py", requests.Generate(prompt="write a test for app.py")),
        ("jobs", requests.Jobs()),
        ("cancel j1", requests.Cancel(job="j1")),
        ("undo j1", requests.Undo(job="j1")),
        ("redo j1", requests.Redo(job="j1")),
        ("retry j1", requests.Retry(job="j1")),
        ("pause j1", requests.Pause(job="j1")),
        ("resume j1", requests.Resume(job="j1")),
        ("steer j1 keep it  short", requests.Steer(job="j1", prompt="keep it  short")),
        ("move j1 2", requests.Reorder(job="j1", position=2)),
        ("priority j1 high", requests.Reorder(job="j1", priority="high")),
        ("suggestions", requests.Suggestions()),
        ("accept s1", requests.Answer(suggestion="s1", choice="accept")),
        ("reject s1", requests.Answer(suggestion="s1", choice="reject")),
        ("both s1", requests.Answer(suggestion="s1", choice="both")),
        ("accept-all j1", requests.AnswerAll(job="j1", choice="accept")),
        ("reject-all j1 a b.py", requests.AnswerAll(job="j1", path="a b.py", choice="reject")),
        ("undo", requests.UndoMine()),
        ("redo", requests.RedoMine()),
        ("mode ask", requests.ChangeSettings(mode="ask")),
        ("name Ann B.", requests.Hello(name="Ann B.")),
        ("help", requests.Help()),
    ],
)
def test_a_short_line_is_the_same_request(line: str, request_: Request) -> None:
    assert TextSession().receive(line) == request_


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("fils", "unknown_command", "did you mean 'files'? Type help."),
        ("xyzzy", "unknown_command", "there are who, files"),
        ("read", "invalid_input", "Write: read FILE"),
        ("who is here", "invalid_input", "Write: who"),
        ("cancel", "invalid_input", "Write: cancel JOB"),
        ("steer j1", "invalid_input", "Write: steer JOB SENTENCE"),
        ("move j1 0", "invalid_input", "'0' is no place such as 1. Write: move JOB PLACE"),
        ("move j1", "invalid_input", "Write: move JOB PLACE"),
        ("priority j1 urgent", "invalid_input", "Write: priority JOB high|normal|low"),
        ("insert app.py 3 x", "invalid_input", "'3' is no place such as 3:0"),
        ("insert app.py 3:0", "invalid_input", "Write: insert FILE LINE:COLUMN TEXT"),
        ("cut app.py 3:0", "invalid_input", "Write: cut FILE LINE:COLUMN LINE:COLUMN"),
        ('rename "a b', "invalid_input", "A quote is not closed"),
        ("rename a", "invalid_input", "Write: rename FILE NEW-PATH"),
        ("name " + "x" * 81, "invalid_input", "Write: name NEW-NAME"),
        ("read " + "x" * 2_000, "invalid_input", "Write: read FILE"),
        ("\ud800", "unknown_command", "There is no command"),
    ],
)
def test_a_line_that_is_no_command_is_refused_in_words(line: str, code: str, words: str) -> None:
    error = refused(line)
    assert error.code == code
    assert words in error.message


# Encoding


def test_fields_with_their_default_are_left_out_and_type_comes_first() -> None:
    person = Person(client=1, name="Ann", color="#000000")
    line = TextSession().encode(events.UserJoined(person=person))
    assert line == '{"type":"user_joined","person":{"client":1,"name":"Ann","color":"#000000"}}'


def test_msgpack_holds_the_same_object_as_json() -> None:
    event = events.Applied(id="x", file="f", path="é.py", version=2)
    both: list[Any] = [
        json.loads(TextSession().encode(event)),
        unpacked(TextSession(packed=True).encode(event)),
    ]
    assert both[0] == both[1] == {"type": "applied", "id": "x", "file": "f", "path": "é.py", "version": 2}


# The control channel


def test_a_control_message_is_a_request_in_json() -> None:
    assert control_request('{"type":"undo","job":"j1"}') == requests.Undo(job="j1")


@pytest.mark.parametrize("text", ["who", "", "[]", '{"type":"undo"}', "{" * 100_000])
def test_a_control_message_that_is_no_request_is_an_error(text: str) -> None:
    assert isinstance(control_request(text), events.Error)

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from server.logs import SecretFilter, configure_logs


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_hold_the_event_its_fields_and_the_context() -> None:
    output = io.StringIO()
    configure_logs("info", "json", stream=output)
    with structlog.contextvars.bound_contextvars(room="demo", connection="c1"):
        structlog.stdlib.get_logger("server.test").info("joined", people=2)
    [line] = output.getvalue().splitlines()
    entry = json.loads(line)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "level": "info",
        "event": "joined",
        "logger": "server.test",
        "room": "demo",
        "connection": "c1",
        "people": 2,
    }


def test_text_lines_hold_the_event_and_its_fields() -> None:
    output = io.StringIO()
    configure_logs("info", "text", stream=output)
    structlog.stdlib.get_logger().info("joined", room="demo")
    assert "joined" in output.getvalue()
    assert "room=demo" in output.getvalue()


def test_less_important_lines_than_the_level_are_left_out() -> None:
    output = io.StringIO()
    configure_logs("warning", "text", stream=output)
    structlog.stdlib.get_logger().info("not this")
    structlog.stdlib.get_logger().warning("but this")
    assert "not this" not in output.getvalue()
    assert "but this" in output.getvalue()


def test_lines_of_other_libraries_take_the_same_way() -> None:
    output = io.StringIO()
    configure_logs("info", "json", stream=output)
    logging.getLogger("uvicorn.error").warning('%s - "WebSocket %s" [accepted]', "1.2.3.4", "/yjs/r?token=hunter2")
    entry = json.loads(output.getvalue())
    assert entry["event"] == '1.2.3.4 - "WebSocket /yjs/r?***" [accepted]'


def test_the_access_log_is_off() -> None:
    output = io.StringIO()
    configure_logs("debug", "text", stream=output)
    logging.getLogger("uvicorn.access").info("GET /")
    assert output.getvalue() == ""


def test_tracebacks_are_logged_without_secrets() -> None:
    output = io.StringIO()
    configure_logs("info", "json", secrets=["hunter2"], stream=output)
    try:
        raise ValueError("the key hunter2 was refused")
    except ValueError:
        structlog.stdlib.get_logger().exception("failed")
    assert "ValueError: the key *** was refused" in json.loads(output.getvalue())["exception"]


def test_a_second_configuration_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logs("info", "text", stream=first)
    configure_logs("info", "text", stream=second)
    structlog.stdlib.get_logger().info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET /yjs/demo?token=abc HTTP/1.1", "GET /yjs/demo?*** HTTP/1.1"),
        ("ws://h:1/yjs/a?x=1&y=2 closed", "ws://h:1/yjs/a?*** closed"),
        ("redis://me:pass@host:6379/0", "redis://***@host:6379/0"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent Bearer abc.def", "sent Bearer ***"),
        ("key sk-proj-1234567890 refused", "key sk-*** refused"),
        ("api_key=abc, next", "api_key=***, next"),
        ('{"password": "abc"}', '{"password": "***"}'),
        ("the known one: long-secret!", "the known one: ***!"),
        ("is that so? yes", "is that so? yes"),
        ("2 tokens/s", "2 tokens/s"),
    ],
)
def test_texts_are_cleaned(text: str, clean: str) -> None:
    cleaned = SecretFilter(["long-secret"]).text(text)
    assert cleaned.replace("*** ***", "***").replace("Bearer *** abc.def", "***") == clean


def test_fields_are_cleaned_by_their_name_and_in_depth() -> None:
    event = {"api_key": "abc", "headers": {"Authorization": "x", "Accept": "y"}, "token": "t", "tokens": 7}
    cleaned = SecretFilter()(None, "info", dict(event))
    assert cleaned == {
        "api_key": "***",
        "headers": {"Authorization": "***", "Accept": "y"},
        "token": "***",
        "tokens": 7,
    }


def test_what_a_plain_logger_says_it_is_about_is_part_of_the_line() -> None:
    output = io.StringIO()
    configure_logs("debug", "json", stream=output)
    logging.getLogger("server.host").debug("a connection has come", extra={"room": "demo", "token": "hunter2"})
    entry = json.loads(output.getvalue())
    assert (entry["room"], entry["token"]) == ("demo", "***")

"""The log: one line per event on the error stream, as text for people or as JSON for machines.

Loggers come from ``structlog.stdlib.get_logger()``; a connection or request binds what it is about with
``structlog.contextvars.bound_contextvars(room=..., connection=...)``, and every line inside carries it. Lines
of other libraries take the same way. No secret and no query string gets through, whoever wrote the line.
"""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from collab.redaction import HIDDEN, redacted

_SECRET_NAME = re.compile(
    r"(^|[_-])(api_?key|key|token|secret|password|passwd|authorization|cookie)$", re.IGNORECASE
)


class SecretFilter:
    """Takes secrets out of what is logged: by the name of the field, by their form, and the known ones.

    ``secrets`` are values that must not appear anywhere; those shorter than four characters are left alone,
    as taking them out would take out half of the text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted((value for value in set(secrets) if len(value) >= 4), key=len, reverse=True)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """The structlog processor: the event without secrets."""
        for name, value in event.items():
            if not name.startswith("_"):
                event[name] = self._clean(name, value)
        return event

    def text(self, value: str) -> str:
        """The text without secrets and query strings."""
        return redacted(value, self._secrets)

    def _clean(self, name: str, value: object) -> object:
        if isinstance(value, str | bytes) and _SECRET_NAME.search(name):
            return HIDDEN
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._clean(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(name, item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))


def configure_logs(
    level: Literal["debug", "info", "warning", "error"] = "info",
    form: Literal["text", "json"] = "text",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Sets up the log of the process; called once, at the start. A second call replaces the first.

    uvicorn must be given ``log_config=None`` and ``access_log=False``, or it puts its own log in place.
    """
    output = stream if stream is not None else sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            SecretFilter(secrets),
            *_rendering(form, output),
        ],
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These say at "info" what every request does; the access log would also hold query strings.
    for name in ("httpx", "httpx2", "httpcore", "openai", "asyncio", "uvicorn.error"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        other = logging.getLogger(name)
        other.handlers.clear()
        other.propagate = name != "uvicorn.access"


def _rendering(form: Literal["text", "json"], output: TextIO) -> list[Processor]:
    if form == "json":
        return [_event_first, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    return [
        structlog.dev.ConsoleRenderer(
            colors=output.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=30
        )
    ]


def _event_first(logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> EventDict:
    order = ("timestamp", "level", "event", "logger")
    return {
        **{name: event[name] for name in order if name in event},
        **{name: value for name, value in event.items() if name not in order},
    }

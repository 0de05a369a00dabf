"""Versions of files over HTTP, and the preconditions that name them (RFC 9110, section 13)."""

from __future__ import annotations

from starlette.requests import Request

from server.door.texts import version_of
from server.errors import Refused

__all__ = ["check_write", "etag_of", "named_versions", "tags", "unchanged_for", "version_of"]


def etag_of(text: str) -> str:
    """The version in quotes, as the ETag header has it."""
    return f'"{version_of(text)}"'


def tags(header: str) -> set[str]:
    """The entity tags of a header, with their quotes; weak ones keep their ``W/``."""
    return {tag.strip() for tag in header.split(",") if tag.strip()}


def unchanged_for(request: Request, etag: str) -> bool:
    """Whether If-None-Match says that the asker has this version already."""
    given = tags(request.headers.get("if-none-match", ""))
    return "*" in given or etag in {tag.removeprefix("W/") for tag in given}


def named_versions(request: Request) -> list[str]:
    """The versions that If-Match names."""
    return [tag.strip('"') for tag in sorted(tags(request.headers.get("if-match", ""))) if tag != "*"]


def check_write(request: Request, path: str, text: str | None) -> None:
    """Whether a write to a file with this text (None: there is no such file) may go on.

    Raises Refused: 428 for a change of a file without If-Match, 412 for one that names another version.
    """
    if_match = request.headers.get("if-match")
    if_none_match = request.headers.get("if-none-match")
    if if_none_match is not None and text is not None and unchanged_for(request, etag_of(text)):
        raise Refused(
            412,
            "conflict",
            f"There is a file {path!r} already, and nothing was written. To replace it, read it and send its "
            "ETag as If-Match.",
            field="if-none-match",
        )
    if if_match is None:
        if text is not None:
            raise Refused(
                428,
                "precondition_required",
                f"There is a file {path!r}. Read it, and send its ETag as If-Match, so that nobody's changes "
                "are lost; If-Match: * takes any version.",
                field="if-match",
            )
        return
    given = tags(if_match)
    if text is None:
        raise Refused(
            412,
            "conflict",
            f"There is no file {path!r}, and nothing was written. To create it, leave out If-Match.",
            field="if-match",
        )
    if "*" not in given and etag_of(text) not in given:
        raise Refused(
            412,
            "conflict",
            f"The file {path!r} has changed since that version, and nothing was written. Read it again, put "
            "your changes into it, and send its new ETag as If-Match.",
            field="if-match",
            headers={"ETag": etag_of(text)},
        )

"""Requests that read and change the files and settings of a room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from collab.editor import Editor
from collab.errors import Conflict, InvalidOperation, LimitExceeded, MalformedUpdate
from collab.ids import FileId, FilePath, file_path
from collab.limits import Limits
from collab.listing import File
from collab.offsets import LineColumn, from_line_column, utf8_length
from collab.text_ops import Splice, splices
from collab.wire import anchor_json
from server.caller import Caller
from server.dispatch_room import Room, origin_of, presence_state
from server.messages import requests
from server.messages.events import Applied, Done, FileContent, Reply
from server.messages.parts import FileInfo, Position
from server.messages.text_steps import to_op

MOST_MOVED: Final = 200_000_000
"""Characters that one operation may have the document move: pycrdt moves what stands after each change."""


def change_settings(
    host: Room, caller: Caller, title: str | None, instructions: str | None, mode: str | None
) -> None:
    """Sets the room's settings that are given."""
    given = {"title": title, "instructions": instructions, "mode": mode}

    def change(editor: Editor) -> None:
        for name, value in given.items():
            if value is not None:
                editor.setting(name, value)

    host.change(change, origin_of(caller))


def create(
    host: Room, caller: Caller, request: requests.CreateFile, limits: Limits, new_file: Callable[[], FileId]
) -> Applied:
    """Creates a file. Raises InvalidPath, Conflict, LimitExceeded."""
    path = file_path(request.path)
    size = utf8_length(request.text)
    if size > limits.file_bytes:
        raise LimitExceeded(f"The text has {size} bytes; at most {limits.file_bytes} are allowed.", field="text")
    file = new_file()

    def make(editor: Editor) -> None:
        listing = host.document.listing()
        if len(listing.files) >= limits.files:
            raise LimitExceeded(f"The room has {len(listing.files)} files, and no more are allowed.")
        _check_free(host, path)
        editor.create(file, path, request.text)

    host.change(make, origin_of(caller))
    return _applied(host, file, request.id)


def read(host: Room, request: requests.Read) -> FileContent:
    """The text of a file. Raises NotFound."""
    file = host.document.file(request.file)
    return FileContent(
        id=request.id,
        file=file.id,
        path=file.shown,
        version=host.versions.version(file.id),
        text=host.versions.text(file.id),
    )


def operate(host: Room, caller: Caller, request: requests.TextOperation) -> Applied:
    """Transforms an operation over what came since its version, and applies it.

    Raises NotFound, InvalidOperation.
    """
    op = to_op(request.ops)
    texts = host.versions

    # Inside, because edits that have just come in are applied before the transaction begins.
    def change(editor: Editor) -> FileId:
        file = host.document.file(request.file).id
        now = texts.rebase(file, request.version, op)
        text = texts.text(file)
        _splice(editor, file, text, splices(now, text))
        return file

    file, _ = host.change(change, origin_of(caller))
    return _applied(host, file, request.id)


def edit(host: Room, caller: Caller, request: requests.Edit) -> Applied:
    """Replaces what stands between two places. Raises NotFound, InvalidOperation."""
    texts = host.versions

    def change(editor: Editor) -> FileId:
        file = host.document.file(request.file).id
        text = texts.text(file)
        start = _index(text, request.start, "start")
        end = start if request.end is None else _index(text, request.end, "end")
        if end < start:
            raise InvalidOperation("The end is before the start; exchange them.", field="end")
        _splice(editor, file, text, [(start, end, request.text)])
        return file

    file, _ = host.change(change, origin_of(caller))
    return _applied(host, file, request.id)


def _splice(editor: Editor, file: FileId, text: str, changes: list[Splice]) -> None:
    if len(changes) * len(text) > MOST_MOVED:
        raise LimitExceeded(
            f"The operation makes {len(changes)} changes in a text of {len(text)} characters; send it in "
            f"pieces of at most {MOST_MOVED // len(text)} changes.",
            field="ops",
        )
    editor.splices(file, changes)


def rename(host: Room, caller: Caller, request: requests.RenameFile) -> Applied:
    """Gives a file another path. Raises NotFound, InvalidPath, Conflict."""
    path = file_path(request.path)

    def change(editor: Editor) -> FileId:
        file = host.document.file(request.file)
        if file.shown != path:
            _check_free(host, path)
            editor.rename(file.id, path)
        return file.id

    file, _ = host.change(change, origin_of(caller))
    return _applied(host, file, request.id)


def delete(host: Room, caller: Caller, request: requests.DeleteFile) -> Applied:
    """Deletes a file. Raises NotFound."""

    def change(editor: Editor) -> File:
        file = host.document.file(request.file)
        editor.delete(file.id)
        return file

    file, _ = host.change(change, origin_of(caller))
    return Applied(id=request.id, file=file.id, path=file.shown)


def cursor(host: Room, caller: Caller, request: requests.CursorUpdate) -> None:
    """Shows where the asker's cursor is. Raises NotFound, InvalidOperation."""
    if not caller.native:
        raise InvalidOperation("Over this protocol cursors are told by awareness.", field="type")
    file = host.document.file(request.file).id
    text = host.versions.text(file)
    head = _index(text, request.position, "position")
    anchor = head
    if request.selection is not None:
        head = _index(text, request.selection.head, "selection.head")
        anchor = _index(text, request.selection.anchor, "selection.anchor")
    cursor = {
        "anchor": anchor_json(host.document.anchor(file, anchor)),
        "head": anchor_json(host.document.anchor(file, head)),
    }
    host.set_presence(caller.client, presence_state(caller, file, cursor))


def update(host: Room, caller: Caller, request: requests.Update) -> Reply:
    """Applies a raw update. Raises MalformedUpdate, LimitExceeded."""
    try:
        fits = host.receive(caller.connection, request.update)
    except MalformedUpdate as error:
        raise MalformedUpdate(error.message, field="update") from None
    if fits:
        return Applied(id=request.id)
    return Done(
        id=request.id,
        message="The update is kept, but needs edits that the server does not have; it shows once they are sent.",
    )


def file_list(host: Room) -> list[FileInfo]:
    """The files by path."""
    texts = host.versions
    files = sorted(host.document.listing().files.values(), key=lambda file: file.shown)
    return [
        FileInfo(file=f.id, path=f.shown, version=texts.version(f.id), length=texts.length(f.id)) for f in files
    ]


def _applied(host: Room, file: FileId, answer_to: str | int | None) -> Applied:
    shown = host.document.listing().files[file].shown
    return Applied(id=answer_to, file=file, path=shown, version=host.versions.version(file))


def _check_free(host: Room, path: FilePath) -> None:
    if host.document.listing().by_path(path) is not None:
        raise Conflict(f"There is a file {path!r} already; choose another path.", field="path")


def _index(text: str, place: Position, field: str) -> int:
    try:
        return from_line_column(text, LineColumn(place.line, place.character))
    except InvalidOperation as error:
        raise InvalidOperation(error.message, field=field) from None

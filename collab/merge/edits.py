"""Changes of one text in a fork, noted in a ledger."""

from __future__ import annotations

from collab.delta import Delete, Delta, Insert
from collab.document import Document
from collab.ids import FileId
from collab.ledger import Deleted, Ledger
from collab.merge.aligner import Change
from collab.merge.places import anchor_behind
from collab.offsets import utf16_length
from collab.undo import deleted_ids
from collab.wire import IdRange, claims


def splice(
    fork: Document, file: FileId, changes: list[Change], ledger: Ledger, before: str | None = None
) -> tuple[bytes | None, bytes | None]:
    """Makes the changes (in offsets of the text before) and notes them in the ledger.

    ``before`` is the text before, where the caller knows it. Returns the update, and an anchor behind the last
    text that was inserted, if there is one. Raises as Editor.splices does.
    """
    if before is None:
        before = fork.text(file)
    _, applied = fork.edit(lambda editor: editor.splices(file, changes))
    if applied.update is None:
        return None, None
    behind = None
    written = claims(applied.update)
    clock = written[1] if written is not None else 0
    # Editor.splices works from the end of the text to its start, and each insert takes the next clocks.
    for _, _, text in sorted(changes, reverse=True):
        if text:
            length = utf16_length(text)
            ledger.insert(file, IdRange(fork.client_id, clock, length))
            clock += length
            behind = behind or anchor_behind(fork.client_id, clock - 1)
    gone = "".join(before[start:end] for start, end, _ in sorted(changes))
    if gone:
        ids = tuple(deleted_ids(fork, applied.update))
        ledger.deleted.append(Deleted(file, gone, ids, ids))
    return applied.update, behind


def changed(text: str, changes: list[Change]) -> str:
    """A text after changes, which are in offsets of it and do not overlap."""
    pieces: list[str] = []
    at = 0
    for start, end, insert in sorted(changes):
        pieces += text[at:start], insert
        at = end
    return "".join([*pieces, text[at:]])


def in_code_points(delta: Delta, before: str) -> list[Change]:
    """A delta's steps as changes, in code points of the text before it."""
    data = b"" if before.isascii() else before.encode()
    changes: list[Change] = []
    at = point = 0
    for step in delta:
        if isinstance(step, Insert):
            changes.append((point, point, step.text))
            continue
        length = len(data[at : at + step.length].decode()) if data else step.length
        if isinstance(step, Delete):
            changes.append((point, point + length, ""))
        at += step.length
        point += length
    return changes

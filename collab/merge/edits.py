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
from collab.wire import IdRange, decode_state_vector


def splice(
    fork: Document, file: FileId, changes: list[Change], ledger: Ledger
) -> tuple[bytes | None, bytes | None]:
    """Makes the changes (in offsets of the text before) and notes them in the ledger.

    Returns the update, and an anchor behind the last text that was inserted, if there is one. Raises as
    Editor.splices does.
    """
    before = fork.text(file)
    _, applied = fork.edit(lambda editor: editor.splices(file, changes))
    if applied.update is None:
        return None, None
    behind = None
    clock = decode_state_vector(applied.before).get(fork.client_id, 0)
    # Editor.splices works from the end of the text to its start, and each insert takes the next clocks.
    for _, _, text in sorted(changes, reverse=True):
        if text:
            length = utf16_length(text)
            ledger.insert(file, IdRange(fork.client_id, clock, length))
            clock += length
            behind = behind or anchor_behind(fork.client_id, clock - 1)
    assert clock == decode_state_vector(applied.after).get(fork.client_id, 0)
    gone = "".join(before[start:end] for start, end, _ in sorted(changes))
    if gone:
        ids = tuple(deleted_ids(fork, applied.update))
        ledger.deleted.append(Deleted(file, gone, ids, ids))
    return applied.update, behind


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

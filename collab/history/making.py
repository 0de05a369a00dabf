"""Makes what a version holds: which files have changed, and the differences to what they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collab.history.chain import Fold
from collab.history.delta import difference, encode_delta, encode_text
from collab.history.pack import Entry, Pack
from collab.history.tree import Row, Tree, digest
from collab.ids import FileId

MOST_DEPTH: Final = 50
"""After so many differences a text is kept whole again, so that reading it stays quick."""
_WORTH: Final = 0.5
"""A difference that takes more than so much of the whole text is not worth it."""


@dataclass(frozen=True, slots=True)
class Before:
    """The version before: its list of files, what makes that, and the number of the version which has it."""

    tree: Tree
    fold: Fold
    number: int


def next_tree(
    before: Tree, number: int, paths: Mapping[FileId, str], texts: Mapping[FileId, str]
) -> tuple[Tree, list[FileId]]:
    """The list of files of version ``number``, and the files of whose texts it must hold something.

    ``paths`` are all files of the room, ``texts`` the texts of those that may have changed; the others are as they
    were before. A file whose text is in neither is left out.
    """
    rows: dict[FileId, Row] = {}
    edited: list[FileId] = []
    for file, path in paths.items():
        known = before.rows.get(file)
        text = texts.get(file)
        if text is None:
            if known is not None:
                rows[file] = Row(file, path, known.length, known.digest, known.at)
            continue
        seen = digest(text)
        if known is not None and known.digest == seen:
            rows[file] = Row(file, path, known.length, seen, known.at)
        else:
            rows[file] = Row(file, path, len(text), seen, number)
            edited.append(file)
    return Tree(rows), edited


def changed_files(before: Tree, after: Tree) -> list[FileId]:
    """The files that are in only one of two lists, or have another path or text in the other, by path."""
    files = {row.file for row in before.rows.values()} ^ {row.file for row in after.rows.values()}
    for file, row in after.rows.items():
        known = before.rows.get(file)
        if known is not None and (known.path != row.path or known.digest != row.digest):
            files.add(file)
    return sorted(files, key=lambda file: ((after.rows.get(file) or before.rows[file]).path, file))


def make_pack(
    before: Before | None,
    after: Tree,
    edited: list[FileId],
    texts: Mapping[FileId, str],
    folds: Mapping[FileId, Fold],
) -> Pack:
    """What the version holds. ``folds`` make the texts before of those edited files that were there.

    Takes time in proportion to the edited texts and to the list of files.
    """
    tree = after.to_text()
    if before is None:
        tree_entry = Entry(encode_text(tree))
    else:
        tree_entry = _entry(tree, before.fold, before.number)
    entries = {}
    for file in edited:
        fold = folds.get(file)
        if fold is None or before is None:
            entries[file] = Entry(encode_text(texts[file]))
        else:
            entries[file] = _entry(texts[file], fold, before.tree.rows[file].at)
    return Pack(tree_entry, entries)


def _entry(text: str, under: Fold, before: int) -> Entry:
    if under.depth >= MOST_DEPTH:
        return Entry(encode_text(text))
    delta = encode_delta(difference(under.text(), text))
    if len(delta) > _WORTH * len(text) / 4:
        # Only now is it worth to find out how small the whole text is.
        whole = encode_text(text)
        if len(delta) > _WORTH * len(whole):
            return Entry(whole)
    return Entry(delta, under.depth + 1, before)

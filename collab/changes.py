"""The vocabulary of a changeset: what somebody who worked from an older copy wants to change.

Offsets are code points of the file's text in the base, the state that the author saw.
"""

from __future__ import annotations

from dataclasses import dataclass

from collab.ids import FileId, FilePath


@dataclass(frozen=True, slots=True)
class CreateFile:
    """Adds a file."""

    path: FilePath
    text: str


@dataclass(frozen=True, slots=True)
class EditHunk:
    """Replaces the whole lines of the base from ``start`` to ``end`` with ``text``."""

    file: FileId
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplaceFile:
    """Replaces the whole text of a file."""

    file: FileId
    text: str


@dataclass(frozen=True, slots=True)
class RenameFile:
    """Gives a file another path."""

    file: FileId
    path: FilePath


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Removes a file."""

    file: FileId


Intent = CreateFile | EditHunk | ReplaceFile | RenameFile | DeleteFile

"""Pieces of history as they travel in messages."""

from __future__ import annotations

from collab.history.comparing import FileComparison
from collab.history.tree import Row
from collab.history.version import Version
from server.messages.history import DiffHunk, DiffLine, FileDiff, TouchedFile, VersionFile, VersionInfo


def version_info(version: Version) -> VersionInfo:
    """A version as it travels."""
    return VersionInfo(
        version=version.id,
        number=version.number,
        at_ms=version.at_ms,
        cause=version.cause,
        name=version.name,
        by=version.by,
        job=version.job,
        files=version.files,
        changed=version.changed,
        touched=[TouchedFile(path=one.path, by=list(one.by)) for one in version.touched],
        stored_bytes=version.size,
    )


def version_file(row: Row) -> VersionFile:
    """A file of a version as it travels."""
    return VersionFile(file=row.file, path=row.path, length=row.length, since=row.at)


def file_diff(file: FileComparison) -> FileDiff:
    """A file that differs as it travels."""
    return FileDiff(
        file=file.file,
        path=file.path,
        kind=file.kind,
        before=file.before,
        added=file.added,
        removed=file.removed,
        hunks=[
            DiffHunk(
                before=hunk.before,
                after=hunk.after,
                lines=[DiffLine(mark=line.mark, text=line.text) for line in hunk.lines],
            )
            for hunk in file.hunks
        ],
        whole=file.whole,
    )

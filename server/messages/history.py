"""Messages about a room's history: versions, what differs between them, and what happened lately."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.messages.base import Event, FileRef, Reply, Request
from server.messages.blame import BlameAuthor
from server.messages.parts import Job, Part, Suggestion

VersionRef = Annotated[str, Field(min_length=1, max_length=200, description="The version's id, or its name.")]
VersionName = Annotated[str, Field(min_length=1, max_length=200)]
Time = Annotated[int, Field(ge=0, le=2**53, description="Milliseconds since 1970 (UTC).")]


class TouchedFile(Part):
    """A file that has changed."""

    path: str
    by: list[str] = Field(description="Names of who edited it, as far as known.")


class VersionInfo(Part):
    """A version of the room: what its files were at one moment."""

    version: str
    number: int = Field(description="Counts the room's versions; numbers of those that were removed are missing.")
    at_ms: int
    cause: Literal["job_started", "job_ended", "named", "work", "import", "restore"]
    name: str = Field(default="", description="The name that somebody gave it; such a version is kept.")
    by: str = Field(default="", description="Name of who named it, imported or restored.")
    job: str | None = Field(default=None, description="The job that was about to start, or had ended.")
    files: int = Field(description="How many files the room had.")
    changed: int = Field(description="How many files had changed since the version before.")
    touched: list[TouchedFile] = Field(description="Some of these files.")
    stored_bytes: int = Field(description="What it takes in the store.")


class VersionFile(Part):
    """One file of a version."""

    file: str
    path: str
    length: int = Field(description="Characters (code points) of its text.")
    since: int = Field(description="The number of the version in which this text came.")


class DiffLine(Part):
    """One line of a hunk, without its line end."""

    mark: Literal["same", "gone", "new"]
    text: str


class DiffHunk(Part):
    """Lines that differ, with up to three around them. Lines count from 0."""

    before: int = Field(description="Line of the older text at which it begins.")
    after: int = Field(description="Line of the newer text at which it begins.")
    lines: list[DiffLine]


class FileDiff(Part):
    """A file that is different."""

    file: str
    path: str
    kind: Literal["added", "removed", "renamed", "changed"]
    before: str | None = Field(default=None, description="Its path before, if that was another.")
    added: int = Field(description="Lines that are new.")
    removed: int = Field(description="Lines that are gone.")
    hunks: list[DiffHunk]
    whole: bool = Field(default=True, description="False where the answer would be too large with its lines.")


class EditedBy(Part):
    """What one author inserted in a file lately."""

    author: BlameAuthor
    at_ms: int = Field(description="When last.")
    inserted: int = Field(description="UTF-16 units, those included that were deleted since.")


class EditedFile(Part):
    """A file that was edited lately."""

    file: str | None = Field(description="Its id; null if it is not there any more.")
    path: str
    by: list[EditedBy] = Field(description="Who inserted something; empty if text was only deleted, or the file.")


class History(Request):
    """The room's versions. Answered with ``version_list``."""

    type: Literal["history"] = "history"


class SaveVersion(Request):
    """Keeps the room as it is now under a name. Answered with ``version_saved``."""

    type: Literal["save_version"] = "save_version"
    name: VersionName


class Compare(Request):
    """What differs between two versions, or a version and now. Answered with ``comparison``."""

    type: Literal["compare"] = "compare"
    base: VersionRef
    to: VersionRef | None = Field(default=None, description="Left out: the room as it is now.")
    file: FileRef | None = Field(default=None, description="Left out: all files.")


class Restore(Request):
    """Brings a file, or the whole room, back to a version; that can be undone. Answered with ``restored``."""

    type: Literal["restore"] = "restore"
    version: VersionRef
    file: FileRef | None = Field(default=None, description="Left out: the whole room.")


class Activity(Request):
    """What happened since a moment, or since the asker left. Answered with ``activity_report``."""

    type: Literal["activity"] = "activity"
    since_ms: Time | None = Field(default=None, description="Left out: since the asker left last.")


class VersionList(Reply):
    """The room's versions, newest first."""

    type: Literal["version_list"] = "version_list"
    versions: list[VersionInfo]


class VersionSaved(Reply):
    """The version that was made."""

    type: Literal["version_saved"] = "version_saved"
    version: VersionInfo


class Comparison(Reply):
    """What differs, by path."""

    type: Literal["comparison"] = "comparison"
    base: str
    to: str | None = Field(description="null: the room as it is now.")
    files: list[FileDiff]
    more: int = Field(default=0, description="Files that differ too and are not listed.")


class Restored(Reply):
    """What was brought back."""

    type: Literal["restored"] = "restored"
    version: str
    change: str | None = Field(description="Id of the change, for undo; null if everything was so already.")
    paths: list[str] = Field(description="Paths of the files that were changed.")


class ActivityReport(Reply):
    """What happened since a moment."""

    type: Literal["activity_report"] = "activity_report"
    since_ms: int
    last_seen_ms: int | None = Field(description="When the asker left last; null if that is not known.")
    now_ms: int
    versions: list[VersionInfo] = Field(description="Newest first.")
    jobs: list[Job] = Field(description="Jobs that ended, newest first.")
    suggestions: list[Suggestion] = Field(description="Suggestions that wait for an answer.")
    files: list[EditedFile]


class VersionAdded(Event):
    """A version of the room was made."""

    type: Literal["version_added"] = "version_added"
    version: VersionInfo

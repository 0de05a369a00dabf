"""The errors of collab.

Every error says what happened, to what, and what to do; ``code`` is what clients see, ``status`` the
HTTP status and ``close`` the WebSocket close code for the cases in which the connection cannot go on.

    CollabError
    |-- InvalidInput            what a client sent is not allowed
    |   |-- InvalidRoomName
    |   |-- InvalidPath
    |   |-- InvalidArchive      an upload that is no zip
    |   |-- MalformedMessage    a frame that cannot be decoded
    |   |-- MalformedUpdate     a CRDT update that cannot be decoded
    |   `-- InvalidOperation    a text operation that does not fit the text
    |-- LimitExceeded           a setting's bound was reached
    |   |-- TooManyJobs         as many AI jobs wait or run as may
    |   `-- HourlyLimit         as much was asked of the models within an hour as may be
    |-- TryLater                the process is full, or about to stop
    |-- NotAllowed              the role does not permit it
    |-- NotFound                no such file, job, suggestion
    |-- Conflict                the request was made against something that has changed
    |   `-- KeepLost            another node keeps the room's jobs now
    `-- StoreError              the store could not do its work
        |-- StoreCorrupt        what is stored cannot be read
        |-- StoreBusy           another process owns the store
        |-- StoreUnavailable    a full disk, a read-only file: may succeed later
        |-- StoreBehind         a shared store has lost what it had acknowledged
        |-- StoreFenced         another node has taken over what this one was writing
        `-- CompactionRefused   a checkpoint could not be proved equal to the log
"""

from __future__ import annotations

from typing import ClassVar


class CollabError(Exception):
    """Base of all errors of this package. ``field`` names the input at fault, where there is one."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    close: ClassVar[int] = 1011

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(CollabError):
    """Raised when what a client sent is not allowed."""

    code = "invalid_input"
    status = 400
    close = 1008


class InvalidRoomName(InvalidInput):
    """Raised when a room's name is empty, too long or holds characters that no room may have."""

    code = "invalid_room"


class InvalidPath(InvalidInput):
    """Raised when a file's path is not a relative, normalised POSIX path."""

    code = "invalid_path"


class InvalidArchive(InvalidInput):
    """Raised when an upload is no zip archive, or a damaged one."""

    code = "invalid_archive"


class MalformedMessage(InvalidInput):
    """Raised when a frame is no message of the dialect that the connection speaks."""

    code = "malformed_message"
    close = 1007


class MalformedUpdate(MalformedMessage):
    """Raised when a CRDT update, a state vector or an awareness update cannot be decoded."""

    code = "malformed_update"


class InvalidOperation(InvalidInput):
    """Raised when a text operation does not fit the text or the version that it names."""

    code = "invalid_operation"


class LimitExceeded(CollabError):
    """Raised when something is larger, or more, than a setting allows."""

    code = "limit_exceeded"
    status = 413
    close = 1009


class TooManyJobs(LimitExceeded):
    """Raised when a person, a room or the server has as many AI jobs that wait or run as a setting allows."""

    code = "too_many_jobs"
    status = 429


class HourlyLimit(LimitExceeded):
    """Raised when as many jobs, tokens or as much money was used within an hour as a setting allows.

    ``retry_after`` is the time in seconds after which some of it may be used again.
    """

    code = "hourly_limit"
    status = 429

    def __init__(self, message: str, *, field: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class TryLater(CollabError):
    """Raised when the process cannot take more at the moment: connections, open rooms, a restart."""

    code = "try_later"
    status = 503
    close = 1013


class NotAllowed(CollabError):
    """Raised when the asker's role does not permit what was asked."""

    code = "not_allowed"
    status = 403
    close = 4403


class NotFound(CollabError):
    """Raised when the room has no such file, job or suggestion."""

    code = "not_found"
    status = 404
    close = 1008


class Conflict(CollabError):
    """Raised when a request was made against something that has changed since."""

    code = "conflict"
    status = 409
    close = 1008


class KeepLost(Conflict):
    """Raised when a node wants to change what belongs to a room's jobs, and does not keep them any more."""

    code = "keep_lost"


class StoreError(CollabError):
    """Raised when the store could not do its work."""

    code = "store_error"
    status = 503
    close = 1013


class StoreCorrupt(StoreError):
    """Raised when what is stored cannot be read. Nothing may be written over it."""

    code = "store_corrupt"
    status = 500
    close = 1011


class StoreBusy(StoreError):
    """Raised when another process owns the store."""

    code = "store_busy"


class StoreUnavailable(StoreError):
    """Raised when the store refuses a write that may succeed later (a full disk, a read-only file)."""

    code = "store_unavailable"


class StoreBehind(StoreUnavailable):
    """Raised when a shared store lacks what it had acknowledged before: it came back empty or older.

    The node that notices brings back what it has in memory.
    """

    code = "store_behind"


class StoreFenced(StoreError):
    """Raised when another node has taken over what this one was writing; nothing was written."""

    code = "store_fenced"


class CompactionRefused(StoreError):
    """Raised when a checkpoint could not be proved equal to the log that it would replace. The log stays."""

    code = "compaction_refused"

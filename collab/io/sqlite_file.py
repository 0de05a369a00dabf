"""The file of the SQLite store: who owns it, whether it is sound, how it is created and opened."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Final

from collab.errors import StoreBusy, StoreCorrupt, StoreError, StoreUnavailable

APPLICATION_ID: Final = 0x50616972
"""'Pair' in ASCII; stands in the header of every store, so that no other SQLite file is taken for one."""
SCHEMA_VERSION: Final = 2
FULL_CHECK_BYTES: Final = 256 * 1024 * 1024
"""Above this size the start checks the table of rooms only; the rest is checked when it is read."""

_HEADER: Final = 100
_MAGIC: Final = b"SQLite format 3\0"
_SCHEMA: Final = """
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE entries (
    room INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    origin BLOB NOT NULL,
    data BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (room, seq)
) WITHOUT ROWID;
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    data BLOB NOT NULL,
    crc INTEGER NOT NULL
);
CREATE TABLE checkpoints (
    room INTEGER PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    state BLOB NOT NULL,
    pending BLOB NOT NULL,
    crc INTEGER NOT NULL
);
CREATE TABLE records (
    room INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (room, kind, key)
) WITHOUT ROWID;
"""
_ATTRIBUTIONS: Final = """
CREATE TABLE attributions (
    room INTEGER PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    data BLOB NOT NULL,
    crc INTEGER NOT NULL
);
"""
_STEPS: Final = (_SCHEMA, _ATTRIBUTIONS)
"""What each format adds to the one before. A table is never changed: a store is the same however it came to be."""


class FileLock:
    """The ownership of a store by one process, as a lock on the file ``<store>.lock``.

    The kernel releases it when the process ends, however it ends. The lock file itself stays: removing it
    would let two processes each lock a file of that name.
    """

    def __init__(self, path: Path) -> None:
        """Takes the lock. Raises StoreBusy when another owner has it."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._file, 32).decode("ascii", "replace").strip()
            os.close(self._file)
            store = path.with_name(path.name.removesuffix(".lock"))
            raise StoreBusy(
                f"The store {store} is in use by another process{f' ({owner})' if owner else ''}. "
                "Stop that one, or give this server a store of its own."
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"pid {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Gives the ownership up."""
        os.close(self._file)


def corrupt(path: Path, detail: str) -> StoreCorrupt:
    """The error for a damaged file: what is wrong, that nothing was changed, and the ways out."""
    return StoreCorrupt(
        f"The store {path} is damaged: {detail}. It was left untouched. Move it aside together with its "
        "-wal file, then restore a backup, or recover what is readable with "
        f"'sqlite3 {path.name} .recover | sqlite3 recovered.sqlite'."
    )


def translate(error: sqlite3.Error, path: Path) -> StoreError:
    """The error of the store that stands for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    match primary:
        case sqlite3.SQLITE_FULL:
            return StoreUnavailable(
                f"The disk is full: {path} cannot grow. Free some space; what waits is then stored."
            )
        case sqlite3.SQLITE_READONLY:
            return StoreUnavailable(
                f"The store {path} is read-only. Make the file, its directory and the disk writable."
            )
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StoreUnavailable(
                f"The store {path} cannot be read or written ({error}). Check the disk, the limits on file "
                "sizes and the permissions."
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_PROTOCOL:
            return StoreUnavailable(
                f"The store {path} is locked by another program. Close what has the file open."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return corrupt(path, str(error))
    if "decode" in str(error):
        return corrupt(path, str(error))
    return StoreError(f"The store {path} refused the work: {error}.")


def prepare(path: Path) -> None:
    """Makes sure that a sound store is at the path; creates it when there is none. Needs the lock.

    Raises StoreCorrupt for a damaged one, which stays as it is, StoreError for a file that is something else
    or too new, StoreUnavailable when the disk refuses.
    """
    if not path.exists():
        _create(path)
        return
    if not path.is_file():
        raise StoreError(f"{path} is not a file. Give the path of a file for the store.")
    _check_header(path)
    try:
        # A read-only connection: closing a writing one would move the -wal file into a damaged database.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as database:
            version = _check_content(path, database)
        if version < SCHEMA_VERSION:
            _upgrade(path, version)
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except UnicodeDecodeError as error:
        raise corrupt(path, f"a text in it is not UTF-8 ({error})") from error


def connect(path: Path, connection_class: type[sqlite3.Connection], *, read_only: bool) -> sqlite3.Connection:
    """Opens a connection that any one thread at a time may use. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=connection_class,
    )
    connection.execute("PRAGMA busy_timeout = 5000")
    # Rooms are read whole and seldom, so a larger cache only holds what nobody asks for again.
    connection.execute("PRAGMA cache_size = -512")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return connection
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        connection.close()
        raise StoreUnavailable(
            f"The disk of {path} does not support SQLite's write-ahead log. Put the store on a local disk."
        )
    # FULL: a commit returns after the log is on the disk. fullfsync matters on macOS only.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
    return connection


def _create(path: Path) -> None:
    for suffix in ("-wal", "-journal"):
        rest = path.with_name(path.name + suffix)
        if rest.exists() and rest.stat().st_size:
            # SQLite would play this log, which belongs to a lost database, into the new one.
            raise corrupt(path, f"the database file is missing, but its log {rest.name} is there")
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            database.executescript("".join(_STEPS))
            database.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        new.unlink(missing_ok=True)
        raise translate(error, path) from error
    _sync(new)
    # The name appears with the finished file behind it, so a crash never leaves half a store.
    new.rename(path)
    _sync(path.parent)


def _upgrade(path: Path, version: int) -> None:
    """Brings a sound store of an older format to the present one, in one transaction."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = FULL")
        steps = "".join(_STEPS[version:])
        database.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _check_header(path: Path) -> None:
    """Looks at the first 100 bytes (https://www.sqlite.org/fileformat.html#the_database_header)."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if not header:
        raise corrupt(path, "the file is empty")
    if len(header) < _HEADER:
        raise corrupt(path, f"the file ends after {len(header)} bytes")
    if not header.startswith(_MAGIC):
        raise corrupt(path, "it does not begin like an SQLite database")
    if not {header[18], header[19]} <= {1, 2}:
        raise corrupt(path, "its header names unknown versions of the file format")
    (version,) = struct.unpack_from(">I", header, 60)
    (application,) = struct.unpack_from(">I", header, 68)
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path} is an SQLite database, but not of this program. It was left untouched; give another path."
        )
    _refuse_newer(path, version)
    if version < 1:
        raise corrupt(path, f"it claims the format {version}, which never existed")


def _refuse_newer(path: Path, version: int) -> None:
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The store {path} has format {version}; this version knows formats up to {SCHEMA_VERSION}. "
            "It was left untouched; start the newer version of the program that wrote it."
        )


def _check_content(path: Path, database: sqlite3.Connection) -> int:
    """The format of the store, which may be newer in its log than its header says."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    _refuse_newer(path, version)
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript("".join(_STEPS[:version]))
        # A flipped letter in a table's definition is no damage to SQLite, only another table.
        if _tables(database) != _tables(fresh):
            raise corrupt(path, "its tables are not defined as they should be")
    database.execute("PRAGMA cell_size_check = ON")
    checks = ["PRAGMA integrity_check('rooms')"]
    if path.stat().st_size <= FULL_CHECK_BYTES:
        checks.append("PRAGMA quick_check(3)")
    for check in checks:
        found = [str(row[0]) for row in database.execute(check)]
        if found != ["ok"]:
            raise corrupt(path, "; ".join(" ".join(line.split()) for line in found))
    return int(version)


def _tables(database: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    return database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()

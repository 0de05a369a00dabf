"""Zip archives of projects: reading what anybody may have sent, within bounds, and writing."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from collab.errors import InvalidArchive, LimitExceeded
from collab.ids import file_path
from collab.importing import SYMBOLIC_LINK, LeftOut, refuse_path, refuse_size
from collab.limits import MIB, Limits

MAX_RATIO: Final = 200
"""Bytes out of an archive per byte in it, beyond which a large one counts as an attack."""
RATIO_FREE_BYTES: Final = 16 * MIB
"""Archives that give less than this may have any ratio: a file of blanks is no attack."""

# The earliest time that a zip can hold: the same project gives the same bytes.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED: Final = 0x1
_UTF8_NAME: Final = 0x800
_WINDOWS: Final = 0


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file of an archive. The path is not checked yet."""

    path: str
    data: bytes


def read_zip(data: bytes, limits: Limits, *, ratio: int | None = MAX_RATIO) -> Iterator[ArchivedFile | LeftOut]:
    """The archive's files in its order; folders are skipped, what cannot be read is left out with a reason.

    Nothing is unpacked beyond the bounds, whatever the archive says about itself. ``ratio`` None is for
    archives from a server that may pack as it likes. Raises InvalidArchive when it is no zip, and
    LimitExceeded when it holds more files or bytes than a room may.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidArchive(f"The upload is no zip archive that can be read: {error}.", field="body") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > limits.files:
            raise LimitExceeded(
                f"The archive holds {len(entries):,} files; at most {limits.files:,} are allowed. "
                "Leave out what is generated, or raise limit_files.",
                field="body",
            )
        budget = limits.document_bytes
        if ratio is not None:
            budget = min(budget, max(len(data) * ratio, RATIO_FREE_BYTES))
        for entry in entries:
            one = _read(archive, entry, limits, budget)
            if isinstance(one, ArchivedFile):
                budget -= len(one.data)
            yield one


def write_zip(files: Iterable[tuple[str, str]]) -> bytes:
    """A zip archive of files, given as paths and texts, in their order.

    The same files give the same bytes. Raises InvalidPath for a path that no file may have.
    """
    output = BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path, text in files:
            entry = zipfile.ZipInfo(file_path(path), _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, text.encode())
    return output.getvalue()


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits, budget: int) -> ArchivedFile | LeftOut:
    path = _name(entry)
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        return LeftOut(path, SYMBOLIC_LINK)
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return LeftOut(path, "is no ordinary file")
    if entry.flag_bits & _ENCRYPTED:
        return LeftOut(path, "is encrypted; make an archive without a password")
    refused = refuse_path(path) or refuse_size(path, entry.file_size, limits)
    if refused is not None:
        return refused
    bound = min(limits.file_bytes, budget)
    try:
        with archive.open(entry) as stream:
            content = stream.read(bound + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        return LeftOut(path, f"is damaged in the archive: {error}")
    except (NotImplementedError, RuntimeError) as error:
        return LeftOut(path, f"is packed in a way that cannot be read: {error}")
    if len(content) > budget:
        raise LimitExceeded(
            "The archive gives more bytes than a room may hold, or than an archive of its size should; "
            "leave out what is generated, or import it in parts.",
            field="body",
        )
    return refuse_size(path, len(content), limits) or ArchivedFile(path, content)


def _name(entry: zipfile.ZipInfo) -> str:
    """The path as it was meant.

    zipfile cuts names at NUL, so the original is taken, and reads names without the UTF-8 flag as code page
    437, though most programs that leave out the flag write UTF-8. Some on Windows separate with backslashes.
    """
    name = entry.orig_filename
    if not entry.flag_bits & _UTF8_NAME:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    if entry.create_system == _WINDOWS and "/" not in name:
        name = name.replace("\\", "/")
    return name

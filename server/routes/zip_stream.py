"""A zip archive that is written piece by piece, never held as a whole."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from io import RawIOBase
from typing import Final

# The earliest time that a zip can hold: the same project gives the same bytes.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3


class _Pieces(RawIOBase):
    """Collects what zipfile writes. It cannot seek, so zipfile puts sizes after the data."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class _Archive(zipfile.ZipFile):
    """Of one that is given up half-way, nothing is written any more when it is collected: nobody reads it."""

    def __del__(self) -> None: ...


class ZipStream:
    """Files in, bytes of the archive out. The same files in the same order give the same bytes."""

    def __init__(self) -> None:
        self._pieces = _Pieces()
        self._archive = _Archive(self._pieces, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def add(self, files: Iterable[tuple[str, str]]) -> bytes:
        """The next bytes: these files, given as paths and texts. Names are written in UTF-8."""
        for path, text in files:
            entry = zipfile.ZipInfo(path, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            self._archive.writestr(entry, text.encode())
        return self._pieces.take()

    def finish(self) -> bytes:
        """The last bytes: the archive's directory."""
        self._archive.close()
        return self._pieces.take()

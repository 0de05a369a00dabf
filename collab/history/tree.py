"""Which files a version has, as a text of one line for each, so that versions share what is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from collab.errors import StoreCorrupt
from collab.ids import FileId


@dataclass(frozen=True, slots=True)
class Row:
    """One file: ``path`` as shown, ``length`` in code points, ``digest`` of its text, and the number of the
    version in which that text came.
    """

    file: FileId
    path: str
    length: int
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of one version, by id."""

    rows: Mapping[FileId, Row] = field(default_factory=dict)

    def by_path(self, path: str) -> Row | None:
        """The file with this path."""
        return next((row for row in self.rows.values() if row.path == path), None)

    def find(self, ref: str) -> Row | None:
        """The file of this id, or with this path."""
        return self.rows.get(FileId(ref)) or self.by_path(ref)

    def to_text(self) -> str:
        """The tree as a text, by id."""
        return "".join(
            json.dumps([r.file, r.path, r.length, r.digest, r.at], ensure_ascii=False, separators=(",", ":"))
            + "\n"
            for _, r in sorted(self.rows.items())
        )

    @classmethod
    def from_text(cls, text: str) -> Tree:
        """The reverse of to_text. Raises StoreCorrupt."""
        rows: dict[FileId, Row] = {}
        try:
            for line in text.split("\n")[:-1]:
                file, path, length, digest, at = json.loads(line)
                if not (isinstance(file, str) and isinstance(path, str) and isinstance(digest, str)):
                    raise TypeError("no text")
                if not (type(length) is int and type(at) is int):
                    raise TypeError("no number")
                rows[FileId(file)] = Row(FileId(file), path, length, digest, at)
        except (ValueError, TypeError) as error:
            raise StoreCorrupt(f"A version's list of files cannot be read: {error!r}.") from error
        return cls(rows)


def digest(text: str) -> str:
    """Tells texts from each other; 64 bits, in hex."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

"""The files of a room by id and shown path, kept up to date entry by entry. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from collab.ids import FileId, FilePath


@dataclass(frozen=True, slots=True)
class File:
    """A well-formed file: ``path`` as stored, ``shown`` with a suffix if an earlier id has the same path."""

    id: FileId
    path: FilePath
    shown: FilePath


@dataclass(frozen=True, slots=True)
class Listing:
    """The well-formed files by id, and for each other entry of ``files`` what is wrong with it."""

    files: dict[FileId, File]
    problems: tuple[str, ...]
    shown: dict[FilePath, FileId] = field(default_factory=dict, repr=False)

    def by_path(self, path: str) -> File | None:
        """The file that is shown under this path."""
        file = self.shown.get(FilePath(path))
        return self.files[file] if file is not None else None


class FileIndex:
    """Paths and problems of the entries of ``files``; makes a Listing of them."""

    __slots__ = ("_paths", "_problems")

    def __init__(self) -> None:
        self._paths: dict[FileId, FilePath] = {}
        self._problems: dict[str, str] = {}

    def put(self, key: str, path: FilePath) -> None:
        """The entry is well-formed and has this path."""
        self._problems.pop(key, None)
        self._paths[FileId(key)] = path

    def refuse(self, key: str, problem: str) -> None:
        """The entry is not well-formed; why, in words."""
        self._paths.pop(FileId(key), None)
        self._problems[key] = problem

    def remove(self, key: str) -> None:
        """The entry is gone."""
        self._paths.pop(FileId(key), None)
        self._problems.pop(key, None)

    def listing(self) -> Listing:
        """The files now. Of several with one path the first id keeps it, the others are shown with a suffix."""
        shown: dict[FilePath, FileId] = {}
        later: list[tuple[FileId, FilePath]] = []
        for file, path in sorted(self._paths.items()):
            if shown.setdefault(path, file) != file:
                later.append((file, path))
        paths = dict(self._paths)
        for file, path in later:
            other = _suffixed(path, shown)
            shown[other] = file
            paths[file] = other
        files = {file: File(file, self._paths[file], path) for file, path in paths.items()}
        return Listing(files, tuple(self._problems.values()), shown)


def _suffixed(path: FilePath, taken: dict[FilePath, FileId]) -> FilePath:
    folder, slash, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    number = 2
    while (candidate := FilePath(f"{folder}{slash}{stem} ({number}){dot}{extension}")) in taken:
        number += 1
    return candidate

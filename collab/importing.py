"""Which files of a project become files of a room, and why the others do not.

A room holds text. What is no UTF-8 text, too large, a link, or ignored by the project's own ``.gitignore``
files is left out with a reason that a person understands; nothing is left out silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from collab.errors import InvalidPath
from collab.ids import FilePath, file_path
from collab.limits import Limits

IGNORED: Final = "is ignored by .gitignore"
VERSION_CONTROL: Final = "belongs to version control"
SYMBOLIC_LINK: Final = "is a symbolic link; import the file that it points to"
TWICE: Final = "is in the archive twice; the first one counts"

_GITIGNORE: Final = ".gitignore"
_FOLDER_MARK: Final = "ps_d"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
# Control characters that no text has: all but tab, line feed, form feed, carriage return, escape, backspace.
_NOT_TEXT: Final = bytes(set(range(32)) - {8, 9, 10, 12, 13, 27})


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that a room can hold. ``text`` has the file's own line ends and byte order mark."""

    path: FilePath
    text: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file, or with a slash at the end a folder, that is not taken, and why."""

    path: str
    reason: str


def classify(path: str, data: bytes, limits: Limits) -> TextFile | LeftOut:
    """Decides about one file by its path and content.

    Encoding the text of the result as UTF-8 gives ``data`` again, byte for byte.
    """
    refused = refuse_path(path) or refuse_size(path, len(data), limits)
    if refused is not None:
        return refused
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return LeftOut(path, _why_not_utf8(data, error))
    if "\0" in text:
        return LeftOut(path, "is a binary file")
    return TextFile(file_path(path), text)


def refuse_path(path: str) -> LeftOut | None:
    """Why a file is left out that has this path, whatever it holds; None if it is not."""
    try:
        parts = file_path(path).split("/")
    except InvalidPath as error:
        return LeftOut(path, f"has a path that no file may have: {error.message}")
    if is_version_control(parts):
        return LeftOut(path, VERSION_CONTROL)
    if parts[0] == "__MACOSX":
        return LeftOut(path, "holds what macOS adds to archives")
    return None


def refuse_size(path: str, size: int, limits: Limits) -> LeftOut | None:
    """Why a file of ``size`` bytes is left out; None if it is not."""
    if size <= limits.file_bytes:
        return None
    return LeftOut(path, f"has {size:,} bytes; at most {limits.file_bytes:,} are taken (setting limit_file_bytes)")


def is_version_control(parts: Iterable[str]) -> bool:
    """Whether a path, by its parts, lies in a ``.git`` folder, or is a worktree's ``.git`` file.

    Compared without case, as file systems that ignore case would take it for the real one.
    """
    return any(part.lower() == ".git" for part in parts)


class GitIgnore:
    """The ``.gitignore`` files of a project: a deeper one wins over those above it, as in git.

    ``contents`` maps the path of each ``.gitignore`` file to its text. Other sources of git (its user-wide
    and repository-wide exclude files) do not count: they are not part of the project.
    """

    def __init__(self, contents: Mapping[str, str]) -> None:
        self._patterns: dict[str, list[_Pattern]] = {}
        self._folders: dict[str, str | None] = {"": None}
        for path, text in contents.items():
            self.add(path, text)

    def add(self, path: str, text: str) -> None:
        """Takes in one more ``.gitignore``; it must come before any question about its folder's content.

        A line that is no pattern counts for nothing, as in git.
        """
        folder, _, _ = path.rpartition("/")
        patterns = (_pattern(line) for line in text.removeprefix("\ufeff").splitlines())
        self._patterns[folder] = [pattern for pattern in patterns if pattern is not None]

    def ignored(self, path: str) -> str | None:
        """What makes git ignore the file: its own path, or a folder's with a slash at the end; or None."""
        folder, _, _ = path.rpartition("/")
        return self.ignored_folder(folder) or (path if self._matches(path, is_folder=False) else None)

    def ignored_folder(self, folder: str) -> str | None:
        """The same for a folder, written without a slash at the end. The root is never ignored."""
        if folder not in self._folders:
            parent, _, _ = folder.rpartition("/")
            above = self.ignored_folder(parent)
            self._folders[folder] = above or (f"{folder}/" if self._matches(folder, is_folder=True) else None)
        return self._folders[folder]

    def _matches(self, path: str, *, is_folder: bool) -> bool:
        folder = path
        while folder:
            folder, _, _ = folder.rpartition("/")
            relative = path[len(folder) + 1 :] if folder else path
            for pattern in reversed(self._patterns.get(folder, ())):
                if pattern.matches(relative, is_folder=is_folder):
                    return pattern.ignores
        return False


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One line of a ``.gitignore``, asked about one file or folder whose parents are not ignored.

    pathspec's own specs answer for whole paths and so take a folder's pattern for one of all that is in it;
    with patterns that bring files back (``!folder/``), that is not what git does.
    """

    regex: re.Pattern[str]
    ignores: bool
    only_folders: bool

    def matches(self, path: str, *, is_folder: bool) -> bool:
        if self.only_folders and not is_folder:
            return False
        subject = f"{path}/" if self.only_folders else path
        found = self.regex.search(subject)
        if found is None:
            return False
        # pathspec marks the slash after a folder that matched: before the end, it is one of the parents.
        mark = found.start(_FOLDER_MARK) if _FOLDER_MARK in self.regex.groupindex else -1
        last = len(subject) - 1
        return mark in {-1, last} or self.regex.search(subject, last) is not None


def _pattern(line: str) -> _Pattern | None:
    try:
        pattern = GitIgnoreSpecPattern(line)
    except GitIgnorePatternError:
        return None
    if pattern.regex is None or pattern.include is None:
        return None
    return _Pattern(pattern.regex, pattern.include, line.rstrip().endswith("/"))


def select(
    files: Iterable[tuple[str, bytes]], limits: Limits, *, gitignore: bool = True
) -> tuple[list[TextFile], list[LeftOut]]:
    """Decides about all files of an upload, given as paths and contents.

    With ``gitignore``, the ``.gitignore`` files among them are honoured; of a folder that they ignore, one
    line tells. A path that comes twice counts once, the first time.
    """
    taken: dict[str, TextFile] = {}
    left_out: dict[str, LeftOut] = {}
    decisions = [classify(path, data, limits) for path, data in files]
    ignore = GitIgnore({})
    if gitignore:
        ignore = GitIgnore(
            {
                one.path: one.text
                for one in decisions
                if isinstance(one, TextFile) and one.path.rpartition("/")[2] == _GITIGNORE
            }
        )
    twice: list[LeftOut] = []
    for one in decisions:
        ignored = None if isinstance(one, LeftOut) and refuse_path(one.path) else ignore.ignored(one.path)
        if ignored is not None:
            left_out.setdefault(ignored, LeftOut(ignored, IGNORED))
        elif isinstance(one, LeftOut):
            left_out.setdefault(one.path, one)
        elif one.path in taken:
            twice.append(LeftOut(one.path, TWICE))
        else:
            taken[one.path] = one
    return list(taken.values()), [*left_out.values(), *twice]


def _why_not_utf8(data: bytes, error: UnicodeDecodeError) -> str:
    if data.startswith(_UTF16_MARKS):
        return "is text in UTF-16; save it as UTF-8"
    if any(byte in _NOT_TEXT for byte in data[:8192]):
        return "is a binary file"
    line = data.count(b"\n", 0, error.start) + 1
    return f"is not UTF-8 text (line {line} has the byte 0x{data[error.start]:02X}); save it as UTF-8"

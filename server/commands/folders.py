"""Projects in folders: reading one for import, writing one at export. Never follows a symbolic link."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from collab.archive import ArchivedFile, write_zip
from collab.importing import (
    IGNORED,
    SYMBOLIC_LINK,
    GitIgnore,
    LeftOut,
    TextFile,
    classify,
    is_version_control,
    refuse_path,
    refuse_size,
)
from collab.limits import MIB, Limits

BATCH_FILES: Final = 200
BATCH_BYTES: Final = 4 * MIB
"""A batch ends with the file that reaches one of these: one request and one transaction each."""

_GITIGNORE: Final = ".gitignore"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may be taken: what can be known without reading it speaks for it."""

    path: str
    place: Path


@dataclass(frozen=True, slots=True)
class Scan:
    """What a folder holds."""

    files: list[FoundFile] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files to send together. ``seen`` counts the files that were read, those left out included."""

    archive: bytes
    files: int
    seen: int
    left_out: list[LeftOut]


def scan(folder: Path, limits: Limits) -> Scan:
    """Lists the folder's files in the order of their paths, honouring its .gitignore files.

    In a git repository, the .gitignore files between its top and the folder count too. Of an ignored folder
    one line tells; the repository's own ``.git`` is passed over without one.
    """
    found = Scan()
    above, ignore = _ignored_from_above(folder)
    _scan(folder, "", above, ignore, limits, found)
    return found


def batches(found: Scan, limits: Limits) -> Iterator[Batch]:
    """Reads the files and packs those that are text. A file that is gone or unreadable is left out."""
    texts: list[tuple[str, str]] = []
    left_out: list[LeftOut] = []
    size = seen = 0
    for file in found.files:
        seen += 1
        decision = _read(file, limits)
        if isinstance(decision, LeftOut):
            left_out.append(decision)
        else:
            texts.append((decision.path, decision.text))
            size += len(decision.text)
        if len(texts) >= BATCH_FILES or size >= BATCH_BYTES or seen >= 10 * BATCH_FILES:
            yield Batch(write_zip(texts), len(texts), seen, left_out)
            texts, left_out, size, seen = [], [], 0, 0
    if seen:
        yield Batch(write_zip(texts), len(texts), seen, left_out)


def write(folder: Path, files: Iterable[ArchivedFile | LeftOut]) -> Iterator[LeftOut | None]:
    """Writes files into the folder; yields None for each one written, else why it was not.

    Nothing outside the folder is touched, whatever the paths are and whichever links the folder holds.
    Raises OSError when the disk refuses.
    """
    for file in files:
        yield file if isinstance(file, LeftOut) else _write(folder, file)


def _scan(folder: Path, prefix: str, above: str, ignore: GitIgnore, limits: Limits, found: Scan) -> None:
    """``prefix`` is the folder's path in the project, with a slash at the end unless it is empty."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.left_out.append(LeftOut(prefix or ".", f"cannot be read: {error.strerror}"))
        return
    if any(entry.name == _GITIGNORE and entry.is_file(follow_symlinks=False) for entry in entries):
        ignore.add(f"{above}{prefix}{_GITIGNORE}", _rules(folder))
    for entry in entries:
        path = prefix + entry.name
        if is_version_control([entry.name]):
            continue
        if not entry.is_dir(follow_symlinks=False):
            ignored = ignore.ignored(above + path)
            refused = LeftOut(path, IGNORED) if ignored else _refused(entry, path, limits)
            if refused is not None:
                found.left_out.append(refused)
            else:
                found.files.append(FoundFile(path, Path(entry.path)))
        elif ignore.ignored_folder(above + path):
            found.left_out.append(LeftOut(f"{path}/", IGNORED))
        elif (refused := refuse_path(path)) is not None:
            found.left_out.append(LeftOut(f"{path}/", refused.reason))
        else:
            _scan(Path(entry.path), f"{path}/", above, ignore, limits, found)


def _rules(folder: Path) -> str:
    """The folder's .gitignore; one that cannot be read has no rules, and is itself left out with a reason."""
    try:
        return (folder / _GITIGNORE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _refused(entry: os.DirEntry[str], path: str, limits: Limits) -> LeftOut | None:
    if entry.is_symlink():
        return LeftOut(path, SYMBOLIC_LINK)
    if not entry.is_file(follow_symlinks=False):
        return LeftOut(path, "is no ordinary file")
    try:
        size = entry.stat(follow_symlinks=False).st_size
    except OSError as error:
        return LeftOut(path, f"cannot be read: {error.strerror}")
    return refuse_path(path) or refuse_size(path, size, limits)


def _read(file: FoundFile, limits: Limits) -> TextFile | LeftOut:
    try:
        with file.place.open("rb") as stream:
            data = stream.read(limits.file_bytes + 1)
    except OSError as error:
        return LeftOut(file.path, f"cannot be read: {error.strerror}")
    return classify(file.path, data, limits)


def _ignored_from_above(folder: Path) -> tuple[str, GitIgnore]:
    """The folder's path below the top of its repository, with a slash at the end, and the rules up to it."""
    ignore = GitIgnore({})
    here = folder.resolve()
    top = next((place for place in (here, *here.parents) if (place / ".git").exists()), here)
    above = ""
    place = top
    for part in here.relative_to(top).parts:
        ignore.add(f"{above}{_GITIGNORE}", _rules(place))
        above += f"{part}/"
        place /= part
    if ignore.ignored_folder(above.rstrip("/")):
        # Asked for by name, an ignored folder is wanted: only its own rules count then.
        return "", GitIgnore({})
    return above, ignore


def _write(folder: Path, file: ArchivedFile) -> LeftOut | None:
    *parents, name = PurePosixPath(file.path).parts
    place = folder
    for part in parents:
        place /= part
        if place.is_symlink():
            return LeftOut(file.path, f"would be written through the symbolic link {place}")
        if place.exists() and not place.is_dir():
            return LeftOut(file.path, f"needs a folder where the file {place} is")
        place.mkdir(exist_ok=True)
    place /= name
    if place.is_symlink():
        return LeftOut(file.path, "is a symbolic link in the folder; remove it there")
    if place.is_dir():
        return LeftOut(file.path, "is a folder there; remove it or export to another folder")
    if not place.resolve().is_relative_to(folder.resolve()):
        return LeftOut(file.path, "would lie outside the folder")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(place, flags, stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH), "wb") as out:
        out.write(file.data)
    return None

"""The complete blocks of an answer so far: what is told to whoever goes on with it, and not done twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from collab.ids import FilePath

FEW_CHARS: Final = 24_000
"""Up to so many characters the blocks are told as they were; of more, only which files they changed."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block: ``search`` is None for a whole file. Line ends are LF, as the model wrote them."""

    path: FilePath
    search: str | None
    text: str

    def written(self) -> str:
        """The block in the format of an answer."""
        if self.search is not None:
            return f"{self.path}\n<<<<<<< SEARCH\n{_line(self.search)}=======\n{_line(self.text)}>>>>>>> REPLACE"
        fence = "````"
        while fence in self.text:
            fence += "`"
        return f"{self.path}\n{fence}\n{_line(self.text)}{fence}"


class Kept:
    """The blocks that were complete, in order, over all tries of one answer."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[FilePath, str | None], Block] = {}
        self._structure: dict[tuple[FilePath, FilePath | None], str] = {}

    def __bool__(self) -> bool:
        return bool(self._blocks or self._structure)

    def __len__(self) -> int:
        return len(self._blocks) + len(self._structure)

    @property
    def last(self) -> FilePath | None:
        """The file of the last block."""
        return next((path for path, _ in reversed(self._blocks)), None)

    def add(self, path: FilePath, search: str | None, text: str) -> None:
        """A block is complete."""
        self._blocks[path, search] = Block(path, search, text)

    def get(self, path: FilePath, search: str | None) -> str | None:
        """What a block with this place has put there; None if there was none."""
        found = self._blocks.get((path, search))
        return found.text if found is not None else None

    def move(self, path: FilePath, to: FilePath | None) -> bool:
        """A file is renamed, or with None deleted; False if that was said before."""
        if (path, to) in self._structure:
            return False
        self._structure[path, to] = f"<<<<<<< RENAME {path} => {to}" if to else f"<<<<<<< DELETE {path}"
        return True

    def text(self) -> str:
        """All of it as an answer; empty if that would be too long."""
        parts = [*(block.written() for block in self._blocks.values()), *self._structure.values()]
        text = "\n\n".join(parts)
        return text if len(text) <= FEW_CHARS else ""

    def paths(self) -> list[str]:
        """The files that it changes."""
        return list(dict.fromkeys([*(path for path, _ in self._blocks), *(path for path, _ in self._structure)]))


def _line(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"

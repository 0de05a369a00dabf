"""What a check found, and what checks look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from collab.syntax.syntax import Syntax

FindingKind = Literal["syntax", "import", "omission"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a file. ``line`` counts from 1; 0 stands for no certain line.

    ``certain``: it is an error, by what the project holds; else it may be one, and nothing is held back for it.
    ``mark`` is a word that stands in what is wrong.
    """

    path: str
    line: int
    kind: FindingKind
    message: str
    certain: bool = True
    mark: str = ""

    def __str__(self) -> str:
        """In words, for the room and the model."""
        return f"{self.path}{f', line {self.line}' if self.line else ''}: {self.message}"


class Project(Protocol):
    """The files of a room as an answer makes them."""

    def paths(self) -> Sequence[str]:
        """All of them."""
        ...

    def text(self, path: str) -> str | None:
        """The text of one; None if it is not there."""
        ...

    def before(self, path: str) -> str | None:
        """The text that it had before the answer; None if it was not there."""
        ...


class Used(NamedTuple):
    """Something that a file imports: in which words, in which line (from 1)."""

    name: str
    line: int


class ImportChecker(Protocol):
    """What is to be known of imports in one family of languages."""

    def used(self, syntax: Syntax, path: str, text: str) -> list[Used]:
        """What a file imports."""
        ...

    def missing(self, path: str, text: str, name: str) -> Missing | None:
        """What is wrong with an import; None if it exists, or if it is not known."""
        ...


class Missing(NamedTuple):
    """Why an import is of nothing, in words, and whether that is certain."""

    why: str
    certain: bool

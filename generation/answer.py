"""What the parser reads out of a model's answer."""

from __future__ import annotations

from dataclasses import dataclass

from collab.ids import FilePath


@dataclass(frozen=True, slots=True)
class ProseSkipped:
    """Words for people, or a code example; they reach no file."""

    text: str


@dataclass(frozen=True, slots=True)
class FileOpened:
    """A hunk for this file begins."""

    path: FilePath


@dataclass(frozen=True, slots=True)
class SearchCompleted:
    """The lines to look for, each with its newline; the replacement follows."""

    path: FilePath
    text: str


@dataclass(frozen=True, slots=True)
class ReplaceText:
    """The next piece of the replacement."""

    text: str


@dataclass(frozen=True, slots=True)
class HunkClosed:
    """The replacement is complete."""


@dataclass(frozen=True, slots=True)
class WholeFileOpened:
    """The whole text of this file follows."""

    path: FilePath


@dataclass(frozen=True, slots=True)
class FileText:
    """The next piece of the file."""

    text: str


@dataclass(frozen=True, slots=True)
class FileClosed:
    """The file is complete."""


@dataclass(frozen=True, slots=True)
class FileDeleted:
    """The model proposes to delete this file."""

    path: FilePath


@dataclass(frozen=True, slots=True)
class FileRenamed:
    """The model proposes to give this file another path."""

    path: FilePath
    to: FilePath


@dataclass(frozen=True, slots=True)
class ParseProblem:
    """What could not be read, in words. A block that is open is void.

    ``cut``: the answer ends too early; ``whole``: in the middle of a whole file, whose fence has no end.
    """

    reason: str
    cut: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Retracted:
    """All changes so far stood in the model's reasoning, whose beginning it did not mark; they do not count."""


ParseEvent = (
    ProseSkipped
    | FileOpened
    | SearchCompleted
    | ReplaceText
    | HunkClosed
    | WholeFileOpened
    | FileText
    | FileClosed
    | FileDeleted
    | FileRenamed
    | ParseProblem
    | Retracted
)

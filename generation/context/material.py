"""What was gathered of a room for one request, before it is known how much of it fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collab.ids import FileId, FilePath


@dataclass(frozen=True, slots=True)
class Relevance:
    """How much a file belongs to the request (0 to about 5, more is better), and why, in words."""

    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A definition that the request names, in a file that may be too long to be shown."""

    file: FileId
    path: FilePath
    name: str
    line: int
    """Its first line, 1 and up."""
    text: str


@dataclass(frozen=True, slots=True)
class Material:
    """All that may be shown beside the files' texts, which are read from the base of the job.

    ``relevance`` holds the files that belong to the request; ``outlines`` what stands for a file; ``project_map``
    is the same for all requests as long as the files are.
    """

    relevance: Mapping[FileId, Relevance] = field(default_factory=dict)
    outlines: Mapping[FileId, str] = field(default_factory=dict)
    excerpts: tuple[Excerpt, ...] = ()
    project_map: str = ""
    people: str = ""
    session: str = ""
    runtime: str = ""
    note: str = ""
    names: Callable[[str], bool] = lambda _: False
    """Whether a word is a name that the project defines."""

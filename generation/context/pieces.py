"""What a model may be shown, in pieces, and what became of each.

A piece has a whole text and maybe a shorter one that stands for it. The tokens of both are estimates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from collab.ids import FileId, FilePath
from generation.context.tokens import estimate

Kind = Literal["rules", "project_rules", "map", "file", "symbol", "people", "session", "runtime"]
Form = Literal["whole", "summary", "left_out"]

KINDS: Final[tuple[Kind, ...]] = (
    "rules",
    "project_rules",
    "map",
    "file",
    "symbol",
    "people",
    "session",
    "runtime",
)
"""In the order in which the model reads them: what changes least comes first, so that a provider that remembers
how a request began has most of it already.
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to show. ``name`` tells what it is: of a file its path.

    Pinned pieces come before all others; among the others those with a higher ``score``, which has no unit.
    """

    kind: Kind
    name: str
    text: str
    why: str
    score: float = 0.0
    pinned: bool = False
    summary: str = ""
    """What stands for it where the whole does not fit or is not worth its tokens; empty if nothing can."""
    whole: bool = True
    """Whether all of it may be shown; otherwise its summary at most."""
    file: FileId | None = None
    extra: int = 0
    """Tokens that showing it costs beside its text, such as its path and its fence."""
    tokens: int = field(init=False)
    summary_tokens: int = field(init=False)

    def __post_init__(self) -> None:
        """Estimates once what it costs."""
        object.__setattr__(self, "tokens", estimate(self.text) + self.extra)
        object.__setattr__(self, "summary_tokens", estimate(self.summary) + self.extra if self.summary else 0)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A piece and what became of it: ``tokens`` is what it takes, ``reason`` why it is not shown as a whole."""

    piece: Piece
    form: Form
    tokens: int
    reason: str = ""

    @property
    def text(self) -> str:
        """What of it is shown."""
        return {"whole": self.piece.text, "summary": self.piece.summary, "left_out": ""}[self.form]


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that is shown with its whole text, and why."""

    id: FileId
    path: FilePath
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What would have been shown, and why it is not, or not as a whole."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the model is shown. ``others`` are paths of files of which it sees no text; ``tokens`` is a guess."""

    pieces: tuple[Chosen, ...] = ()
    others: tuple[FilePath, ...] = ()
    files: int = 0
    budget: int = 0
    note: str = ""
    """What else the room should know of how it was made."""

    @property
    def tokens(self) -> int:
        """About what all that is shown takes."""
        return sum(chosen.tokens for chosen in self.pieces)

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The files that are shown as a whole, those that the request is about first."""
        files = [one for one in self.pieces if one.piece.kind == "file" and one.form == "whole"]
        files.sort(key=lambda one: (not one.piece.pinned, -one.piece.score))
        return tuple(
            Shown(one.piece.file, FilePath(one.piece.name), one.piece.text, one.piece.why)
            for one in files
            if one.piece.file is not None
        )

    @property
    def seen(self) -> tuple[FileId, ...]:
        """The files of which the model sees lines as they are: as a whole, or a part."""
        return tuple(
            dict.fromkeys(
                one.piece.file
                for one in self.pieces
                if one.piece.kind in {"file", "symbol", "project_rules"}
                and one.form == "whole"
                and one.piece.file is not None
            )
        )

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What is not shown as a whole though it belongs to the request."""
        return tuple(
            LeftOut(one.piece.name, one.reason) for one in self.pieces if one.form != "whole" and one.reason
        )

    def of(self, kind: Kind) -> list[Chosen]:
        """What is shown of one kind."""
        return [one for one in self.pieces if one.piece.kind == kind and one.form != "left_out"]

    def report(self) -> str:
        """In words, for the job's detail."""
        if not self.files:
            return "The room has no files yet."
        text = f"The model sees {len(self.shown)} of {self.files} files, about {self.tokens} tokens."
        outlined = [one for one in self.of("file") if one.form == "summary"]
        if outlined:
            text += f" Of {len(outlined)} it sees an outline."
        dropped = [one for one in self.left_out if one.path not in {chosen.piece.name for chosen in outlined}]
        if dropped:
            some = ", ".join(f"{left.path} ({left.reason})" for left in dropped[:3])
            text += f" Left out: {some}{' and more' if len(dropped) > 3 else ''}."
        return f"{text} {self.note}".strip()

"""Messages about finding files, and about what a model was sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from generation.search.answers import MOST_HITS, MOST_QUESTION
from server.messages.base import Reply, Request
from server.messages.parts import Part

Question = Annotated[str, Field(min_length=1, max_length=MOST_QUESTION)]
PieceKind = Literal["rules", "project_rules", "map", "file", "symbol", "people", "session", "runtime"]
PieceForm = Literal["whole", "summary", "left_out"]


class SearchLine(Part):
    """A line that answers a question."""

    line: int = Field(description="Its number; the first one is 1.")
    text: str


class SearchHit(Part):
    """A file that answers a question."""

    file: str
    path: str
    score: float = Field(description="From 0 to 1; it orders the hits of one answer.")
    why: str
    lines: list[SearchLine]


class Search(Request):
    """Finds files by words, names and references, and by meaning where that is set up.

    Answered with ``search_result``.
    """

    type: Literal["search"] = "search"
    question: Question
    most: int = Field(default=10, ge=1, le=MOST_HITS, description="Hits at most.")


class SearchResult(Reply):
    """The files that answer, the best first."""

    type: Literal["search_result"] = "search_result"
    question: str
    hits: list[SearchHit]
    files: int = Field(description="Files of the room.")
    indexed: int = Field(description="Files that were looked at; of a large project, not all at first.")
    semantic: bool = Field(description="Whether files were compared by meaning too.")
    note: str


class SentPiece(Part):
    """A piece of what a model was shown, or might have been."""

    kind: PieceKind
    name: str = Field(description="What it is; of a file, its path.")
    form: PieceForm
    why: str = Field(description="Why it was chosen.")
    tokens: int = Field(description="An estimate of what it takes.")
    score: float
    pinned: bool = Field(description="It comes before all that is not.")
    reason: str = Field(description="Why it is not shown as a whole; empty where it is.")


class SentMessage(Part):
    """A message to a model, word for word."""

    role: Literal["system", "user", "assistant"]
    content: str


class SentAsk(Part):
    """One request to a model. Tokens are estimates."""

    model: str
    at_ms: int
    strategy: str
    strategy_why: str
    tokens: int = Field(description="Of all messages.")
    budget: int = Field(description="What the pieces might have taken.")
    pieces: list[SentPiece]
    others: int = Field(description="Files of which only the path was told.")
    note: str
    messages: list[SentMessage]
    purpose: Literal["answer", "continuation", "repair", "cached", "summary"] = Field(
        description="For a first answer, to go on with one that broke off or was steered, to repair one; or it "
        "was asked before, and nothing was sent again; or to sum up a file that is too long to be shown."
    )


class Sent(Request):
    """What was a model sent for a job? Answered with ``sent_result``."""

    type: Literal["sent"] = "sent"
    job: Annotated[str, Field(min_length=1, max_length=200, description="The job's id.")]


class SentResult(Reply):
    """What a model was sent for a job, and what was left out. It is kept for the newest jobs of a room."""

    type: Literal["sent_result"] = "sent_result"
    job: str
    asks: list[SentAsk] = Field(description="The requests of the job, the last one at the end.")

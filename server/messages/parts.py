"""The pieces that messages share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from collab.wire import MAX_UINT

RequestId = Annotated[str, StringConstraints(max_length=200)] | Annotated[int, Field(ge=-MAX_UINT, le=MAX_UINT)]
"""What a request carries so that its answer can be told from others."""


class Part(BaseModel):
    """Base of all messages and their pieces: unknown fields are refused, so that typing errors are seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, val_json_bytes="base64", ser_json_bytes="base64")


class Person(Part):
    """Somebody who is in the room: a person, or an AI job under its own name."""

    client: int = Field(description="Yjs client id; the key of this person's presence.")
    name: str
    color: str = Field(description="CSS colour, such as #1a7f5a.")
    kind: Literal["person", "job"] = "person"
    file: str | None = Field(default=None, description="Id of the file that this person has open.")


class FileInfo(Part):
    """One file of the room."""

    file: str = Field(description="The file's id; it stays when the file is renamed.")
    path: str = Field(description="Shown path; a second file of the same path has a suffix.")
    version: int = Field(description="Counts the changes of the text; text operations name it.")
    length: int = Field(description="Length of the text in UTF-16 units.")


class Position(Part):
    """A place in a text, as in the Language Server Protocol: counted from 0, in UTF-16 units."""

    line: int = Field(ge=0)
    character: int = Field(ge=0)


class Selection(Part):
    """What somebody has selected; anchor is where it began, head where the cursor is."""

    anchor: Position
    head: Position


class Retain(Part):
    """Leaves so many UTF-16 units as they are."""

    retain: int = Field(gt=0)


class Insert(Part):
    """Inserts a text here."""

    insert: str = Field(min_length=1)


class Delete(Part):
    """Deletes so many UTF-16 units."""

    delete: int = Field(gt=0)


Component = Annotated[Retain | Insert | Delete, Field(union_mode="smart")]

JobState = Literal[
    "queued",
    "preparing",
    "context_analysis",
    "generating",
    "post_processing",
    "validating",
    "paused",
    "complete",
    "failed",
    "cancelled",
    "needs_review",
    "interrupted",
]
"""``interrupted``: the server stopped while the job ran; it can be retried."""

Strategy = Literal["targeted", "selective", "full"]
Mode = Literal["auto", "review", "ask"]
Choice = Literal["accept", "reject", "both", "edit"]


class Attempt(Part):
    """One request to a model and what came of it."""

    model: str
    outcome: Literal["answered", "failed", "broken", "refused"] = Field(
        description="failed: no answer began; broken: it broke off in its middle; refused: it will not be given."
    )
    error: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: float | None = Field(default=None, description="US dollars; null where no price is known.")
    seconds: float = 0
    at_ms: int = 0


class Failure(Part):
    """One way in which a job ended before its work was done."""

    at_ms: int
    code: str = Field(description="What kind of failure it was, for programs.")
    severity: Literal["", "notice", "warning", "error"] = Field(
        description="notice: it may not be; warning: it may go better the next time; error: look at the server."
    )
    message: str
    request: str = Field(default="", description="Names the request that failed, in the log too.")
    person: str = Field(default="", description="Name of who asked.")
    model: str = ""
    attempts: int = Field(default=0, description="Requests to models until then.")
    context_tokens: int = Field(default=0, description="Estimated tokens of the last request to a model.")


class Job(Part):
    """An AI job as the room sees it, or a change of another kind, which can be reviewed and undone like one."""

    job: str
    kind: Literal["job", "put", "import", "restore"] = Field(
        default="job",
        description="What it is: an AI job, or what a writer with an older copy, an import or a restore changed.",
    )
    prompt: str = Field(description="What the AI was asked; for other kinds, what was done, in words.")
    asked_by: str = Field(description="Name of who asked.")
    state: JobState
    model: str
    offline: bool = Field(default=False, description="True for the built-in templates, which are no AI.")
    mode: Mode = Field(
        description="auto: clean hunks land as they stream; review: each is offered first; ask: rewrites of whole "
        "files are offered, the rest lands."
    )
    strategy: Strategy | None = None
    client: int = Field(description="Yjs client id under which the job writes.")
    color: str
    created_ms: int
    files: list[str] = Field(default_factory=list, description="Paths that the job wrote to or proposes for.")
    progress: float = Field(default=0, ge=0, le=1)
    eta_seconds: float | None = None
    tokens: int = Field(default=0, description="Tokens (estimated until the model reports them) so far.")
    hunks_applied: int = 0
    hunks_pending: int = Field(default=0, description="Suggestions of this job that nobody has answered yet.")
    undone: bool = False
    can_undo: bool = False
    error: str | None = Field(default=None, description="Why it failed and what to do.")
    priority: Literal["high", "normal", "low"] = "normal"
    position: int | None = Field(default=None, description="Its place among those that wait; 1 is next.")
    model_why: str = Field(default="", description="Why this model was chosen.")
    strategy_why: str = Field(default="", description="Why this strategy was chosen.")
    prompt_tokens: int = Field(default=0, description="Tokens of all that was sent to models, as far as known.")
    cost: float | None = Field(default=None, description="US dollars; null where no price is known.")
    attempts: list[Attempt] = Field(default_factory=list, description="Its requests to models, oldest first.")
    current_file: str | None = Field(default=None, description="Path of the file that it is writing.")
    expected_tokens: int | None = Field(default=None, description="Tokens that the answer will have, a guess.")
    eta_confidence: float | None = Field(default=None, description="How sure eta_seconds is, from 0 to 1.")
    steers: list[str] = Field(default_factory=list, description="What was said to it while it ran.")
    findings: list[str] = Field(
        default_factory=list, description="What checks found in what it wrote: syntax errors, imports of nothing."
    )
    request_id: str = Field(default="", description="Names its last request in logs and at the provider.")
    error_code: str = Field(default="", description="What kind of failure it was, for programs.")
    severity: Literal["", "notice", "warning", "error"] = ""
    cached: bool = Field(
        default=False,
        description="True: the same was asked before, and its answer was used again; no model was asked.",
    )
    waits_for: str | None = Field(
        default=None, description="The job that must end before this one may run, as it writes one of its files."
    )
    failures: list[Failure] = Field(default_factory=list, description="How it failed, oldest first.")


class ModelInfo(Part):
    """A model that may be asked for by its name."""

    name: str
    context_tokens: int = Field(description="What it takes in, prompt and answer together.")
    capabilities: list[str] = Field(
        description="What it was declared to be good at: code, reasoning, prefill, json."
    )


class Suggestion(Part):
    """A change by a job that waits for an answer, or the record of one that was answered or merged by itself."""

    suggestion: str
    job: str
    file: str | None = Field(description="Id of the file; null for a file that does not exist yet.")
    path: str
    reason: str = Field(description="Why it did not land by itself, in words.")
    kind: Literal["hunk", "new_file", "whole_file", "delete_file", "rename_file"]
    before: str = Field(description="The base: the text that the job saw there.")
    current: str = Field(description="The text that stands there now; once it is answered, what stood there then.")
    after: str = Field(description="The text that the job proposes.")
    anchor: str | None = Field(
        default=None, description="Where it belongs: a Yjs relative position, base64 of its binary encoding."
    )
    end: str | None = Field(
        default=None, description="Where its place ends, in the same form; null: the end of the file, or no place."
    )
    state: Literal["open", "accepted", "rejected", "both", "edited", "merged", "gone", "replaced"] = Field(
        default="open",
        description="merged: it collided, and both sides could be kept by themselves. replaced: a check found a "
        "mistake in it, and its job suggests something else instead.",
    )
    answered_by: str | None = None
    conflict: Literal["none", "overlapping_edits", "same_file_different_content", "structural_conflict"] = Field(
        default="none", description="How it collided with what people did; none: it is only to be reviewed."
    )
    layer: Literal["", "lines", "tokens", "syntax"] = Field(
        default="", description="Of one that was merged: what told that both sides fit together."
    )
    choices: list[Choice] = Field(default_factory=list, description="How it can be answered.")
    at_ms: int = 0
    answered_ms: int = 0
    gone: str = Field(
        default="", description="Of an open one: why there is no place for it any more; empty while there is."
    )
    findings: list[str] = Field(default_factory=list, description="What checks found to be wrong with it.")

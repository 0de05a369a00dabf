"""Plays an answer of the corpus, and says what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from collab.document import Document
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.merge.suggestions import Suggestion
from generation.pipeline import AnswerWriter
from tests.generation.answers.making import Case


@dataclass(frozen=True, slots=True)
class Played:
    """The files afterwards, what is suggested, what was said of the answer."""

    files: dict[str, str]
    suggestions: tuple[tuple[str, str, str, str], ...]
    problems: tuple[str, ...]
    cut: bool


def play(case: Case, pieces: Sequence[str], *, pulls: bool = False) -> Played:
    """Writes the answer piece by piece; with ``pulls``, each piece goes into the document at once."""
    live = Document(ClientId(1))
    for path, text in case.files.items():
        _add(live, path, text)
    files, suggestions = count(1), count(1)
    writer = AnswerWriter(
        JobId("j1"),
        live,
        ClientId(5),
        mode="auto",
        offline=False,
        file_id=lambda: FileId(f"n{next(files)}"),
        suggestion_id=lambda: SuggestionId(f"s{next(suggestions)}"),
        answer_chars=1_000_000,
    )
    writer.show(list(live.listing().files))
    made: list[Suggestion] = []
    for piece in pieces:
        writer.feed(piece)
        if pulls:
            made += _pull(writer, live)
    writer.finish(ended=not case.broken)
    made += _pull(writer, live)
    return Played(
        {str(file.shown): live.text(file.id) for file in live.listing().files.values()},
        tuple((one.path, one.kind, one.before, one.after) for one in made),
        tuple(writer.problems),
        writer.cut is not None,
    )


def _add(live: Document, path: str, text: str) -> None:
    live.edit(lambda editor: editor.create(FileId(f"id-{path}"), path, text))


def _pull(writer: AnswerWriter, live: Document) -> list[Suggestion]:
    outcome = writer.pull(live)
    if outcome.update is not None:
        writer.merged(live.apply([outcome.update], track=True), live)
    return list(outcome.suggestions)


def verdict(case: Case, played: Played) -> Literal["right", "refused", "silent", "wrong"]:
    """``wrong``: a file is as nobody wanted it. ``silent``: something is missing, and nothing says so."""
    if played.files == case.expected:
        return "right" if case.must != "refused" else "refused"
    for path in {*played.files, *case.files}:
        now = played.files.get(path)
        if now != case.files.get(path) and now not in case.made.get(path, []):
            return "wrong"
    said = played.suggestions or played.problems or played.cut or case.broken
    return "refused" if said else "silent"

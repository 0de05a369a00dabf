"""Which of a room's files and of what else is known of it the model is shown, within a budget of tokens.

Files that the request names are pinned. The others come by how much they belong to it, of a small project all.
What is left out is reported, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collab.ids import FileId, FilePath
from generation.context.fitting import fit
from generation.context.material import Material, Relevance
from generation.context.pieces import Chosen, Context, Piece
from generation.context.rules import applying
from generation.context.tokens import estimate
from generation.context.wording import SEPARATOR_TOKENS
from generation.search.index import is_generated

__all__ = ["Candidate", "Context", "select"]

MOST_READ: Final = 400
"""Files whose texts are looked at; of a larger project, those that belong to the request most."""
MOST_SHOWN: Final = 60
MOST_LISTED: Final = 400
"""Paths of other files that the model is told, so that it knows what there is."""
SMALL_TOKENS: Final = 8_000
"""A project of so few tokens is shown as a whole."""
WORTH_SHOWING: Final = 0.35
"""A file that belongs to the request less than that is outlined at most, unless the project is small."""
_FILE_EXTRA: Final = 8
"""Tokens of a file's fences."""
_LISTED: Final = "named in the request"
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that could be shown."""

    id: FileId
    path: FilePath


def select(
    files: Sequence[Candidate],
    read: Callable[[FileId], str],
    prompt: str,
    named: Sequence[FileId],
    budget: int,
    instructions: str = "",
    material: Material | None = None,
    wanted: int | None = None,
) -> Context:
    """Chooses from ``files``, what is in ``material``, and the room's ``instructions``.

    ``budget`` is in tokens and never exceeded; ``wanted`` is what is enough, unless the request names more.
    """
    material = material if material is not None else Material()
    order = {file: index for index, file in enumerate(named)}
    relevance = {file.id: _relevance(file.path, prompt, material.relevance.get(file.id)) for file in files}
    ranked = sorted(
        files,
        key=lambda f: (
            order.get(f.id, len(order)),
            -relevance[f.id].score,
            is_generated(f.path),
            len(f.path),
            f.path,
        ),
    )
    looked = {file.id: read(file.id) for file in ranked[:MOST_READ]}
    pieces = [*_rules(instructions), *_project_rules(ranked, looked, named, relevance), *_around(material)]
    taken = {piece.file for piece in pieces if piece.file is not None}
    some = [file for file in ranked if file.id in looked and file.id not in taken]
    pieces += _files(some, looked, order, relevance, material)
    pieces += _symbols(material)
    chosen = _fitted(pieces, budget - SEPARATOR_TOKENS, wanted)
    visible = {one.piece.file for one in chosen if one.form != "left_out"}
    left = budget - SEPARATOR_TOKENS - sum(one.tokens for one in chosen)
    others = _listed([file.path for file in ranked if file.id not in visible], left)
    return Context(chosen, others, len(files), budget, material.note)


def _listed(paths: Sequence[FilePath], tokens: int) -> tuple[FilePath, ...]:
    """As many of the paths as there is room for."""
    listed: list[FilePath] = []
    for path in paths[:MOST_LISTED]:
        tokens -= estimate(path) + 1
        if tokens < 0:
            break
        listed.append(path)
    return tuple(listed)


def _fitted(pieces: Sequence[Piece], budget: int, wanted: int | None) -> tuple[Chosen, ...]:
    chosen = fit(pieces, budget, wanted)
    # A part of a file that is shown as a whole would be there twice.
    whole = {one.piece.file for one in chosen if one.piece.kind == "file" and one.form == "whole"}
    return tuple(one for one in chosen if one.piece.kind != "symbol" or one.piece.file not in whole)


def _rules(instructions: str) -> list[Piece]:
    if not instructions.strip():
        return []
    return [Piece("rules", "the room's instructions", instructions, "the room's rules", pinned=True)]


def _project_rules(
    files: Sequence[Candidate],
    looked: Mapping[FileId, str],
    named: Sequence[FileId],
    relevance: Mapping[FileId, Relevance],
) -> list[Piece]:
    paths: dict[str, FileId] = {file.path: file.id for file in files if file.id in looked}
    meant = [file.path for file in files if file.id in named or relevance[file.id].score >= WORTH_SHOWING]
    return [
        Piece(
            "project_rules",
            path,
            looked[paths[path]],
            why,
            pinned=True,
            summary=looked[paths[path]][:2_000],
            file=paths[path],
            extra=estimate(path) + _FILE_EXTRA,
        )
        for path, why in applying(list(paths), meant)
        if looked[paths[path]].strip() and paths[path] not in named
    ]


def _around(material: Material) -> list[Piece]:
    pieces: list[Piece] = []
    if material.project_map:
        pieces.append(Piece("map", "the project", material.project_map, "what there is", score=1.5))
    if material.people:
        pieces.append(Piece("people", "who is here", material.people, "who works where", score=0.9))
    if material.session:
        pieces.append(Piece("session", "what was asked before", material.session, "it may go on", score=1.0))
    if material.runtime:
        pieces.append(Piece("runtime", "what is wrong now", material.runtime, "the last findings", score=2.0))
    return pieces


def _files(
    files: Sequence[Candidate],
    looked: Mapping[FileId, str],
    order: Mapping[FileId, int],
    relevance: Mapping[FileId, Relevance],
    material: Material,
) -> list[Piece]:
    usual = [file for file in files if not is_generated(file.path)]
    small = sum(estimate(looked[file.id]) for file in usual) <= SMALL_TOKENS
    pieces: list[Piece] = []
    for file in files:
        known, pinned = relevance[file.id], file.id in order
        worth = known.score >= WORTH_SHOWING or (small and not is_generated(file.path))
        outline = material.outlines.get(file.id, "")
        if not (pinned or worth or (outline and known.score > 0)):
            continue
        if len(pieces) >= MOST_SHOWN and not pinned:
            break
        pieces.append(
            Piece(
                "file",
                file.path,
                looked[file.id],
                _LISTED if pinned else known.why or "the project is small",
                score=known.score,
                pinned=pinned,
                summary=outline,
                whole=pinned or worth,
                file=file.id,
                extra=estimate(file.path) + _FILE_EXTRA,
            )
        )
    return sorted(pieces, key=lambda piece: order.get(piece.file or FileId(""), len(order)))


def _symbols(material: Material) -> list[Piece]:
    return [
        Piece(
            "symbol",
            f"{one.path}:{one.line} {one.name}",
            one.text,
            f"the request names {one.name}",
            score=3.5,
            file=one.file,
            extra=estimate(one.path) + _FILE_EXTRA,
        )
        for one in material.excerpts
    ]


def _relevance(path: FilePath, prompt: str, known: Relevance | None) -> Relevance:
    """How a file belongs to the request: by its path in it, and by what is known of its text."""
    score = _path_score(path, prompt)
    base = known.score if known is not None else 0.0
    if score:
        why = "its path occurs in the prompt" + (f", {known.why}" if known is not None and known.why else "")
        return Relevance(1.0 + score + base, why)
    return known if known is not None else Relevance(0.0, "")


def _path_score(path: str, prompt: str) -> int:
    """3: the path is in the prompt, 2: the file's name is, 1: its stem is one of the words."""
    if _stands_in(path, prompt):
        return 3
    name = path.rpartition("/")[2]
    if len(name) > 2 and _stands_in(name, prompt):
        return 2
    stem = name.lstrip(".").partition(".")[0].lower()
    return int(len(stem) > 2 and stem in {word.lower() for word in _WORD.findall(prompt)})


def _stands_in(name: str, prompt: str) -> bool:
    """Whether a path stands in the prompt by itself, and not as a part of a longer one."""
    at = prompt.find(name)
    while at >= 0:
        before, after = prompt[at - 1 : at], prompt[at + len(name) : at + len(name) + 1]
        if not (before.isalnum() or before in {"_", "-", "."}) and not (after.isalnum() or after == "_"):
            return True
        at = prompt.find(name, at + 1)
    return False

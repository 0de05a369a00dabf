"""Which files the model is shown, within a budget of tokens.

Files that the request names come first, then those whose path or identifiers occur in the prompt, then
small ones. What is left out is reported, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from collab.ids import FileId, FilePath
from generation.context.tokens import estimate

MOST_READ: Final = 400
"""Files whose text is looked at; in a larger project paths alone decide which."""
MOST_SHOWN: Final = 60
MOST_LISTED: Final = 400
"""Paths of other files that the model is told, so that it knows what there is."""

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_DEFINES: Final = re.compile(r"\b(?:def|class|function|func|fn|struct|interface|type|const|enum|trait)\s+(\w+)")
_GENERATED: Final = re.compile(
    r"(^|/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Cargo\.lock|go\.sum)$"
    r"|\.min\.(js|css)$|\.(map|svg|csv|snap)$|(^|/)(node_modules|vendor|dist|build)/"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that could be shown."""

    id: FileId
    path: FilePath


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that is shown, with its whole text, and why."""

    id: FileId
    path: FilePath
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that would have been shown, and why it is not."""

    path: FilePath
    reason: str


@dataclass(frozen=True, slots=True)
class Context:
    """What is shown. ``others`` are paths of files that are not; ``tokens`` is an estimate of the texts."""

    shown: tuple[Shown, ...]
    left_out: tuple[LeftOut, ...]
    others: tuple[FilePath, ...]
    files: int
    tokens: int
    instructions: str = ""

    def report(self) -> str:
        """In words, for the job's detail."""
        if not self.files:
            return "The room has no files yet."
        text = f"The model sees {len(self.shown)} of {self.files} files, about {self.tokens} tokens."
        if self.left_out:
            some = ", ".join(f"{left.path} ({left.reason})" for left in self.left_out[:3])
            text += f" Left out: {some}{' and more' if len(self.left_out) > 3 else ''}."
        return text


def select(
    files: Sequence[Candidate],
    read: Callable[[FileId], str],
    prompt: str,
    named: Sequence[FileId],
    budget: int,
    instructions: str = "",
) -> Context:
    """Chooses from ``files``; ``budget`` in tokens."""
    words = {word.lower() for word in _WORD.findall(prompt)}
    order = {file: index for index, file in enumerate(named)}
    by_path = {file.id: _path_score(file.path, prompt, words) for file in files}
    ranked = sorted(
        files,
        key=lambda f: (
            order.get(f.id, len(order)),
            -by_path[f.id],
            _is_generated(f.path),
            len(f.path),
            f.path,
        ),
    )
    scored = []
    for file in ranked[:MOST_READ]:
        text = read(file.id)
        if file.id in order:
            scored.append((0, order[file.id], 0, file, text, "named in the request"))
        elif by_path[file.id]:
            scored.append((1, -by_path[file.id], len(text), file, text, "its path occurs in the prompt"))
        elif _is_generated(file.path):
            scored.append((4, 0, len(text), file, text, "small"))
        elif shared := len(words & {name.lower() for name in _DEFINES.findall(text[:200_000])}):
            scored.append((2, -shared, len(text), file, text, "it defines a name that occurs in the prompt"))
        else:
            scored.append((3, 0, len(text), file, text, "small"))
    scored.sort(key=lambda entry: (entry[0], entry[1], entry[2], entry[3].path))
    shown: list[Shown] = []
    left_out: list[LeftOut] = []
    used = 0
    for rank, _, _, file, text, why in scored:
        tokens = estimate(text) + estimate(file.path) + 8
        if used + tokens <= budget and rank < 4 and len(shown) < max(MOST_SHOWN, len(order)):
            shown.append(Shown(file.id, file.path, text, why))
            used += tokens
        elif rank < 3:
            left_out.append(LeftOut(file.path, f"about {tokens} tokens, {max(0, budget - used)} are left"))
    taken = {file.id for file in shown}
    others = tuple(file.path for file in ranked if file.id not in taken)
    return Context(tuple(shown), tuple(left_out), others[:MOST_LISTED], len(files), used, instructions)


def _is_generated(path: str) -> bool:
    return bool(_GENERATED.search(path))


def _path_score(path: str, prompt: str, words: set[str]) -> int:
    """3: the path is in the prompt, 2: the file's name is, 1: its stem is one of the words."""
    if path in prompt:
        return 3
    name = path.rpartition("/")[2]
    if len(name) > 2 and name in prompt:
        return 2
    stem = name.lstrip(".").partition(".")[0].lower()
    return int(len(stem) > 2 and stem in words)

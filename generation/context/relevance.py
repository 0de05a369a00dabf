"""How much each file of a project belongs to a request: by its words, by the names that it tells, by who is
where, and by what refers to what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from collab.ids import FileId
from generation.context.material import Relevance
from generation.search.index import ProjectIndex

MOST_HITS: Final = 60
MOST_NEAR: Final = 25
_MEANT: Final = 2.0
"""What a file gains that defines a name which the request writes as code."""
_MAYBE: Final = 0.15
"""The same for a name that may be a usual word."""
_SIMILAR: Final = 0.8
"""What the file gains whose meaning is nearest; the others less and less."""
_OPEN_BY_ASKER: Final = 0.6
_OPEN: Final = 0.25
_NEAR: Final = 0.2
_CODE: Final = re.compile(r"[a-z0-9][A-Z]|_|[A-Z]{2}[a-z]")
_MARKED: Final = re.compile(r"`([^`\n]{2,80})`|\b([A-Za-z_]\w*)\(\)?|\b[A-Za-z_]\w*\.([A-Za-z_]\w*)")


@dataclass(slots=True)
class Gathered:
    """What speaks for each file."""

    scores: dict[FileId, float] = field(default_factory=dict)
    _whys: dict[FileId, list[tuple[float, str]]] = field(default_factory=dict)

    def add(self, file: FileId, gain: float, why: str) -> None:
        """Something more speaks for a file."""
        self.scores[file] = self.scores.get(file, 0.0) + gain
        self._whys.setdefault(file, []).append((gain, why))

    def relevance(self) -> dict[FileId, Relevance]:
        """The files with their scores, and the two things that speak for each most."""
        return {
            file: Relevance(score, ", ".join(dict.fromkeys(why for _, why in sorted(self._whys[file])[:-3:-1])))
            for file, score in self.scores.items()
        }


def matching(index: ProjectIndex, question: str, similar: Sequence[str] = ()) -> Gathered:
    """The files whose words, names or meaning fit. Those in ``similar`` are nearest by meaning, in that order."""
    found = Gathered()
    known = index.digests().keys() if similar else ()
    marked = meant(question)
    for name, files in index.defining(index.names_in(question)).items():
        gain = (_MEANT if name in marked or _CODE.search(name) else _MAYBE) / len(files)
        for one in files:
            found.add(FileId(one), gain, f"it defines {name}")
    for hit in index.search(question, MOST_HITS):
        found.add(FileId(hit.file), hit.share, "its words are those of the request")
    for place, one in enumerate(similar):
        if one in known:
            gain = _SIMILAR * (1 - place / len(similar))
            found.add(FileId(one), gain, "its meaning is near that of the request")
    return found


def relevance(
    index: ProjectIndex,
    prompt: str,
    mine: Iterable[FileId] = (),
    others: Iterable[FileId] = (),
    similar: Sequence[str] = (),
) -> dict[FileId, Relevance]:
    """The files that belong to the request. ``mine`` are those that the asker has open, ``others`` those that
    somebody else has, ``similar`` those whose meaning is near, the nearest first.
    """
    found = matching(index, prompt, similar)
    for file in mine:
        found.add(file, _OPEN_BY_ASKER, "the asker has it open")
    for file in others:
        found.add(file, _OPEN, "it is open")
    for file, share in _near(index, found.scores).items():
        found.add(file, _NEAR * share, "files of the request refer to it")
    return found.relevance()


def meant(prompt: str) -> set[str]:
    """The names that a request writes as code: in back quotes, with brackets, or behind a dot."""
    found: set[str] = set()
    for quoted, called, member in _MARKED.findall(prompt):
        found.update(re.findall(r"[A-Za-z_]\w*", quoted))
        found.update(name for name in (called, member) if name)
    return found


def _near(index: ProjectIndex, scores: Mapping[FileId, float]) -> dict[FileId, float]:
    """The files with the highest rank as seen from those that belong to the request, the first one at 1."""
    if not scores:
        return {}
    ranked = sorted(
        index.ranked({str(file): score for file, score in scores.items()}).items(),
        key=lambda item: (-item[1], item[0]),
    )[:MOST_NEAR]
    top = ranked[0][1] if ranked else 0.0
    return {FileId(file): rank / top for file, rank in ranked} if top else {}

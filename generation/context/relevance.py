"""How much each file of a project belongs to a request: by its words, by the names that it tells, by who is
where, and by what refers to what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from collab.ids import FileId
from generation.context.material import Relevance
from generation.search.index import ProjectIndex

MOST_HITS: Final = 60
MOST_NEAR: Final = 25
_MEANT: Final = 2.0
"""What a file gains that defines a name which the request writes as code."""
_MAYBE: Final = 0.5
"""The same for a name that may be a usual word."""
_OPEN_BY_ASKER: Final = 0.6
_OPEN: Final = 0.25
_NEAR: Final = 0.3
_CODE: Final = re.compile(r"[a-z0-9][A-Z]|_|[A-Z]{2}[a-z]")
_MARKED: Final = re.compile(r"`([^`\n]{2,80})`|\b([A-Za-z_]\w*)\(\)?|\b[A-Za-z_]\w*\.([A-Za-z_]\w*)")


def relevance(
    index: ProjectIndex, prompt: str, mine: Iterable[FileId] = (), others: Iterable[FileId] = ()
) -> dict[FileId, Relevance]:
    """The files that belong to the request. ``mine`` are those that the asker has open, ``others`` those that
    somebody else has.
    """
    scores: dict[FileId, float] = {}
    whys: dict[FileId, list[tuple[float, str]]] = {}

    def add(file: FileId, score: float, why: str) -> None:
        scores[file] = scores.get(file, 0.0) + score
        whys.setdefault(file, []).append((score, why))

    marked = meant(prompt)
    for name, files in index.defining(index.names_in(prompt)).items():
        gain = (_MEANT if name in marked or _CODE.search(name) else _MAYBE) / len(files)
        for one in files:
            add(FileId(one), gain, f"it defines {name}")
    for hit in index.search(prompt, MOST_HITS):
        add(FileId(hit.file), hit.share, "its words are those of the request")
    for mine_or_not, gain, why in ((mine, _OPEN_BY_ASKER, "the asker has it open"), (others, _OPEN, "it is open")):
        for file in mine_or_not:
            add(file, gain, why)
    for file, share in _near(index, scores).items():
        add(file, _NEAR * share, "files of the request refer to it")
    return {
        file: Relevance(score, ", ".join(dict.fromkeys(why for _, why in sorted(whys[file], reverse=True)[:2])))
        for file, score in scores.items()
    }


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

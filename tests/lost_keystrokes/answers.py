"""Answers of a model to a base: what they change, and the words in which they say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

from collab.ids import FileId
from tests.lost_keystrokes.texts import (
    MODEL,
    WORD,
    SourceFile,
    Words,
    block,
    lines_of,
    sentence,
    source_file,
)

Form = Literal["blocks", "whole", "new"]
_APART: Final = 6
"""At least so many lines lie between two changes."""


@dataclass(slots=True, eq=False)
class Region:
    """One hunk of an answer: base lines ``first`` to ``last`` (not included) become ``new``, without line ends.

    ``outer`` are the lines that a block searches for, those around the change included. ``told`` is how many
    characters of the answer must have been read for all of it to be known, ``closed`` those for its block's end.
    """

    file: FileId | None
    path: str
    form: Form
    first: int
    last: int
    new: list[str]
    outer: tuple[int, int]
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    told: int = 0
    closed: int = 0


@dataclass(slots=True)
class Structural:
    """A rename or a deletion that an answer asks for; ``told`` as in Region."""

    file: FileId
    path: str
    to: str | None
    told: int


@dataclass(slots=True)
class Answer:
    """The text of an answer and what is in it."""

    text: str = ""
    regions: list[Region] = field(default_factory=list)
    structural: list[Structural] = field(default_factory=list)


def write_answer(random: Random, words: Words, base: Mapping[FileId, SourceFile], number: int) -> Answer:
    """An answer to these files of the base."""
    answer = Answer()
    files = sorted(base.items())
    random.shuffle(files)
    for file, source in files[: random.choice((1, 1, 2))]:
        regions = _regions(random, words, file, source)
        if random.random() < 0.3:
            answer.text += f"\nNow to {source.path}, which needs a change.\n\n"
        if regions and random.random() < 0.4 and _even(source.text):
            _whole(answer, source, regions)
        else:
            _blocks(random, answer, source, regions)
    if random.random() < 0.25:
        _new(answer, source_file(random, words, 100 + number, random.randint(5, 40)), words, random)
    if files and random.random() < 0.15:
        file, source = random.choice(files)
        if random.random() < 0.5:
            answer.text += f"<<<<<<< DELETE {source.path}\n"
            answer.structural.append(Structural(file, source.path, None, len(answer.text)))
        else:
            to = f"src/renamed{number}.py"
            answer.text += f"<<<<<<< RENAME {source.path} => {to}\n"
            answer.structural.append(Structural(file, source.path, to, len(answer.text)))
    answer.text += "That is all.\n"
    return answer


def _regions(random: Random, words: Words, file: FileId, source: SourceFile) -> list[Region]:
    lines = [line.rstrip("\r\n") for line in lines_of(source.text)]
    often = Counter(lines)
    regions: list[Region] = []
    at = random.randint(0, _APART)
    while at < len(lines) and len(regions) < 12:
        what = random.choices(("replace", "tweak", "insert", "delete"), (4, 4, 3, 1.5))[0]
        size = 0 if what == "insert" else random.randint(1, 2 if what == "tweak" else 6)
        first, last = at, min(len(lines), at + size)
        old = lines[first:last]
        new = _new_lines(random, words, source, what, old)
        outer = max(0, first - random.randint(0, 2)), min(len(lines), last + random.randint(0, 2))
        while outer[1] < min(len(lines), last + 3) and not _certain(lines[outer[0] : outer[1]], often):
            outer = outer[0], outer[1] + 1
        added, removed = _words(new) - _words(old), _words(old) - _words(new)
        search = lines[outer[0] : outer[1]]
        if _certain(search, often) and (added or removed) and not any("\r" in line for line in search):
            form: Form = "blocks"
            regions.append(Region(file, source.path, form, first, last, new, outer, added, removed))
        at = outer[1] + _APART + random.randint(0, 12)
    return regions


def _new_lines(random: Random, words: Words, source: SourceFile, what: str, old: list[str]) -> list[str]:
    if what == "delete":
        return []
    if what == "tweak":
        return [WORD.sub(lambda found: _maybe(random, words, found[0]), line) for line in old]
    count = random.randint(1, 7)
    if source.path.endswith(".md"):
        return [sentence(random, words, MODEL) for _ in range(count)]
    return block(random, words, MODEL, count)


def _maybe(random: Random, words: Words, word: str) -> str:
    return words.next(MODEL) if random.random() < 0.5 else word


def _certain(search: list[str], often: Counter[str]) -> bool:
    return any(often[line] == 1 for line in search)


def _words(lines: list[str]) -> frozenset[str]:
    return frozenset(WORD.findall("\n".join(lines)))


def _blocks(random: Random, answer: Answer, source: SourceFile, regions: list[Region]) -> None:
    lines = [line.rstrip("\r\n") for line in lines_of(source.text)]
    if random.random() < 0.2:
        random.shuffle(regions)
    for region in regions:
        start, end = region.outer
        around = lines[start : region.first], lines[region.last : end]
        answer.text += f"{source.path}\n<<<<<<< SEARCH\n{_joined(lines[start:end])}=======\n"
        answer.text += _joined([*around[0], *region.new])
        answer.text += _joined(around[1])
        region.told = len(answer.text)
        answer.text += ">>>>>>> REPLACE\n"
        region.closed = len(answer.text)
        if random.random() < 0.1:
            answer.text += "\nThe next place needs the same.\n\n"
    answer.regions += regions


def _whole(answer: Answer, source: SourceFile, regions: list[Region]) -> None:
    lines = [line.rstrip("\r\n") for line in lines_of(source.text)]
    answer.text += f"{source.path}\n````\n"
    at = 0
    for region in sorted(regions, key=lambda region: region.first):
        answer.text += _joined([*lines[at : region.first], *region.new])
        at = region.last
        region.form = "whole"
        region.outer = region.first, region.last
        region.told = len(answer.text)
    answer.text += _joined(lines[at:]) + "````\n"
    for region in regions:
        region.closed = len(answer.text)
    answer.regions += regions


def _new(answer: Answer, source: SourceFile, words: Words, random: Random) -> None:
    new = [WORD.sub(lambda _: words.next(MODEL), line.rstrip("\r\n")) for line in lines_of(source.text)]
    region = Region(None, source.path, "new", 0, 0, new, (0, 0), _words(new))
    answer.text += f"{source.path}\n````\n{_joined(new)}"
    region.told = len(answer.text)
    answer.text += "````\n"
    region.closed = len(answer.text)
    answer.regions.append(region)


def _joined(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)


def _even(text: str) -> bool:
    """Whether all lines of a text end alike, the last one too: a model writes them all as ``\\n``."""
    return text.endswith("\n") and text.count("\r\n") == text.count("\r") in {0, text.count("\n")}

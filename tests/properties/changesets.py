"""Changesets like those of agents and folder syncs, from a seed: files of code and prose that people edit too."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from collab.merge.changeset import (
    CreateFile,
    Decision,
    DeleteFile,
    EditHunk,
    Intent,
    RenameFile,
    ReplaceFile,
    decide,
)
from collab.merge.resolver import TextResolver
from collab.syntax.syntax import Syntax
from tests.lost_keystrokes.texts import MODEL, PEOPLE, WORD, Words, block, lines_of, newline_of, source_file


@dataclass(frozen=True, slots=True)
class Case:
    """What a writer knew and wants, and what is there by now."""

    base: dict[str, str]
    live: dict[str, str]
    intents: list[Intent]
    moved: dict[str, str]


def case(seed: int) -> Case:
    """One to three files, edited by people and by the writer since the base."""
    random = Random(seed)
    words = Words(alike=random.random() < 0.5)
    sources = [source_file(random, words, number, random.choice((6, 20, 60))) for number in range(3)]
    base = {source.path: source.text for source in sources[: random.randint(1, 3)]}
    live: dict[str, str] = {}
    moved: dict[str, str] = {}
    intents: list[Intent] = []
    for number, (path, text) in enumerate(base.items()):
        now = path
        if random.random() < 0.1:
            now = moved[path] = f"moved/file{number}.py"
        if random.random() > 0.05:
            live[now] = edited(random, words, PEOPLE, text) if random.random() < 0.8 else text
        intents += _wishes(random, words, path, text, number)
    if random.random() < 0.3:
        intents.append(CreateFile("src/new.py", "".join(_new_lines(random, words, MODEL, "\n"))))
        if random.random() < 0.3:
            live["src/new.py"] = "".join(_new_lines(random, words, PEOPLE, "\n"))
    return Case(base, live, intents, moved)


def _wishes(random: Random, words: Words, path: str, text: str, number: int) -> list[Intent]:
    what = random.random()
    if what < 0.06:
        return [DeleteFile(path)]
    wishes: list[Intent] = [RenameFile(path, f"src/renamed{number}.py")] if what < 0.14 else []
    if what < 0.5:
        return [*wishes, ReplaceFile(path, edited(random, words, MODEL, text))]
    return [*wishes, *(EditHunk(path, start, end, new) for start, end, new in changes(random, words, MODEL, text))]


def edited(random: Random, words: Words, kind: str, text: str) -> str:
    """The text with some lines changed, added and taken away."""
    for start, end, new in reversed(changes(random, words, kind, text)):
        text = text[:start] + new + text[end:]
    return text


def changes(random: Random, words: Words, kind: str, text: str) -> list[tuple[int, int, str]]:
    """Changes of some lines, apart from each other, ascending; in code points of the text."""
    lines = lines_of(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found = []
    at = random.randint(0, 12)
    while at < len(lines):
        upto = min(len(lines), at + random.choice((0, 1, 1, 2, 4)))
        if kind == MODEL and not _plain(lines[at:upto]):
            at += 1
            continue
        old = text[starts[at] : starts[upto]]
        if random.random() < 0.4 and upto > at:
            there = WORD.findall(old) if kind == MODEL else old.split()
            new = old.replace(random.choice(there), words.next(kind)) if there else old
        else:
            new = "".join(_new_lines(random, words, kind, newline_of(text))) if random.random() < 0.8 else ""
        if new != old:
            found.append((starts[at], starts[upto], new))
        at = upto + random.randint(2, 25)
    return found


def _plain(lines: list[str]) -> bool:
    """Whether these are whole statements, so that a writer that is no person leaves what can be parsed."""
    return not any(line.lstrip().startswith(("def ", "class ", "if ", "else:", "return")) for line in lines)


def _new_lines(random: Random, words: Words, kind: str, end: str) -> list[str]:
    lines = block(random, words, kind, random.randint(1, 5))
    # A line that is there many times may be compared with any of them.
    return [line + end for line in lines if WORD.search(line)]


def decided(one: Case, merger: TextResolver) -> list[Decision]:
    """The decisions about a case."""
    return decide(one.base, one.live, one.intents, merger, one.moved)


def shuffled(one: Case, random: Random) -> Case:
    """The same case with all tables in another order."""

    def other(table: dict[str, str]) -> dict[str, str]:
        return dict(random.sample(list(table.items()), len(table)))

    return Case(other(one.base), other(one.live), one.intents, other(one.moved))


def fingerprint(seeds: Sequence[int]) -> str:
    """What all these cases come to, to the last character, as a short text."""
    merger = TextResolver(Syntax())
    digest = hashlib.sha256()
    for seed in seeds:
        digest.update(repr(decided(case(seed), merger)).encode())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(fingerprint(range(int(sys.argv[1]), int(sys.argv[2]))))

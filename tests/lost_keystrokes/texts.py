"""Files as people have them: code, prose, Windows line ends, emoji; almost every line with a word of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

BASE, PEOPLE, MODEL = "b", "p", "z"
"""First letters of the words that stood there before all, that people type, and that a model writes."""
WORD: Final = re.compile(r"[bp]\d{6}|z(?:\d{6}|[g-q]{6})")
WORD_LENGTH: Final = 7
WORD_BEGUN: Final = re.compile(r"z(?:\d{0,5}(?![\dg-q])|[g-q]{1,5}(?![g-q]))")
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
_SPICE: Final = ("# naïve 😀", "# e\u0301te\u0301 \u2713", "# 👩\u200d💻 日本", "# Größe")
"""Comments with characters of every length in UTF-8 and UTF-16, combining ones included."""


class Words:
    """Gives out words that occur nowhere else in the world.

    With ``alike`` the model's words have characters in common with others, so that a change of a word to another
    is a change of a part of it.
    """

    def __init__(self, *, alike: bool, first: int = 1) -> None:
        self.alike = alike
        self._count = first - 1

    def next(self, kind: str) -> str:
        self._count += 1
        number = f"{self._count:06d}"
        return kind + (number if self.alike or kind != MODEL else number.translate(_LETTERS))


@dataclass(frozen=True, slots=True)
class SourceFile:
    path: str
    text: str


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends; only ``\\n`` ends a line."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def newline_of(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def statement(random: Random, words: Words, kind: str) -> str:
    """One simple line of code without indentation and end."""

    def new() -> str:
        return words.next(kind)

    shapes: tuple[Callable[[], str], ...] = (
        lambda: f"total_{new()} = load_{new()}(value_{new()}, {random.randint(0, 99)})",
        lambda: f"self.{new()} = {new()}",
        lambda: f'print("{new()} of {new()}")',
        lambda: f"items.append({new()}.{new()})",
        lambda: f"# {new()} comes before {new()}",
        lambda: "pass",
        lambda: "self.count += 1",
    )
    line = random.choices(shapes, (6, 4, 2, 3, 2, 0.3, 0.3))[0]()
    return f"{line}  {random.choice(_SPICE)}" if random.random() < 0.04 else line


def block(random: Random, words: Words, kind: str, count: int) -> list[str]:
    """About so many lines of code of one function's body, without ends."""
    lines: list[str] = []
    while len(lines) < count:
        what = random.random()
        if what < 0.15:
            lines.append(f"        if {words.next(kind)} > {random.randint(0, 9)}:")
            lines.append(f"            {statement(random, words, kind).partition('#')[0] or 'pass'}".rstrip())
            if what < 0.05:
                lines += ["        else:", f"            return {words.next(kind)}[{random.randint(0, 9)}]"]
        elif what < 0.25 and kind == BASE and lines:
            lines.append("")
        else:
            lines.append(f"        {statement(random, words, kind)}")
    return lines


def sentence(random: Random, words: Words, kind: str) -> str:
    """A line of prose."""
    filler = ("the", "a", "room", "of", "and", "which", "holds", "text", "as", "it", "was")
    parts = [random.choice(filler) if random.random() < 0.7 else words.next(kind) for _ in range(14)]
    parts.insert(random.randint(0, 14), words.next(kind))
    return f"And {' '.join(parts)}."


def source_file(random: Random, words: Words, number: int, lines: int) -> SourceFile:
    """A file of about this many lines."""
    shape = random.choices(("code", "prose", "windows"), (7, 2, 1))[0]
    made: list[str] = []
    if shape == "prose":
        while len(made) < lines:
            if random.random() < 0.3:
                made += [f"- {sentence(random, words, BASE)}" for _ in range(random.randint(2, 5))]
            else:
                made += [sentence(random, words, BASE) for _ in range(random.randint(1, 6))]
            made.append("")
    else:
        made += [f"import {words.next(BASE)}" for _ in range(random.randint(1, 6))] + [""]
        while len(made) < lines:
            made += ["", f"class Task_{words.next(BASE)}:"]
            for _ in range(random.randint(1, 4)):
                made.append(f"    def {words.next(BASE)}(self, {words.next(BASE)}):")
                made += [*block(random, words, BASE, random.randint(2, 10)), "        return None", ""]
    end = "\r\n" if shape == "windows" else "\n"
    text = "".join(line + end for line in made)
    if random.random() < 0.1:
        text = text.removesuffix(end)
    suffix = "md" if shape == "prose" else "py"
    return SourceFile(f"src/file{number}.{suffix}", text)

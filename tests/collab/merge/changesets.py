"""Rooms and changesets for the tests of decisions and landings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from hypothesis import strategies as st

from collab.document import Document
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.merge.landing import Ids, question_id
from collab.merge.resolver import TextResolver

MERGER = TextResolver()
LINE = st.sampled_from(
    ["a = 1\n", "b(c, d)\n", "b(c, e)\n", "x b(c, d) y\n", "\n", "    return b\n", "c\n", "}\n", "ü𝄞\n"]
)


def room(files: Mapping[str, str]) -> Document:
    """A live document with these files; their ids are their paths."""
    document = Document(ClientId(1))
    for path, text in files.items():
        document.edit(lambda editor, p=path, t=text: editor.create(FileId(p), p, t))  # type: ignore[misc]
    return document


def texts(document: Document) -> dict[str, str]:
    """The texts by path."""
    return {file.shown: document.text(file.id) for file in document.listing().files.values()}


def ids(number: int = 1) -> Ids:
    """Ids of the change of this number."""
    new = count(1)

    def file() -> FileId:
        return FileId(f"new{number}.{next(new)}")

    def suggestion(key: str) -> SuggestionId:
        return question_id("kim", key)

    make: Callable[[], FileId] = file
    return Ids(JobId(f"c{number}"), ClientId(1000 + number), ClientId(2000 + number), make, suggestion)


@st.composite
def three(draw: st.DrawFn) -> tuple[str, str, str]:
    """A base and two edits of it: by people and by the writer."""
    base = draw(st.lists(LINE, max_size=12))

    def edited(sign: str) -> str:
        lines = list(base)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(lines)))
            upto = draw(st.integers(at, min(len(lines), at + 2)))
            new = draw(st.lists(LINE | st.sampled_from([f"{sign}1()\n", f"{sign}2 = c\n"]), max_size=2))
            lines[at:upto] = new
        return "".join(lines)

    return "".join(base), edited("ours"), edited("theirs")


@st.composite
def distinct(draw: st.DrawFn) -> tuple[str, str, str]:
    """As ``three``, but no line is there twice, so that it is certain which one is which."""
    base = [f"line {number} of {number * 7}\n" for number in range(draw(st.integers(0, 12)))]
    written = count(1)

    def edited(sign: str) -> str:
        lines = list(base)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(lines)))
            upto = draw(st.integers(at, min(len(lines), at + 2)))
            new = []
            for _ in range(draw(st.integers(0, 2))):
                word = f"{sign}{next(written)}"
                within = at < len(lines) and draw(st.booleans())
                new.append(lines[at].replace("of", word) if within else f"{word} wrote\n")
            lines[at:upto] = new
        return "".join(lines)

    return "".join(base), edited("ours"), edited("theirs")

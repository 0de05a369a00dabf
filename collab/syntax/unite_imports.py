"""Unites what two sides made of one Python ``from module import names``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collab.syntax.parsing import decode
from collab.syntax.unite_layout import (
    Layout,
    by_codes,
    by_kind,
    by_letters,
    lay_out,
    line_length,
    sorted_alike,
    widest,
)
from collab.syntax.unite_order import Doubts, merged_order
from collab.syntax.unite_units import Part

_NAMES: Final = Doubts[str](fixed=lambda name: name == "*", kind=lambda name: "", replaced=lambda name: False)


@dataclass(frozen=True, slots=True)
class _Import:
    """One side's statement."""

    text: str
    head: str
    """Up to the word ``import``."""
    names: tuple[str, ...]
    inside: str
    """What stands between the brackets, or where they would be."""
    comment: str
    """The comment after the opening bracket, with the space before it."""
    brackets: bool

    @property
    def comma(self) -> bool:
        """Whether a comma follows the last name, or would if there were brackets."""
        return not self.brackets or self.inside.rstrip().endswith(",")


def unite_imported(base: Part | None, ours: Part, theirs: Part) -> str | None:
    """The statement with the names that both sides leave; empty when none is left, None when people must decide.

    ``base`` is None when both sides added the statement.
    """
    was = None if base is None else _read(base)
    one, other = _read(ours), _read(theirs)
    if one is None or other is None or (base is not None and was is None):
        return None
    names = merged_order(() if was is None else was.names, one.names, other.names, _NAMES)
    comment = _comment(was, one, other)
    if names is None or comment is None:
        return None
    if not names:
        return ""
    for side in (one, other):
        if set(names) == set(side.names) and side.comment == comment:
            return side.text
    names = sorted_alike(names, (one.names, other.names), (by_kind, by_letters, by_codes), 1) or names
    return _laid_out(one, other, names, comment, ours)


def imported(part: Part) -> tuple[str, tuple[str, ...]] | None:
    """What a statement imports from and which names (``a as b`` is one); None for one that cannot be read."""
    read = _read(part)
    return None if read is None else (read.head, read.names)


def without(part: Part, names: frozenset[str]) -> str | None:
    """The statement without ``names``: empty when none is left, None when it cannot be laid out."""
    read = _read(part)
    if read is None:
        return None
    left = [name for name in read.names if name not in names]
    return _laid_out(read, read, left, read.comment, part) if left else ""


def _laid_out(one: _Import, other: _Import, names: Sequence[str], comment: str, place: Part) -> str | None:
    layout = widest((one.inside, other.inside), (one.names, other.names))
    column = place.node.start_point.column
    before, length = column + len(one.head) + 1, line_length(place.parsed.text)
    if layout.style == "line":
        opening, closing = ("(", ")") if one.brackets or other.brackets else ("", "")
        flat = lay_out(opening, names, closing, layout, comma=False, before=before, length=length)
        if flat is not None and not comment:
            return f"{one.head} {flat}"
        layout = Layout("each", " " * (column + 4), "", hangs=False)
    comma = layout.style == "each" and not layout.hangs and (one.comma or other.comma)
    listed = lay_out("(" + comment, names, ")", layout, comma=comma, before=before, length=length)
    return None if listed is None else f"{one.head} {listed}"


def _comment(base: _Import | None, ours: _Import, theirs: _Import) -> str | None:
    """The comment that both sides leave; None when they differ."""
    was = "" if base is None else base.comment
    if ours.comment == theirs.comment or theirs.comment == was:
        return ours.comment
    return theirs.comment if ours.comment == was else None


def _read(part: Part) -> _Import | None:
    node, parsed = part.node, part.parsed
    word = next((child for child in node.children if child.type == "import"), None)
    opening = next((child for child in node.children if child.type == "("), None)
    if word is None or node.has_error:
        return None
    comment, names = "", list[str]()
    for child in node.children:
        if child.start_byte < word.end_byte or not child.is_named:
            continue
        if child.type != "comment":
            names.append(" ".join(parsed.source(child).split()))
        elif names or comment or opening is None or child.start_point.row != opening.start_point.row:
            return None
        else:
            comment = "  " + parsed.source(child)
    if len(set(names)) < len(names):
        return None
    start = (word if opening is None else opening).end_byte
    end = node.end_byte if opening is None else node.children[-1].start_byte
    inside = decode(parsed.data[start:end])
    inside = inside.replace(comment.strip(), "", 1) if comment else inside
    head = " ".join(decode(parsed.data[node.start_byte : word.end_byte]).split())
    return _Import(
        part.text, head, tuple(names), inside if opening else inside.strip(), comment, opening is not None
    )

"""The symbols that a text defines, and the names that a text uses."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from tree_sitter import Node

from collab.syntax.parsing import Parsed, Parsing
from collab.syntax.symbol import Symbol

WORD: Final = re.compile(r"\w+")
_STEP: Final = 64


def symbols(parsing: Parsing, parsed: Parsed) -> tuple[Symbol, ...]:
    """The symbols of a text in the order in which they begin, an outer one before what is inside."""
    for _ in symbols_in_steps(parsing, parsed):
        pass
    return parsed.symbols or ()


def symbols_in_steps(parsing: Parsing, parsed: Parsed) -> Iterator[None]:
    """Find the symbols of a text, yielding every few milliseconds; :func:`symbols` has them then."""
    if parsed.symbols is not None or not parsed.language.definitions:
        return
    found: dict[tuple[int, int], tuple[str, Node]] = {}
    for match in parsing.captures(parsed, parsed.language.definitions):
        [name, *_] = match["name"]
        kind, node = next((kind, nodes[0]) for kind, nodes in match.items() if kind != "name")
        found.setdefault((node.start_byte, -node.end_byte), (kind, name))
    yield
    made: list[Symbol] = []
    open_: list[tuple[int, str, bool]] = []
    for (start, end), (kind, name) in sorted(found.items(), key=lambda one: one[0]):
        while open_ and open_[-1][0] < -end:
            open_.pop()
        parent = open_[-1][1] if open_ else ""
        text = " ".join(parsed.source(name).split())
        receiver = _receiver(parsed, name)
        qualified = ".".join(part for part in (parent, receiver, text) if part)
        if kind == "function" and open_ and open_[-1][2]:
            kind = "method"
        open_.append((-end, qualified, kind in ("class", "interface", "scope")))
        if kind == "scope":
            continue
        made.append(
            Symbol(
                kind,
                text,
                qualified,
                qualified[: -len(text) - 1] if qualified != text else "",
                parsed.characters(start),
                parsed.characters(-end),
                parsed.characters(name.start_byte),
                parsed.characters(name.end_byte),
            )
        )
        if len(made) % _STEP == 0:
            yield
    parsed.symbols = tuple(made)


def names_used(parsing: Parsing, parsed: Parsed) -> frozenset[str]:
    """The identifiers that a text uses, without those that it only defines; of a fragment too."""
    defined = {(one.name_start, one.name_end) for one in symbols(parsing, parsed)}
    return frozenset(
        parsed.source(node)
        for node in identifiers(parsed)
        if (parsed.characters(node.start_byte), parsed.characters(node.end_byte)) not in defined
        and not _is_label(node)
    )


def identifiers(parsed: Parsed) -> Iterator[Node]:
    """The nodes of a text that are names, in order."""
    cursor = parsed.tree.walk()
    while True:
        node = cursor.node
        if node is not None and node.child_count == 0 and node.type.endswith("identifier"):
            yield node
        if cursor.goto_first_child() or cursor.goto_next_sibling():
            continue
        while cursor.goto_parent():
            if cursor.goto_next_sibling():
                break
        else:
            return


def dedented(fragment: str) -> str:
    """A fragment from inside a text, moved to the left margin, so that languages of indentation parse it."""
    return textwrap.dedent(fragment)


def _is_label(node: Node) -> bool:
    """Whether a name is only the label of a value: the ``k`` of ``f(k=1)`` or of ``{k: 1}``."""
    parent = node.parent
    if parent is None or parent.type not in ("keyword_argument", "pair", "default_parameter"):
        return False
    label = parent.child_by_field_name("name") or parent.child_by_field_name("key")
    return label is not None and label.id == node.id


def _receiver(parsed: Parsed, name: Node) -> str:
    """The type that a method in Go is declared for, outside of it."""
    declaration = name.parent
    if declaration is None or declaration.type != "method_declaration":
        return ""
    receiver = declaration.child_by_field_name("receiver")
    if receiver is None:
        return ""
    words = WORD.findall(parsed.source(receiver).partition("[")[0])
    return words[-1] if words else ""


def digest(text: str, symbol: Symbol) -> bytes:
    """Equal for two definitions that differ in their own name and in white space at most; each with its text."""
    body = _without_name(text, symbol)
    return blake2b(" ".join(body.split()).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _without_name(text: str, symbol: Symbol) -> str:
    """A definition's text with its own name masked wherever it stands, so that a rename does not change it."""
    own = text[symbol.name_start : symbol.name_end]
    if not WORD.fullmatch(own):
        return text[symbol.start : symbol.name_start] + "\0" + text[symbol.name_end : symbol.end]
    return _masked(text[symbol.start : symbol.end], own)


def _masked(text: str, word: str) -> str:
    """``text`` with NUL for each ``word``; by hand, as an expression for every name takes longer to compile."""
    parts: list[str] = []
    at, size = 0, len(word)
    found = text.find(word)
    while found >= 0:
        end = found + size
        if not (_in_word(text[end : end + 1]) or (found and _in_word(text[found - 1]))):
            parts.append(text[at:found])
            at = end
        found = text.find(word, end)
    return "\0".join([*parts, text[at:]])


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"

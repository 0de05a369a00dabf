"""What holds for every merge of the syntax layer, on regions that two sides edited at random."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from collab.syntax.syntax import Syntax

SYNTAX = Syntax()
Render = Callable[[Sequence[str]], str]


def _dictionary(names: Sequence[str]) -> str:
    return "".join(f'    "{name}": {name}_value,\n' for name in names)


def _imports(names: Sequence[str]) -> str:
    return "".join(f"import {name}\n" for name in names)


def _names(names: Sequence[str]) -> str:
    return f"from some import {', '.join(names)}\n" if names else ""


def _functions(names: Sequence[str]) -> str:
    return "".join(f"def {name}({name}_argument):\n    return {name}_result\n\n\n" for name in names)


def _members(names: Sequence[str]) -> str:
    return ",\n".join(f'  "{name}": "{name}_value"' for name in names) + ("\n" if names else "")


def _items(names: Sequence[str]) -> str:
    return "".join(f"- about {name}\n" for name in names)


KINDS: dict[str, tuple[str, str, Render, str]] = {
    "dictionary": ("a.py", "X = {\n", _dictionary, "}\n"),
    "imports": ("a.py", "import aaa\n", _imports, "import zzz\n\nx = 1\n"),
    "names": ("a.py", "import aaa\n", _names, "\n\nx = 1\n"),
    "functions": ("a.py", "import aaa\n\n\n", _functions, "x = 1\n"),
    "members": ("a.json", "{\n", _members, "}\n"),
    "items": ("a.md", "# List\n\n- first\n", _items, "\nThe end.\n"),
}
WORDS = ["amber", "birch", "cedar", "daisy", "elder", "fern"]
NEW = ["garlic", "hazel", "iris", "jasmine", "kale"]


@st.composite
def sides(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    base = draw(st.lists(st.sampled_from(WORDS), unique=True, max_size=4))

    def side() -> list[str]:
        names = [name for name in base if draw(st.integers(0, 4))]
        for name in draw(st.lists(st.sampled_from(NEW), unique=True, max_size=3)):
            names.insert(draw(st.integers(0, len(names))), name)
        return names

    return base, side(), side()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(KINDS)), sides())
def test_a_merge_has_what_either_added_lacks_what_either_removed_and_can_be_read(
    kind: str, three: tuple[list[str], list[str], list[str]]
) -> None:
    path, before, render, after = KINDS[kind]
    base, ours, theirs = three
    texts = [render(names) for names in three]
    start = len(before)
    spans = tuple((start, start + len(text)) for text in texts)
    whole = [before + text + after for text in texts]
    made = SYNTAX.unite(path, whole[0], whole[1], whole[2], (spans[0], spans[1], spans[2]))
    if made is None:
        return
    result = before + made + after
    for name in {*WORDS, *NEW}:
        stays = name in ours and name in theirs if name in base else name in ours or name in theirs
        counts = [len(re.findall(rf"\b{name}\b", text)) for text in texts]
        assert len(re.findall(rf"\b{name}\b", result)) == (max(counts) if stays else 0), result
    if path == "a.py":
        ast.parse(result)
    elif path == "a.json":
        json.loads(result)
    assert SYNTAX.errors(path, result) == 0


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(KINDS)), sides())
def test_a_side_that_changed_nothing_leaves_the_other_side_as_it_is(
    kind: str, three: tuple[list[str], list[str], list[str]]
) -> None:
    path, before, render, after = KINDS[kind]
    base, changed, _ = (render(names) for names in three)
    start = len(before)
    whole, new = before + base + after, before + changed + after
    was, now = (start, start + len(base)), (start, start + len(changed))
    assert SYNTAX.unite(path, whole, new, whole, (was, now, was)) in (None, changed)
    assert SYNTAX.unite(path, whole, whole, new, (was, was, now)) in (None, changed)


def test_usual_merges_are_made_and_not_left_to_the_people() -> None:
    for path, before, render, after in KINDS.values():
        texts = [render(names) for names in (["birch"], ["birch", "hazel"], ["birch", "kale"])]
        spans = [(len(before), len(before) + len(text)) for text in texts]
        whole = [before + text + after for text in texts]
        made = SYNTAX.unite(path, whole[0], whole[1], whole[2], (spans[0], spans[1], spans[2]))
        assert made == render(["birch", "hazel", "kale"])

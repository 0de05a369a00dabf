"""What differs between two states of a room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collab.history.comparing import MOST_FILES, MOST_LINES, FileComparison, Hunk, compare, different, hunks
from collab.history.tree import Row, Tree, digest
from collab.ids import FileId

State = dict[str, tuple[str, str]]


def tree(state: State) -> Tree:
    return Tree(
        {FileId(file): Row(FileId(file), path, len(text), digest(text), 1) for file, (path, text) in state.items()}
    )


def found(before: State, after: State, only: str | None = None) -> tuple[FileComparison, ...]:
    pairs = different(tree(before), tree(after), only)
    return compare(pairs, lambda row: before[row.file][1], lambda row: after[row.file][1]).files


def rebuilt(old: str, changes: list[Hunk]) -> str:
    lines = old.split("\n")
    for hunk in reversed(changes):
        old_lines = [line.text for line in hunk.lines if line.mark != "new"]
        new_lines = [line.text for line in hunk.lines if line.mark != "gone"]
        assert lines[hunk.before : hunk.before + len(old_lines)] == old_lines
        lines[hunk.before : hunk.before + len(old_lines)] = new_lines
    return "\n".join(lines)


@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_hunks_make_the_newer_text_of_the_older(one: list[str], other: list[str]) -> None:
    old, new = ("".join(f"{line}\n" for line in lines) for lines in (one, other))
    assert rebuilt(old, list(hunks(old, new))) == new


def test_changes_far_apart_are_hunks_of_their_own() -> None:
    old = "".join(f"{number}\n" for number in range(40))
    changes = list(hunks(old, old.replace("3\n", "x\n", 1).replace("\n33\n", "\ny\n")))
    assert [(hunk.before, hunk.after) for hunk in changes] == [(0, 0), (30, 30)]


def test_kinds_of_differences() -> None:
    before = {"1": ("a", "x\n"), "2": ("b", "y\n"), "3": ("c", "z\n"), "4": ("d", "s\n")}
    after = {"2": ("bb", "y\n"), "3": ("c", "zz\n"), "4": ("d", "s\n"), "5": ("e", "n\n")}
    kinds = [(one.path, one.kind, one.before, one.added, one.removed) for one in found(before, after)]
    assert kinds == [
        ("a", "removed", None, 0, 1),
        ("bb", "renamed", "b", 0, 0),
        ("c", "changed", None, 1, 1),
        ("e", "added", None, 1, 0),
    ]


def test_one_file_alone_by_its_path_before_or_after() -> None:
    before, after = {"1": ("a", "x"), "2": ("b", "y")}, {"1": ("new", "x"), "2": ("b", "z")}
    assert [one.path for one in found(before, after, "a")] == ["new"]
    assert [one.path for one in found(before, after, "2")] == ["b"]


def test_a_comparison_that_would_be_too_large_names_the_file_without_its_lines() -> None:
    large = "x\n" * (MOST_LINES + 1)
    files = found({}, {"1": ("a", large), "2": ("b", "small\n")})
    assert [(one.whole, len(one.hunks), one.added) for one in files] == [(False, 0, MOST_LINES + 1), (True, 1, 1)]


def test_more_files_than_can_be_named_are_counted() -> None:
    after = {str(number): (f"p{number}", "") for number in range(MOST_FILES + 3)}
    pairs = different(Tree(), tree(after))
    result = compare(pairs, lambda row: "", lambda row: "")
    assert (len(result.files), result.more) == (MOST_FILES, 3)

"""Makes the corpus: what is to be changed in a project, said in the many ways in which models say it.

Run ``python -m tests.generation.answers.making`` to write it anew.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeVar

from tests.generation.answers.projects import PROJECTS, Change, Project

CORPUS = Path(__file__).parents[2] / "data" / "answers.jsonl.gz"
Must = Literal["right", "refused", "either"]


@dataclass(frozen=True, slots=True)
class Case:
    """One answer. ``must`` says what has to become of it: all that was asked for, nothing, or either of both.

    ``made`` are the states in which a file may be, by path: as it was, or with some changes. None: not there.
    """

    name: str
    way: str
    must: Must
    files: dict[str, str]
    answer: str
    expected: dict[str, str]
    made: dict[str, list[str | None]]

    @property
    def broken(self) -> bool:
        """Whether the stream broke off, which the provider tells."""
        return self.way.startswith("cut off")


Way = Callable[[Project], str | None]
"""Words the changes of a project; None where this way does not fit."""
_W = TypeVar("_W", bound=Way)
_WAYS: list[tuple[str, Must, Way]] = []


def way(must: Must) -> Callable[[_W], _W]:
    def register(make: _W) -> _W:
        _WAYS.append((getattr(make, "__name__", "").replace("_", " "), must, make))
        return make

    return register


def cases() -> Iterator[Case]:
    """The whole corpus, in order."""
    for project in PROJECTS:
        for name, must, make in _WAYS:
            answer = make(project)
            if answer is not None:
                yield case(project, name, must, answer)


def case(project: Project, name: str, must: Must, answer: str) -> Case:
    files = _after(project) if name == "made already" else dict(project.files)
    count = len(project.changes) + len(project.new)
    states = [project.after(made=made) for made in range(1 << count)]
    paths = {path for state in states for path in state}
    made = {path: sorted({state.get(path) for state in states}, key=str) for path in paths}
    expected = files if must == "refused" else project.after()
    return Case(project.name, name, must, files, answer, expected, made)


def _after(project: Project) -> dict[str, str]:
    return project.after()


# Parts of answers


def _lf(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return text if not text or text.endswith("\n") else text + "\n"


def _block(
    search: str, replace: str, *, begin: str = "<<<<<<< SEARCH", bar: str = "=======", end: str = ""
) -> str:
    return f"{begin}\n{_lf(search)}{bar}\n{_lf(replace)}{end or '>>>>>>> REPLACE'}\n"


def _whole(path: str, text: str, fence: str = "````", info: str = "") -> str:
    return f"{path}\n{fence}{info}\n{_lf(text)}{fence}\n"


def _blocks(project: Project, shape: Callable[[Change], str], new: bool = True) -> str:
    parts = [shape(change) for change in project.changes]
    parts += [_whole(path, text) for path, text in project.new.items() if new]
    return "\n".join(parts)


def _plain(change: Change) -> str:
    return f"{change.path}\n{_block(change.search, change.replace)}"


def _only_changes(project: Project) -> bool:
    return bool(project.changes) and not project.new


def _language(path: str) -> str:
    return {"py": "python", "js": "javascript", "ts": "typescript", "rs": "rust", "md": "markdown"}.get(
        path.rpartition(".")[2], path.rpartition(".")[2] if "." in path else ""
    )


# Well-formed


@way("right")
def blocks(project: Project) -> str:
    return _blocks(project, _plain)


@way("right")
def blocks_among_words(project: Project) -> str:
    body = _blocks(project, lambda change: f"Now `{change.path}`:\n\n{_plain(change)}\nThat was it.\n")
    return f"Sure! Here is what I changed, step by step.\n\n{body}\nLet me know if you need more, e.g. tests.\n"


@way("right")
def blocks_in_a_fence(project: Project) -> str:
    return _blocks(
        project,
        lambda change: f"{change.path}\n```{_language(change.path)}\n{_block(change.search, change.replace)}```\n",
    )


@way("right")
def the_path_in_the_fence(project: Project) -> str:
    return _blocks(project, lambda change: f"```\n{_plain(change)}```\n")


@way("right")
def the_path_behind_the_language(project: Project) -> str:
    return _blocks(
        project,
        lambda change: f"```text {change.path}\n{_block(change.search, change.replace)}```\n",
    )


@way("right")
def the_path_behind_the_marker(project: Project) -> str:
    return _blocks(
        project, lambda change: _block(change.search, change.replace, begin=f"<<<<<<< SEARCH {change.path}")
    )


@way("right")
def headings(project: Project) -> str:
    return _blocks(project, lambda change: f"### `{change.path}`\n\n{_block(change.search, change.replace)}")


@way("right")
def bold_paths(project: Project) -> str:
    return _blocks(project, lambda change: f"**File: {change.path}**\n{_block(change.search, change.replace)}")


@way("right")
def windows_line_ends(project: Project) -> str:
    return _blocks(project, _plain).replace("\n", "\r\n")


@way("right")
def reasoning_first(project: Project) -> str:
    return f"<think>\nMaybe I should write\n\n{_blocks(project, _plain, new=False)}\n?\n</think>\n" + blocks(
        project
    )


@way("right")
def reasoning_by_another_name(project: Project) -> str:
    return "<reasoning>What is asked?\n```python\nx = 1\n```\n</reasoning>\n\n" + blocks(project)


@way("right")
def whole_files(project: Project) -> str:
    return "\n".join(
        _whole(path, text) for path, text in project.after().items() if project.files.get(path) != text
    )


@way("right")
def whole_files_in_short_fences(project: Project) -> str | None:
    changed = {path: text for path, text in project.after().items() if project.files.get(path) != text}
    return "Done:\n\n" + "\n".join(
        _whole(f"**`{path}`**", text, "```", _language(path)) for path, text in changed.items()
    )


@way("right")
def whole_files_with_tildes(project: Project) -> str:
    return "\n".join(
        _whole(path, text, "~~~~") for path, text in project.after().items() if project.files.get(path) != text
    )


@way("right")
def small_markers(project: Project) -> str:
    return _blocks(
        project,
        lambda change: (
            f"{change.path}\n"
            + _block(change.search, change.replace, begin="<<<<<<< search", end=">>>>>>> replace")
        ),
    )


@way("right")
def markers_of_another_kind(project: Project) -> str:
    return _blocks(
        project,
        lambda change: (
            f"{change.path}\n"
            + _block(change.search, change.replace, begin="------- SEARCH", end="+++++++ REPLACE")
        ),
    )


@way("right")
def original_and_updated(project: Project) -> str:
    return _blocks(
        project,
        lambda change: (
            f"{change.path}\n"
            + _block(change.search, change.replace, begin="<<<<<<< ORIGINAL", end=">>>>>>> UPDATED")
        ),
    )


@way("right")
def a_token_of_the_model_at_the_end(project: Project) -> str:
    return blocks(project).rstrip("\n") + "<|im_end|>"


@way("right")
def no_newline_at_the_end(project: Project) -> str:
    return blocks(project).rstrip("\n")


@way("right")
def a_dot_before_paths(project: Project) -> str:
    return _blocks(project, lambda change: f"./{change.path}\n{_block(change.search, change.replace)}")


@way("right")
def paths_as_in_a_diff(project: Project) -> str:
    return _blocks(project, lambda change: f"a/{change.path}\n{_block(change.search, change.replace)}")


@way("right")
def paths_from_the_root(project: Project) -> str | None:
    return (
        _blocks(project, lambda change: f"/{change.path}\n{_block(change.search, change.replace)}")
        if all("." in change.path for change in project.changes)
        else None
    )


@way("right")
def paths_of_windows(project: Project) -> str | None:
    if not any("/" in change.path for change in project.changes):
        return None
    return (
        _blocks(
            project,
            lambda change: (
                f"`{change.path}`\n{_block(change.search, change.replace)}".replace("/", "\\", 3)
                if "\\" not in change.search
                else _plain(change)
            ),
        )
        if all("/" not in change.search + change.replace for change in project.changes)
        else None
    )


@way("right")
def paths_by_their_last_part(project: Project) -> str | None:
    if not any("/" in change.path for change in project.changes):
        return None
    return _blocks(
        project, lambda change: f"{change.path.rpartition('/')[2]}\n{_block(change.search, change.replace)}"
    )


@way("right")
def the_path_said_once(project: Project) -> str | None:
    paths = {change.path for change in project.changes}
    if len(paths) != 1 or not _only_changes(project):
        return None
    return f"{project.changes[0].path}\n" + "\n".join(
        _block(change.search, change.replace) for change in project.changes
    )


@way("right")
def spaces_at_line_ends_lost(project: Project) -> str:
    return _blocks(project, lambda change: f"{change.path}\n{_block(_trimmed(change.search), change.replace)}")


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in _lf(text).split("\n"))


@way("right")
def spaces_at_line_ends_gained(project: Project) -> str:
    return _blocks(
        project,
        lambda change: (
            f"{change.path}\n{_block(_lf(change.search).replace(chr(10), '  ' + chr(10)), change.replace)}"
        ),
    )


@way("right")
def with_a_line_of_context(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(project, lambda change: _widened(project, change, 1))


def _widened(project: Project, change: Change, lines: int) -> str:
    text = project.files[change.path]
    start = text.index(change.search)
    end = start + len(change.search)
    before = text[:start].splitlines(keepends=True)[-lines:]
    after = text[end:].splitlines(keepends=True)[:lines]
    taken = set()
    for other in project.changes:
        if other is not change and other.path == change.path:
            taken |= set(other.search.splitlines(keepends=True))
    head = "" if any(line in taken for line in before) else "".join(before)
    tail = "" if any(line in taken for line in after) else "".join(after)
    return f"{change.path}\n" + _block(head + change.search + tail, head + change.replace + tail)


@way("right")
def said_twice(project: Project) -> str:
    return blocks(project) + "\nOnce more, in full:\n\n" + blocks(project)


@way("right")
def made_already(project: Project) -> str | None:
    return _blocks(project, _plain) if _only_changes(project) else None


@way("right")
def tags_around_files(project: Project) -> str:
    return _blocks(
        project, lambda change: f'<file path="{change.path}">\n{_block(change.search, change.replace)}</file>\n'
    )


# Tolerated, or left to people


@way("either")
def without_indentation(project: Project) -> str | None:
    def shape(change: Change) -> str:
        lines = _lf(change.search + change.replace).split("\n")
        width = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        return f"{change.path}\n" + _block(_cut(change.search, width), _cut(change.replace, width))

    answer = _blocks(project, shape)
    return None if answer == blocks(project) else answer


def _cut(text: str, width: int) -> str:
    return "".join(line[width:] if line.strip() else line for line in _lf(text).splitlines(keepends=True))


@way("either")
def indented_too_deep(project: Project) -> str:
    return _blocks(
        project,
        lambda change: (
            f"{change.path}\n" + _block(_deeper(change.search, "    "), _deeper(change.replace, "    "))
        ),
    )


def _deeper(text: str, more: str) -> str:
    return "".join(more + line if line.strip() else line for line in _lf(text).splitlines(keepends=True))


@way("either")
def in_a_list(project: Project) -> str | None:
    def shape(change: Change) -> str:
        return f"1. `{change.path}`\n" + _deeper(_block(change.search, change.replace), "   ")

    return _blocks(project, shape)


@way("either")
def tabs_become_spaces(project: Project) -> str | None:
    answer = blocks(project).replace("\t", "    ")
    return None if answer == blocks(project) else answer


@way("either")
def spaces_become_tabs(project: Project) -> str | None:
    if not _four_spaces(project):
        return None

    def shape(change: Change) -> str:
        return f"{change.path}\n" + _block(_tabbed(change.search), _tabbed(change.replace))

    answer = _blocks(project, shape)
    return None if answer == blocks(project) else answer


def _four_spaces(project: Project) -> bool:
    return all(change.path.endswith((".py", ".rs", ".java")) for change in project.changes)


def _tabbed(text: str) -> str:
    return re.sub(r"^(?: {4})+", lambda found: "\t" * (len(found[0]) // 4), _lf(text), flags=re.MULTILINE)


@way("either")
def blank_lines_lost(project: Project) -> str | None:
    if not _only_changes(project):
        return None

    def shape(change: Change) -> str:
        search, bar, rest = _widened(project, change, 3).partition("=======\n")
        fewer = re.sub(r"\n\n+", "\n", search)
        # Without blank lines inside, it is another request: to put some in.
        there = fewer.partition("SEARCH\n")[2] in project.files[change.path].replace("\r\n", "\n")
        return (search if there else fewer) + bar + rest

    answer = _blocks(project, shape)
    return None if answer == _blocks(project, lambda change: _widened(project, change, 3)) else answer


@way("either")
def quotes_of_another_kind(project: Project) -> str | None:
    def shape(change: Change) -> str:
        return f"{change.path}\n" + _block(
            change.search.replace('"', "\u201d").replace("'", "\u2019"), change.replace
        )

    answer = _blocks(project, shape)
    return None if answer == blocks(project) else answer


@way("either")
def a_line_remembered_wrongly(project: Project) -> str | None:
    """A line of context says nearly the same, on both sides of the block."""
    if not _only_changes(project):
        return None
    answer = _blocks(project, lambda change: _misremembered(_widened(project, change, 4)))
    return None if answer == _blocks(project, lambda change: _widened(project, change, 4)) else answer


def _misremembered(block: str) -> str:
    return re.sub(
        r"\b(prices?|record|Welcome|waiting|hits|bytes|price|hits|offset)\b", lambda m: m[0] + "s", block, count=0
    )


@way("either")
def a_line_of_context_forgotten(project: Project) -> str | None:
    if not _only_changes(project):
        return None

    def shape(change: Change) -> str:
        wide = _widened(project, change, 4)
        head, _, rest = wide.partition("<<<<<<< SEARCH\n")
        lines = rest.splitlines(keepends=True)
        first = lines[1] if len(lines) > 6 else None
        if first is None or first in change.search or not first.strip():
            return wide
        kept = rest.replace(first, "")
        return f"{head}<<<<<<< SEARCH\n{kept}"

    answer = _blocks(project, shape)
    return None if answer == _blocks(project, lambda change: _widened(project, change, 4)) else answer


@way("either")
def whole_files_in_another_indentation(project: Project) -> str | None:
    if not _only_changes(project) or not _four_spaces(project):
        return None
    changed = {path: text for path, text in project.after().items() if project.files.get(path) != text}
    texts = {
        path: re.sub(r"^(?: {4})+", lambda m: "  " * (len(m[0]) // 4), text, flags=re.MULTILINE)
        for path, text in changed.items()
    }
    return None if texts == changed else "\n".join(_whole(path, text) for path, text in texts.items())


@way("either")
def a_wrong_folder(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(project, lambda change: f"myproject/{change.path}\n{_block(change.search, change.replace)}")


@way("either")
def cut_off(project: Project) -> str:
    answer = blocks(project)
    return answer[: len(answer) * 2 // 3]


@way("either")
def cut_off_near_the_end(project: Project) -> str:
    return blocks(project)[:-9]


@way("either")
def a_whole_file_without_an_end(project: Project) -> str:
    return whole_files(project).rstrip("`\n") + "\n"


@way("either")
def a_block_without_an_end(project: Project) -> str:
    return _blocks(project, lambda change: _plain(change).replace(">>>>>>> REPLACE\n", ""))


@way("either")
def reasoning_without_a_beginning(project: Project) -> str:
    return "So they want this:\n\n" + _blocks(project, _plain) + "\nYes.\n</think>\n\n" + blocks(project)


# Not to be used


@way("refused")
def no_divider(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(project, lambda change: _plain(change).replace("=======\n", ""))


@way("refused")
def two_dividers(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(project, lambda change: _plain(change).replace("=======\n", "=======\n=======\n"))


@way("refused")
def no_file(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return "Change this:\n\n" + "\n".join(_block(change.search, change.replace) for change in project.changes)


@way("refused")
def a_file_that_is_not_there(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(
        project, lambda change: f"lib/other_{len(change.search)}.xyz\n{_block(change.search, change.replace)}"
    )


@way("refused")
def a_path_out_of_the_project(project: Project) -> str:
    return "../../etc/passwd.txt\n````\nroot\n````\n"


@way("refused")
def an_example(project: Project) -> str | None:
    texts = [change.replace for change in project.changes] or list(project.new.values())
    return "You could write it like this:\n\n" + "\n".join(f"```\n{_lf(text)}```\n" for text in texts)


@way("refused")
def a_diff(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(project, lambda change: f"{change.path}\n```diff\n{_diff(change)}```\n")


@way("refused")
def a_bare_diff(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(project, lambda change: f"{change.path}\n```\n{_diff(change)}```\n")


def _diff(change: Change) -> str:
    gone = "".join(f"-{line}\n" for line in _lf(change.search).split("\n")[:-1])
    new = "".join(f"+{line}\n" for line in _lf(change.replace).split("\n")[:-1])
    return f"--- a/{change.path}\n+++ b/{change.path}\n@@ -1,9 +1,9 @@\n{gone}{new}"


@way("refused")
def a_command(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(project, lambda change: f"{change.path}\n```bash\nsed -i s/a/b/ {change.path}\n```\n")


@way("refused")
def lines_that_are_not_there(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(
        project,
        lambda change: (
            f"{change.path}\n"
            + _block("completely_invented(line)\nand_another(one)\n", "completely_invented(thing)\n")
        ),
    )


@way("refused")
def names_that_are_not_there(project: Project) -> str | None:
    """What is looked for resembles what is there, but speaks of something else."""
    if not _only_changes(project):
        return None
    answer = _blocks(project, lambda change: _renamed(_widened(project, change, 6)))
    return None if answer.count("_of_old") < 2 * len(project.changes) else answer


def _renamed(block: str) -> str:
    return re.sub(r"\b(def|class|function|fn|func|interface|const|let) (\w+)", r"\1 \2_of_old", block)


@way("refused")
def lines_left_out_of_whole_files(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return "\n".join(
        _whole(path, _elided(path) + "".join(c.replace for c in project.changes if c.path == path) + _elided(path))
        for path in {change.path: None for change in project.changes}
    )


@way("refused")
def lines_left_out_of_blocks(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    return _blocks(
        project, lambda change: f"{change.path}\n" + _block(change.search, _elided(change.path) + change.replace)
    )


@way("refused")
def lines_left_out_of_what_is_looked_for(project: Project) -> str | None:
    if not _only_changes(project):
        return None

    def shape(change: Change) -> str:
        text = project.files[change.path]
        first = text.splitlines(keepends=True)[0]
        more = _elided(change.path)
        return f"{change.path}\n" + _block(first + more + change.search, first + more + change.replace)

    return _blocks(project, shape)


def _elided(path: str) -> str:
    suffix = path.rpartition(".")[2]
    if suffix in {"html", "md"}:
        return "<!-- ... rest of the file unchanged ... -->\n"
    if suffix == "css":
        return "/* ... existing styles ... */\n"
    if suffix in {"js", "ts", "tsx", "go", "rs", "java", "json"}:
        return "// ... existing code ...\n"
    if suffix == "sql":
        return "-- ... rest of the file ...\n"
    return "# ... existing code ...\n"


@way("refused")
def only_what_changed_as_a_whole_file(project: Project) -> str | None:
    if not _only_changes(project) or any(len(text.split("\n")) < 8 for text in project.files.values() if text):
        return None
    return "\n".join(
        _whole(path, "".join(change.replace for change in project.changes if change.path == path))
        for path in {change.path: None for change in project.changes}
    )


@way("refused")
def an_ambiguous_place(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    path = project.changes[0].path
    lines = project.files[path].replace("\r\n", "\n").split("\n")
    twice = [line for line in lines if lines.count(line) > 1 and line.strip()]
    return f"{path}\n" + _block(f"{twice[0]}\n", "changed\n") if twice else None


@way("refused")
def json_instead(project: Project) -> str:
    return json.dumps({"changes": [asdict(change) for change in project.changes], "files": project.new}, indent=2)


@way("refused")
def reasoning_without_an_end(project: Project) -> str:
    return "<think>\nI would write:\n\n" + blocks(project)


@way("refused")
def words_alone(project: Project) -> str:
    return "I am sorry, but I cannot change that. Please ask somebody else.\n"


@way("refused")
def nothing(project: Project) -> str:
    return ""


@way("refused")
def a_readme_with_fences_in_a_short_fence(project: Project) -> str:
    return "NEW.md\n```\n# New\n\n```\nmake\n```\n\nend\n```\n"


@way("refused")
def a_block_within_a_whole_file(project: Project) -> str | None:
    if not _only_changes(project):
        return None
    change = project.changes[0]
    return f"{change.path}\n````\nsome text\n{_block(change.search, change.replace)}````\n"


def main() -> None:
    """Writes the corpus."""
    lines = [json.dumps(asdict(one), ensure_ascii=False, sort_keys=True) for one in cases()]
    data = ("\n".join(lines) + "\n").encode()
    # Without a time in it, the same corpus is the same file.
    CORPUS.write_bytes(gzip.compress(data, 9, mtime=0))


def read() -> list[Case]:
    """The corpus as it is stored."""
    return [Case(**json.loads(line)) for line in gzip.decompress(CORPUS.read_bytes()).decode().splitlines()]


if __name__ == "__main__":
    main()

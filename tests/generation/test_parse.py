from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab.ids import FilePath
from generation.answer import (
    FileClosed,
    FileDeleted,
    FileOpened,
    FileRenamed,
    FileText,
    HunkClosed,
    ParseEvent,
    ParseProblem,
    ProseSkipped,
    ReplaceText,
    Retracted,
    SearchCompleted,
    WholeFileOpened,
)
from generation.parse import Parser

APP = FilePath("src/app.py")
HUNK = """src/app.py
<<<<<<< SEARCH
old
=======
new
>>>>>>> REPLACE
"""


def merged(events: list[ParseEvent]) -> list[ParseEvent]:
    """The events with adjacent pieces of text joined: where those are cut depends on the chunks."""
    out: list[ParseEvent] = []
    for event in events:
        last = out[-1] if out else None
        if isinstance(event, ReplaceText | FileText | ProseSkipped) and type(last) is type(event):
            assert isinstance(last, ReplaceText | FileText | ProseSkipped)
            out[-1] = dataclasses.replace(last, text=last.text + event.text)
        else:
            out.append(event)
    return out


def parse(*chunks: str, known: tuple[str, ...] = (), limit: int = 100_000) -> list[ParseEvent]:
    parser = Parser(known, limit)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return merged(events + parser.finish())


def changes(*chunks: str, known: tuple[str, ...] = ()) -> list[ParseEvent]:
    return [event for event in parse(*chunks, known=known) if not isinstance(event, ProseSkipped)]


def hunk(path: str = "src/app.py", search: str = "old\n", replace: str = "new\n") -> list[ParseEvent]:
    file = FilePath(path)
    return [FileOpened(file), SearchCompleted(file, search), ReplaceText(replace), HunkClosed()]


def whole(path: str, text: str) -> list[ParseEvent]:
    return [WholeFileOpened(FilePath(path)), FileText(text), FileClosed()]


def test_a_block_replaces_what_it_names() -> None:
    assert changes(HUNK) == hunk()


def test_words_around_a_block_reach_no_file() -> None:
    assert changes("Sure! Here it is.\n\n" + HUNK + "\nThat is all.") == hunk()


def test_reasoning_reaches_no_file() -> None:
    assert changes("<think>\n" + HUNK + "</think>\nDone.\n") == []


def test_an_answer_goes_on_after_reasoning_on_the_same_line() -> None:
    assert changes("<think>hm</think>" + HUNK) == hunk()


def test_a_sentence_about_the_tag_is_not_reasoning() -> None:
    assert changes("Models write <think> first.\n" + HUNK) == hunk()


@pytest.mark.parametrize(
    "line",
    ["src/app.py", "`src/app.py`", "**src/app.py**", "### src/app.py", "File: `src/app.py`", "src/app.py:",
     "1. `src/app.py`", "- src/app.py", "./src/app.py", "src/app.py (new)", "**`src/app.py`**:"],
)  # fmt: skip
def test_the_line_before_a_fence_names_the_file(line: str) -> None:
    assert changes(f"{line}\n```python\nx = 1\n```\n") == whole("src/app.py", "x = 1\n")


@pytest.mark.parametrize(
    "info",
    [
        "python src/app.py",
        "python:src/app.py",
        "src/app.py",
        'python title="src/app.py"',
        "py file=src/app.py",
    ],
)
def test_the_fence_may_name_the_file(info: str) -> None:
    assert changes(f"```{info}\nx = 1\n```\n") == whole("src/app.py", "x = 1\n")


@pytest.mark.parametrize("path", ["__init__.py", ".gitignore", "Makefile", "a/.env", "docs/a b.md", "app (2).py"])
def test_unusual_names_are_recognised(path: str) -> None:
    assert changes(f"`{path}`\n```\nx\n```\n") == whole(path, "x\n")


def test_a_known_path_is_recognised_whatever_it_looks_like() -> None:
    assert changes("the notes\n```\nx\n```\n", known=("the notes",)) == whole("the notes", "x\n")


def test_code_without_a_path_is_an_example() -> None:
    assert changes("Run it like this:\n```\npython src/app.py\n```\n") == []


def test_a_file_mentioned_in_a_sentence_is_not_overwritten_by_an_example() -> None:
    assert changes("Use `src/app.py` like this:\n```\nx\n```\n") == []


def test_a_file_mentioned_in_a_sentence_is_where_a_block_looks() -> None:
    assert changes("Change `src/app.py` like this:\n\n" + HUNK.partition("\n")[2]) == hunk()


def test_a_second_block_without_a_path_is_for_the_same_file() -> None:
    block = HUNK.partition("\n")[2]
    assert changes(HUNK + "\nand\n\n" + block) == hunk() + hunk()


def test_blocks_may_stand_in_a_fence() -> None:
    block = HUNK.partition("\n")[2]
    assert changes("src/app.py\n```python\n" + block + block + "```\nDone.\n") == hunk() + hunk()


def test_the_path_may_stand_inside_the_fence() -> None:
    assert changes("```python\n" + HUNK + "```\n") == hunk()


def test_the_path_may_stand_before_and_inside_the_fence() -> None:
    assert changes("src/app.py\n```python\n" + HUNK + "```\n") == hunk()


def test_the_path_may_follow_the_marker() -> None:
    assert changes("<<<<<<< SEARCH src/app.py\nold\n=======\nnew\n>>>>>>> REPLACE") == hunk()


def test_a_file_whose_first_line_is_its_path_keeps_it() -> None:
    assert changes("a.txt\n```\na.txt\nb\n```\n") == whole("a.txt", "a.txt\nb\n")


def test_an_empty_fence_is_an_empty_file() -> None:
    assert changes("`a/__init__.py`\n```\n```\n") == [
        WholeFileOpened(FilePath("a/__init__.py")),
        FileClosed(),
    ]


def test_a_fence_inside_of_a_file_does_not_end_it() -> None:
    text = "# T\n```bash\nmake\n```\nend\n"
    assert changes("README.md\n```markdown\n" + text + "```\n") == whole("README.md", text)


def test_a_longer_fence_holds_shorter_ones() -> None:
    text = "a\n```\nb\n```\n"
    assert changes("README.md\n````\n" + text + "````\n") == whole("README.md", text)


def test_an_empty_search_and_an_empty_replacement_are_kept_apart() -> None:
    assert changes("a.py\n<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n") == [
        FileOpened(FilePath("a.py")),
        SearchCompleted(FilePath("a.py"), ""),
        HunkClosed(),
    ]


def test_lines_that_resemble_markers_are_text() -> None:
    text = ">>> x\n>>>>>>> REPLACED\n========\n<<<<\n======= =\n"
    assert changes(f"a.py\n<<<<<<< SEARCH\nold\n=======\n{text}>>>>>>> REPLACE\n") == hunk("a.py", replace=text)


def test_carriage_returns_before_newlines_are_dropped() -> None:
    assert changes(HUNK.replace("\n", "\r\n")) == hunk()


def test_deletions_and_renames_are_read() -> None:
    answer = "<<<<<<< DELETE old.py\n<<<<<<< RENAME a.py => b/c.py\n"
    assert changes(answer) == [
        FileDeleted(FilePath("old.py")),
        FileRenamed(FilePath("a.py"), FilePath("b/c.py")),
    ]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd.txt", "a//b.py", "a\\b.py"])
def test_a_path_that_is_not_allowed_is_a_problem(path: str) -> None:
    [problem] = changes(f"`{path}`\n```\nx\n```\n")
    assert isinstance(problem, ParseProblem)
    assert "left out" in problem.reason


def test_a_block_without_a_file_is_a_problem() -> None:
    [problem] = changes("<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n")
    assert isinstance(problem, ParseProblem)
    assert not problem.cut


def test_a_block_without_a_divider_is_a_problem_and_the_next_is_read() -> None:
    events = changes("a.py\n<<<<<<< SEARCH\nold\n>>>>>>> REPLACE\n" + HUNK)
    assert [type(event) for event in events[:2]] == [FileOpened, ParseProblem]
    assert events[2:] == hunk()


def test_a_block_with_two_dividers_is_void() -> None:
    events = changes("a.py\n<<<<<<< SEARCH\nold\n=======\nnew\n=======\nx\n>>>>>>> REPLACE\n" + HUNK)
    assert isinstance(events[3], ParseProblem)
    assert events[4:] == hunk()


@pytest.mark.parametrize("at", [len("src/app.py\n<<<<<<< SEARCH\nol"), len(HUNK) - 20])
def test_an_answer_that_ends_inside_of_a_block_is_cut(at: int) -> None:
    last = changes(HUNK[:at])[-1]
    assert isinstance(last, ParseProblem)
    assert last.cut
    assert "src/app.py" in last.reason


def test_an_answer_that_ends_inside_of_a_file_is_cut() -> None:
    last = changes("a.py\n```\nx\n")[-1]
    assert isinstance(last, ParseProblem)
    assert last.cut


def test_an_answer_over_the_limit_is_cut() -> None:
    parser = Parser(limit=100)
    events = parser.feed("src/app.py\n```\n" + "x" * 1000)
    assert isinstance(events[-1], ParseProblem)
    assert parser.feed("more") == []
    assert parser.finish() == []


def test_text_is_handed_on_before_its_line_ends() -> None:
    parser = Parser()
    parser.feed("a.py\n<<<<<<< SEARCH\nold\n=======\n")
    assert parser.feed("print(") == [ReplaceText("print(")]


def test_a_huge_line_of_prose_is_not_kept() -> None:
    parser = Parser()
    for _ in range(100):
        parser.feed("x" * 1000)
    assert len(parser._buffer) <= 5000


@pytest.mark.parametrize(
    ("begin", "divider", "end"),
    [
        ("<<<<<<< search", "=======", ">>>>>>> replace"),
        ("<<<<<<< ORIGINAL", "=======", ">>>>>>> UPDATED"),
        ("------- SEARCH", "=======", "+++++++ REPLACE"),
        ("<<<<< SEARCH", "=====", ">>>>> REPLACE"),
        ("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE```"),
        ("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE<|im_end|>"),
        ("<<<<<<< SEARCH", "======= ", ">>>>>>> REPLACE</s>"),
        ("<<<<<<<SEARCH", "=======", ">>>>>>>REPLACE"),
        ("  <<<<<<< SEARCH", "  =======", "  >>>>>>> REPLACE"),
    ],
)
def test_other_ways_to_write_the_markers(begin: str, divider: str, end: str) -> None:
    assert changes(f"src/app.py\n{begin}\nold\n{divider}\nnew\n{end}\n") == hunk()


def test_a_block_without_an_end_does_not_take_the_next_one_with_it() -> None:
    block = HUNK.partition("\n")[2]
    events = changes("src/app.py\n<<<<<<< SEARCH\na\n=======\nb\n" + block)
    assert isinstance(events[3], ParseProblem)
    assert events[4:] == hunk()


@pytest.mark.parametrize("tag", ["think", "thinking", "THINK", "reasoning", "thought", "reflection", "scratchpad"])
def test_every_tag_of_reasoning_is_read(tag: str) -> None:
    assert changes(f"<{tag}>\n{HUNK}</{tag}>\n\n{HUNK}") == hunk()


def test_reasoning_whose_beginning_is_not_marked_takes_back_what_it_said() -> None:
    events = changes(f"Maybe:\n{HUNK}No.</think>\n\n{HUNK}")
    assert events == [*hunk(), Retracted(), *hunk()]


def test_a_sentence_about_the_end_of_reasoning_is_prose() -> None:
    assert changes("It closes </think> there.\n" + HUNK) == hunk()


@pytest.mark.parametrize(
    "fence",
    ["```diff\n-old\n+new\n```", "```\n@@ -1,2 +1,2 @@\n-old\n+new\n```", "```\n--- a/x\n+++ b/x\n```",
     "```bash\npip install x\n```", "```java\nclass A {}\n```"],
)  # fmt: skip
def test_a_fence_that_cannot_be_the_file_is_a_problem(fence: str) -> None:
    [problem] = changes(f"src/app.py\n{fence}\n")
    assert isinstance(problem, ParseProblem)
    assert "src/app.py" in problem.reason


def test_a_script_may_stand_in_a_fence_of_a_shell() -> None:
    assert changes("run.sh\n```bash\nmake\n```\n") == whole("run.sh", "make\n")


def test_blank_lines_before_a_block_in_a_fence_do_not_make_it_a_file() -> None:
    block = HUNK.partition("\n")[2]
    assert changes(f"src/app.py\n```python\n\n{block}```\n") == hunk()


def test_blank_lines_at_the_start_of_a_file_stay() -> None:
    assert changes("a.txt\n```\n\n\nx\n```\n") == whole("a.txt", "\n\nx\n")


def test_a_file_that_holds_a_block_is_not_certain() -> None:
    events = changes("src/app.py\n```python\nx = 1\n" + HUNK.partition("\n")[2] + "```\n")
    assert isinstance(events[-1], ParseProblem)
    assert FileClosed() not in events


def test_prose_with_fences_in_a_fence_as_short_is_not_certain() -> None:
    answer = "README.md\n```markdown\n# T\n```\nmake\n```\nend\n```\n\nsrc/app.py\n```python\nx\n```\n"
    events = changes(answer)
    assert isinstance(events[-1], ParseProblem)
    assert "where it ends" in events[-1].reason
    assert FileClosed() not in events


def test_prose_without_fences_in_a_short_fence_is_read_and_so_is_what_follows() -> None:
    answer = "README.md\n```markdown\n# T\n```\n\nsrc/app.py\n```python\nx\n```\n" + HUNK
    assert changes(answer) == [*whole("README.md", "# T\n"), *whole("src/app.py", "x\n"), *hunk()]


LINES = st.sampled_from(
    [
        "src/app.py",
        "`b.md`",
        "text `c.py` more",
        "",
        "  ",
        "```",
        "````",
        "```python",
        "```py d.py",
        "~~~",
        "   ```",
        "<<<<<<< SEARCH",
        "<<<<<<< SEARCH e.py",
        "=======",
        ">>>>>>> REPLACE",
        ">>>>>>> REPL",
        "<<<<<<< DELETE f.py",
        "<<<<<<< RENAME g.py => h.py",
        "<think>",
        "<reasoning>",
        "  <<<<<<< SEARCH",
        "  >>>>>>> REPLACE",
        "------- SEARCH",
        "+++++++ REPLACE",
        ">>>>>>> REPLACE```",
        "README.md",
        "```markdown",
        "so</think>",
        "</think>",
        "a</thinking>b",
        "x = 1",
        "  \t",
        "../evil.py",
        "=====",
        "<<<<<<<",
        "é👍\u0301",
        "x" * 70,
        "y" * 5000,
        ">" * 64,
        "\r",
        "a\rb",
    ]
)
ANSWERS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\n", "\n", "\r\n", ""])), max_size=25).map(
    lambda lines: "".join(line + end for line, end in lines)
)


@settings(max_examples=400, deadline=None)
@given(ANSWERS, st.data())
def test_every_way_to_split_an_answer_gives_the_same(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=12)))
    chunks = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    for limit in (100_000, 300):
        expected = parse(answer, limit=limit)
        assert parse(*chunks, limit=limit) == expected
        assert parse(*answer, limit=limit) == expected


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400))
def test_no_text_makes_the_parser_fail(answer: str) -> None:
    assert parse(answer) == parse(*answer)

from __future__ import annotations

import random
import re
from collections.abc import Collection, Mapping
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from collab.document import Document
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.merge.suggestions import Suggestion
from collab.undo import undo
from generation.events import FileEnded, FileStarted, GenerationEvent, JobTokens
from generation.pipeline import AnswerWriter

BASE = {
    "app.py": "one\ntwo\nthree\nfour\nfive\n",
    "win.txt": "a\r\nb\r\nc\r\n",
    "end.txt": "x\ny",
    "empty.txt": "",
}
PERSON = ClientId(9)


class Scene:
    """A live document and a writer into it."""

    def __init__(
        self,
        *,
        review: bool = False,
        may_drop: bool = False,
        base: Mapping[str, str] = BASE,
        half_written: Collection[str] = (),
    ) -> None:
        self.live = Document(ClientId(1))
        for path, text in base.items():
            self._add(path, text)
        files, suggestions = count(1), count(1)
        self.writer = AnswerWriter(
            JobId("j1"),
            self.live,
            ClientId(5),
            mode="review" if review else "auto",
            offline=False,
            file_id=lambda: FileId(f"n{next(files)}"),
            suggestion_id=lambda: SuggestionId(f"s{next(suggestions)}"),
            answer_chars=100_000,
            may_drop=may_drop,
            half_written=lambda file: file in half_written,
        )
        self.writer.show([FileId(f"id-{path}") for path in base])
        self.suggestions: list[Suggestion] = []
        self.events: list[GenerationEvent] = []

    def _add(self, path: str, text: str) -> None:
        self.live.edit(lambda editor: editor.create(FileId(f"id-{path}"), path, text))

    def pull(self) -> None:
        outcome = self.writer.pull(self.live)
        if outcome.update is not None:
            self.writer.merged(self.live.apply([outcome.update], track=True), self.live)
        self.suggestions += outcome.suggestions
        self.events += outcome.events

    def write(self, answer: str) -> Scene:
        self.writer.feed(answer)
        self.writer.finish()
        self.pull()
        return self

    def text(self, path: str) -> str:
        return self.live.text(self.live.file(path).id)

    def undo(self) -> None:
        update, _ = undo(self.writer.session.ledger, self.live)
        if update is not None:
            self.live.apply([update])


def block(path: str, search: str, replace: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


def test_windows_line_ends_stay() -> None:
    assert Scene().write(block("win.txt", "b\n", "B\nBB\n")).text("win.txt") == "a\r\nB\r\nBB\r\nc\r\n"


def test_a_file_without_a_last_newline_stays_without() -> None:
    assert Scene().write(block("end.txt", "y\n", "Y\nZ\n")).text("end.txt") == "x\nY\nZ"


def test_a_file_that_the_job_has_left_half_written_gets_its_last_newline() -> None:
    whole = "end.txt\n````\nx\ny\nz\n````\n"
    assert Scene(half_written=["id-end.txt"]).write(whole).text("end.txt") == "x\ny\nz\n"
    assert Scene(half_written=["id-app.py"]).write(whole).text("end.txt") == "x\ny\nz"


def test_an_empty_file_is_filled() -> None:
    assert Scene().write(block("empty.txt", "", "new\n")).text("empty.txt") == "new\n"


def test_an_empty_search_makes_a_new_file() -> None:
    assert Scene().write(block("sub/new.txt", "", "new\n")).text("sub/new.txt") == "new\n"


def test_a_whole_file_changes_only_what_differs() -> None:
    scene = Scene()
    anchor = scene.live.anchor(FileId("id-app.py"), 19)
    scene.write("app.py\n````\none\nTWO\nthree\nfour\nfive\n````\n")
    assert scene.text("app.py") == "one\nTWO\nthree\nfour\nfive\n"
    assert scene.live.resolve(FileId("id-app.py"), anchor) == 19


def test_a_file_that_is_not_there_cannot_be_searched() -> None:
    scene = Scene().write(block("no.py", "x\n", "y\n"))
    assert "no.py is not there" in scene.writer.problems[0]
    assert scene.writer.changes == 0


def test_the_same_new_file_twice_is_asked() -> None:
    scene = Scene().write("n.py\n````\n1\n````\nn.py\n````\n2\n````\n")
    assert scene.text("n.py") == "1\n"
    assert [(s.kind, s.after) for s in scene.suggestions] == [("new_file", "2\n")]


def test_a_change_to_a_file_that_was_only_just_written_is_asked() -> None:
    scene = Scene().write("n.py\n````\n1\n````\n" + block("n.py", "1\n", "2\n"))
    assert [s.reason for s in scene.suggestions] == ["The file was only just written by this job."]


def test_two_changes_of_the_same_lines_are_not_both_made() -> None:
    scene = Scene().write(block("app.py", "two\nthree\n", "2\n3\n") + block("app.py", "three\nfour\n", "III\n"))
    assert scene.text("app.py") == "one\n2\n3\nfour\nfive\n"
    assert len(scene.suggestions) == 1


def test_what_is_cut_off_is_taken_back() -> None:
    scene = Scene()
    scene.writer.feed("app.py\n<<<<<<< SEARCH\ntwo\n=======\nTWO and\nsome more\nof it")
    scene.pull()
    assert "some more" in scene.text("app.py")
    scene.write("")
    assert scene.text("app.py") == BASE["app.py"]
    assert scene.writer.cut is not None


def test_each_file_begins_and_ends_once_with_its_counts() -> None:
    answer = block("app.py", "two\n", "2\n") + block("app.py", "four\n", "4\n") + block("end.txt", "zz\n", "z\n")
    scene = Scene().write(answer)
    assert [event for event in scene.events if not isinstance(event, JobTokens)] == [
        FileStarted("j1", "app.py"),
        FileStarted("j1", "end.txt"),
        FileEnded("j1", "app.py", 2, 0),
        FileEnded("j1", "end.txt", 0, 1),
    ]
    assert {(event.path, event.text) for event in scene.events if isinstance(event, JobTokens)} == {
        ("app.py", "2\n4\n"),
        ("end.txt", "z\n"),
    }


def test_in_review_nothing_is_written() -> None:
    scene = Scene(review=True).write(
        block("app.py", "two\n", "2\n") + "n.py\n````\n1\n````\nend.txt\n````\nq\n````\n"
    )
    assert {file.shown: scene.live.text(file.id) for file in scene.live.listing().files.values()} == BASE
    assert [s.kind for s in scene.suggestions] == ["hunk", "new_file", "whole_file"]


def test_a_block_whose_text_stands_there_already_is_done() -> None:
    scene = Scene().write(block("app.py", "two\n", "two\nthree\n"))
    assert scene.text("app.py") == BASE["app.py"]
    assert (scene.writer.changes, scene.writer.done, scene.suggestions) == (1, 1, [])


def test_a_block_that_was_made_already_is_done_though_its_lines_are_gone() -> None:
    scene = Scene().write(block("app.py", "2\n", "two\nthree\n"))
    assert scene.text("app.py") == BASE["app.py"]
    assert (scene.writer.done, scene.suggestions) == (1, [])


def test_what_is_written_as_it_stands_is_not_put_in_before_it_differs() -> None:
    scene = Scene()
    scene.writer.feed("app.py\n<<<<<<< SEARCH\ntwo\n=======\ntwo\nthr")
    scene.pull()
    assert scene.text("app.py") == BASE["app.py"]
    scene.write("ow\n>>>>>>> REPLACE\n")
    assert scene.text("app.py") == "one\ntwo\nthrow\nthree\nfour\nfive\n"


def test_lines_that_are_indented_in_another_way_are_found() -> None:
    scene = Scene().write(block("app.py", "  two\n  three\n", "  two\n    2.5\n  three\n"))
    assert scene.text("app.py") == "one\ntwo\n  2.5\nthree\nfour\nfive\n"


def test_a_file_is_found_by_the_end_of_its_path() -> None:
    scene = Scene(base={"src/app.py": "one\ntwo\n"}).write(block("app.py", "two\n", "2\n"))
    assert scene.text("src/app.py") == "one\n2\n"


def test_lines_that_are_left_out_in_a_whole_file_keep_it_as_it_is() -> None:
    scene = Scene()
    scene.writer.feed("app.py\n````\none\nTWO\n")
    scene.pull()
    scene.write("# ... rest of the file ...\n````\n")
    assert scene.text("app.py") == BASE["app.py"]
    assert {suggestion.kind for suggestion in scene.suggestions} == {"hunk"}
    assert all("left out" in suggestion.findings[0] for suggestion in scene.suggestions)


def test_lines_that_are_left_out_in_what_is_looked_for_have_no_place() -> None:
    scene = Scene().write(block("app.py", "one\n# ... existing code ...\nfive\n", "1\nfive\n"))
    assert scene.text("app.py") == BASE["app.py"]
    assert "leaves lines out" in scene.suggestions[0].reason


LONG = "".join(f"line {number}\n" for number in range(20))


def long_scene(*, may_drop: bool = False) -> Scene:
    return Scene(may_drop=may_drop, base={"app.py": LONG})


def test_a_whole_file_that_drops_most_of_it_is_held_back() -> None:
    scene = long_scene().write("app.py\n````\nline 3\nline 4 is new\n````\n")
    assert scene.text("app.py") == LONG
    assert all("keep only 1 of the file's 20 lines" in one.reason for one in scene.suggestions)
    assert scene.suggestions


def test_a_whole_file_that_drops_most_of_it_as_asked_is_written() -> None:
    scene = long_scene(may_drop=True).write("app.py\n````\nline 3\nline 4 is new\n````\n")
    assert scene.text("app.py") == "line 3\nline 4 is new\n"


def test_a_whole_file_that_is_about_as_long_is_written() -> None:
    new = "".join(f"other {number}\n" for number in range(15))
    assert long_scene().write(f"app.py\n````\n{new}````\n").text("app.py") == new


def test_a_fence_without_an_end_is_offered_where_the_model_has_ended() -> None:
    scene = Scene()
    scene.writer.feed("new.py\n````\nx = 1\n")
    scene.writer.finish(ended=True)
    scene.pull()
    assert scene.writer.cut is None
    assert scene.live.listing().by_path("new.py") is None
    assert [(one.kind, one.after) for one in scene.suggestions] == [("new_file", "x = 1\n")]


def test_what_was_only_reasoned_about_is_taken_back() -> None:
    scene = Scene()
    scene.writer.feed("Maybe:\n" + block("app.py", "two\n", "2\n") + "new.py\n````\nx\n````\n")
    scene.pull()
    assert "2\n" in scene.text("app.py")
    scene.write("no.</think>\n" + block("app.py", "four\n", "4\n"))
    assert scene.text("app.py") == BASE["app.py"].replace("four", "4")
    assert scene.live.listing().by_path("new.py") is None
    assert (scene.writer.changes, scene.writer.applied) == (1, 1)


def test_a_hunk_is_recalled_with_what_was_found() -> None:
    scene = Scene().write(block("app.py", "two\n", "2\n") + block("app.py", "four\n", "4\n"))
    [first, _] = scene.writer.draft.files["app.py"].edits
    assert scene.writer.recall(first.hunk, "Why.", ["What."])
    scene.pull()
    assert scene.text("app.py") == BASE["app.py"].replace("four", "4")
    [suggestion] = scene.suggestions
    assert (suggestion.before, suggestion.after) == ("two\n", "2\n")
    assert (suggestion.reason, suggestion.findings) == ("Why.", ("What.",))
    assert scene.writer.applied == 1
    assert not scene.writer.recall(first.hunk, "Why.", [])
    scene.undo()
    assert scene.text("app.py") == BASE["app.py"]


def test_a_draft_holds_what_the_answer_alone_makes() -> None:
    scene = Scene()
    scene.writer.feed(block("app.py", "two\n", "2\n"))
    insert(scene.live, FileId("id-app.py"), 0, "mine\n")
    scene.write(block("app.py", "four\n", "4\n") + "n.py\n````\nx\n````\n<<<<<<< RENAME end.txt => z.txt\n")
    draft = scene.writer.draft
    assert draft.text("app.py") == "one\n2\nthree\n4\nfive\n"
    assert draft.text("n.py") == "x\n"
    assert draft.text("z.txt") == BASE["end.txt"]
    assert draft.text("end.txt") is None
    assert set(draft.paths()) == {"app.py", "win.txt", "z.txt", "empty.txt", "n.py"}


ANSWER_LINES = st.sampled_from(
    [
        *("app.py", "win.txt", "end.txt", "empty.txt", "new.py", "<<<<<<< SEARCH", "<<<<<<< SEARCH", "======="),
        *("=======", ">>>>>>> REPLACE", ">>>>>>> REPLACE", "````", "one", "two", "three", "four", "five", "a"),
        *("b", "x", "y", "ONE", "👍 two", "", "<<<<<<< DELETE app.py", "<<<<<<< RENAME end.txt => z.txt"),
    ]
)
BLOCKS = st.builds(
    block,
    st.sampled_from([*BASE, "new.py"]),
    st.sampled_from(["", "one\n", "two\nthree\n", "four\n", "five\n", "b\n", "y\n", "none\n"]),
    st.sampled_from(["", "1\n", "two\n2\n", "👍\n", "x\ny\nz\n"]),
)
WHOLES = st.builds(
    lambda path, text: f"{path}\n````\n{text}````\n",
    st.sampled_from([*BASE, "new.py"]),
    st.sampled_from(["", "one\ntwo\n", "one\nTWO\nthree\nfour\nFIVE\n", "q\n"]),
)
ANSWERS = st.lists(BLOCKS | WHOLES | ANSWER_LINES.map(lambda line: line + "\n"), max_size=8).map("".join)


def insert(document: Document, file: FileId, at: int, text: str) -> None:
    document.edit(lambda editor: editor.splice(file, at, at, text))


def type_somewhere(person: Document, rng: random.Random, mark: str) -> list[str]:
    """Types a mark, not inside of another one; returns what was typed."""
    file = rng.choice(sorted(person.listing().files))
    content = person.text(file)
    spot = rng.randint(0, len(content))
    if re.search("«\\d*$", content[:spot]):
        return []
    insert(person, file, spot, mark)
    return [mark]


def without_marks(text: str, *, ended: bool) -> str:
    """The text without the marks, and without the line ends that keep marks of lines taken back apart.

    ``ended`` says whether the text ended with a line end before all.
    """
    text = re.sub("^(«\\d+»)+\r?\n", "", text, flags=re.MULTILINE)
    if not ended:
        text = re.sub("»\r?\n(«\\d+»)+$", "»", text)
    return re.sub("«\\d+»", "", text)


@settings(max_examples=150, deadline=None)
@given(ANSWERS, st.integers(0, 2**32))
def test_whatever_a_model_says_people_lose_nothing_and_undo_leaves_theirs(answer: str, seed: int) -> None:
    rng = random.Random(seed)
    scene = Scene()
    marks: list[str] = []
    person = scene.live.fork(PERSON)
    at = 0
    while at < len(answer):
        size = rng.randint(1, 30)
        scene.writer.feed(answer[at : at + size])
        at += size
        if rng.random() < 0.5:
            # Somebody types in a copy that may be behind by one merge.
            person.apply([scene.live.encode()])
        if rng.random() < 0.7:
            scene.pull()
        if rng.random() < 0.4:
            marks += type_somewhere(person, rng, f"«{len(marks)}»")
            scene.live.apply([person.encode(scene.live.state_vector())])
    scene.writer.finish()
    scene.pull()
    for draft in list(scene.writer.draft.files.values()):
        for edit in list(draft.edits):
            if rng.random() < 0.3:
                scene.writer.recall(edit.hunk, "Why.", ["What."])
    if rng.random() < 0.4:
        marks += type_somewhere(person, rng, f"«{len(marks)}»")
        scene.live.apply([person.encode(scene.live.state_vector())])
    scene.pull()
    whole = "\0".join(scene.live.text(file) for file in scene.live.listing().files)
    assert all(whole.count(mark) == 1 for mark in marks)
    scene.undo()
    after = {str(file.shown): scene.live.text(file.id) for file in scene.live.listing().files.values()}
    assert all("".join(after.values()).count(mark) == 1 for mark in marks)
    for path, text in BASE.items():
        assert without_marks(after[path], ended=text.endswith("\n")) == text
    assert all(without_marks(text, ended=False) == "" for path, text in after.items() if path not in BASE)


def test_text_typed_into_a_hunk_that_went_survives_a_rewrite_of_the_whole_file() -> None:
    scene = Scene()
    scene.writer.feed("app.py\n<<<<<<< SEARCH\nfive\n=======\n5\nV\n")
    scene.pull()
    file = FileId("id-app.py")
    insert(scene.live, file, scene.text("app.py").index("five") + 2, "«0»")
    scene.writer.feed(">>>>>>> REPLACE\n")
    scene.pull()
    scene.write("app.py\n````\n````\n")
    assert scene.text("app.py") == BASE["app.py"].replace("five", "fi«0»ve")
    assert [suggestion.kind for suggestion in scene.suggestions] == ["hunk", "whole_file"]

"""An answer that is broken off anywhere, and gone on with, is as if it had never been."""

from __future__ import annotations

from itertools import count

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId, FilePath, JobId, SuggestionId
from collab.merge.suggestions import Suggestion
from generation.continuing import go_on
from generation.kept import Kept
from generation.pipeline import AnswerWriter
from generation.ports import Message

APP = "one = 1\ntwo = 2\nthree = 3\n"
BLOCKS = [
    "app.py\n<<<<<<< SEARCH\none = 1\n=======\none = 10\n>>>>>>> REPLACE\n",
    "new.py\n````python\nx = 1\ny = 2\n````\n",
    "app.py\n<<<<<<< SEARCH\nthree = 3\n=======\n>>>>>>> REPLACE\n",
    "<<<<<<< RENAME old.py => moved.py\n",
]
ANSWER = "I change this.\n\n" + "\n".join(BLOCKS)
ASK = [Message("system", "s"), Message("user", "u")]


class Try:
    """A room with two files, and a writer."""

    def __init__(self) -> None:
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FileId("f-app"), "app.py", APP))
        self.live.edit(lambda editor: editor.create(FileId("f-old"), "old.py", "o\n"))
        numbers = count()
        self.writer = AnswerWriter(
            JobId("j"),
            self.live,
            ClientId(2),
            mode="auto",
            offline=False,
            file_id=lambda: FileId(f"f{next(numbers)}"),
            suggestion_id=lambda: SuggestionId(f"s{next(numbers)}"),
            answer_chars=100_000,
        )
        self.suggestions: list[Suggestion] = []

    def land(self) -> None:
        outcome = self.writer.pull(self.live)
        self.suggestions += outcome.suggestions
        if outcome.update is not None:
            self.writer.merged(self.live.apply([outcome.update], track=True), self.live)

    def files(self) -> dict[str, str]:
        listing = self.live.listing()
        return {file.shown: self.live.text(file.id) for file in listing.files.values()}


WHOLE = {"app.py": "one = 10\ntwo = 2\n", "new.py": "x = 1\ny = 2\n", "moved.py": "o\n"}


@pytest.mark.parametrize("again", [True, False], ids=["all_again", "the_rest"])
@pytest.mark.parametrize("at", range(0, len(ANSWER), 3))
def test_wherever_it_breaks_nothing_is_doubled_or_lost(at: int, again: bool) -> None:
    seen = Try()
    seen.writer.feed(ANSWER[:at])
    seen.land()
    seen.writer.resume()
    seen.land()
    done = len(seen.writer.kept)
    seen.writer.feed(ANSWER if again else "\n".join(BLOCKS[done:]))
    seen.writer.finish()
    seen.land()
    assert seen.files() == WHOLE
    assert (seen.suggestions, seen.writer.problems, seen.writer.cut) == ([], [], None)


def test_a_repeated_place_with_another_text_is_a_suggestion() -> None:
    seen = Try()
    seen.writer.feed(BLOCKS[0])
    seen.writer.resume()
    seen.writer.feed(BLOCKS[0].replace("one = 10", "one = 11"))
    seen.writer.finish()
    seen.land()
    assert seen.files()["app.py"].startswith("one = 10\n")
    [suggestion] = seen.suggestions
    assert "something else there" in suggestion.reason


def test_a_new_file_that_was_open_is_written_again() -> None:
    seen = Try()
    seen.writer.feed("new.py\n````\nx = 1\n")
    seen.land()
    seen.writer.resume()
    seen.land()
    assert "new.py" not in seen.files()
    seen.writer.feed("new.py\n````\nx = 2\n````\n")
    seen.writer.finish()
    seen.land()
    assert (seen.files()["new.py"], seen.suggestions) == ("x = 2\n", [])


def kept() -> Kept:
    made = Kept()
    made.add(FilePath("a.py"), "old\n", "new\n")
    return made


def test_nothing_kept_leaves_the_request_as_it_was() -> None:
    assert go_on(ASK, Kept(), prefill=True) == ASK


def test_what_is_kept_follows_the_same_messages_as_before() -> None:
    messages = go_on(ASK, kept(), prefill=False)
    assert messages[:2] == ASK
    assert messages[2] == Message("assistant", kept().text())
    assert "broken off" in messages[3].content


def test_with_prefill_the_last_word_is_the_models() -> None:
    last = go_on(ASK, kept(), prefill=True)[-1]
    assert last.role == "assistant"
    assert last.content == last.content.rstrip()


def test_too_much_to_repeat_is_told_by_its_files() -> None:
    large = Kept()
    large.add(FilePath("a.py"), None, "x" * 100_000)
    [told] = go_on(ASK, large, prefill=True)[2:]
    assert told.role == "user"
    assert "a.py" in told.content
    assert len(told.content) < 1_000

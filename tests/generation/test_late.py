from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.ledger import Ledger
from collab.merge.late import Late
from collab.merge.session import MergeSession
from collab.merge.suggestions import Suggestion, answer
from collab.wire import IdRange
from generation.late import overlaps, question

FILE = FileId("f1")
TEXT = "one = 1\ntwo = 2\nthree = 3\n"


def collided(new: str, at: int, typed: str) -> tuple[Document, Suggestion | None, Ledger]:
    """A job made ``new`` of the text while somebody who had not seen that typed at ``at``."""
    live = Document(ClientId(1))
    live.edit(lambda editor: editor.create(FILE, "a.py", TEXT))
    ada = Document(ClientId(7))
    ada.apply([live.encode()])
    session = MergeSession(live, ClientId(9))
    whole = session.open_whole(FILE)
    session.write(whole, new)
    session.close(whole)
    update = session.pull(live).update
    assert update is not None
    session.merged(live.apply([update], track=True), live)
    ada.edit(lambda editor: editor.splice(FILE, at, at, typed))
    live.apply([ada.encode(live.state_vector())])
    late = Late(JobId("j1"), IdRange(ClientId(7), 0, len(typed.encode("utf-16-le")) // 2))
    return live, question(live, late, session.ledger, [], SuggestionId("s1"), 5), session.ledger


def test_the_room_is_asked_about_the_line_as_its_author_meant_it() -> None:
    live, asked, _ = collided(TEXT.replace("two = 2", "both = 5"), 15, "0")
    assert asked is not None
    assert (asked.before, asked.after) == ("two = 2\n", "two = 20\n")
    assert asked.ours == live.text(FILE)[8:-10]
    assert "0" in asked.ours
    assert (asked.conflict, asked.path, asked.at_ms) == ("overlapping_edits", "a.py", 5)


def test_accepting_it_puts_their_line_there() -> None:
    live, asked, _ = collided(TEXT.replace("two = 2", "both = 5"), 15, "0😀")
    assert asked is not None
    update, _ = answer(live, asked, ClientId(11))
    assert update is not None
    live.apply([update])
    assert live.text(FILE) == TEXT.replace("two = 2", "two = 20😀")


def test_lines_that_are_as_they_were_meant_are_not_asked() -> None:
    _, asked, _ = collided(TEXT.replace("three = 3", "drei"), 7, "0")
    assert asked is None


def test_two_questions_about_one_line_overlap() -> None:
    live, asked, _ = collided(TEXT.replace("two = 2", "both = 5"), 15, "0")
    assert asked is not None
    assert overlaps(live, asked, asked)

from __future__ import annotations

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.merge.pen import Pen
from collab.merge.structs import goes_on

FILE = FileId("f")
TEXTS = [" and more", "\n", "z\u00e4h \U0001f600", "x" * 300, "e\u0301"]


def written(document: Document, at: int, text: str) -> bytes:
    update = document.edit(lambda editor: editor.splice(FILE, at, at, text))[1].update
    assert update is not None
    return update


@pytest.fixture(params=["", "before\nbehind\n"])
def document(request: pytest.FixtureRequest) -> Document:
    base = Document(ClientId(1))
    base.edit(lambda editor: editor.create(FILE, "a.txt"))
    if request.param:
        written(base, 0, request.param)
    return base.fork(ClientId(3_000_000_000))


def test_a_pen_writes_what_the_fork_would_write(document: Document) -> None:
    at = min(7, len(document.text(FILE)))
    first = written(document, at, "here")
    pen = Pen.behind(first, FILE, at + 4, document.version)
    assert pen is not None
    for text in TEXTS:
        place = pen.at
        update, ids = pen.write(text)
        assert update == written(document, place, text)
        assert ids.client == 3_000_000_000
        assert goes_on(update) == 3_000_000_000


def test_what_else_an_update_does_is_no_going_on(document: Document) -> None:
    first = written(document, 0, "here")
    assert goes_on(first) is None
    written(document, 4, "now")
    gone = document.edit(lambda editor: editor.splice(FILE, 0, 2, ""))[1].update
    both = document.edit(lambda editor: editor.splice(FILE, 1, 3, "x"))[1].update
    assert gone is not None
    assert both is not None
    assert goes_on(gone) is None
    assert goes_on(both) is None
    assert goes_on(b"") is None
    assert Pen.behind(gone, FILE, 0, document.version) is None
    assert Pen.behind(both, FILE, 0, document.version) is None

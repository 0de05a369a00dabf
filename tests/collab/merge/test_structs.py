from __future__ import annotations

import pycrdt
import pytest

from collab.document import Document
from collab.errors import MalformedMessage
from collab.ids import ClientId, FileId
from collab.merge.structs import DeleteSet, read_structs
from collab.wire import IdRange, delete_set_update

FILE = FileId("f1")
A, B = ClientId(7), ClientId(2**32 - 5)


def test_the_structs_of_a_keystroke_tell_its_ids_and_neighbours() -> None:
    document = Document(A)
    document.edit(lambda editor: editor.create(FILE, "a.txt", "ab"))
    start = document.runs(FILE)[0].clock
    writer = document.fork(B)
    update = writer.edit(lambda editor: editor.splice(FILE, 1, 1, "é😀"))[1].update
    assert update is not None
    structs, _ = read_structs(update)
    (run,) = structs[B]
    assert (run.ids, run.origin, run.text) == (IdRange(B, 0, 3), (A, start), "é😀")
    assert (run.right_client, run.right_clock) == (A, start + 1)


def test_every_kind_of_content_is_read() -> None:
    doc: pycrdt.Doc[pycrdt.Map[object]] = pycrdt.Doc(client_id=A)
    root = doc.get("root", type=pycrdt.Map)
    root["values"] = {"a": [1, 2.5, "x", True, None, 2**60], "b": b"bytes", "big": -(2**40)}
    text = pycrdt.Text("bold")
    root["text"] = text
    text.format(0, 2, {"bold": True})
    text.insert_embed(1, {"image": "x"})
    root["list"] = pycrdt.Array([1, "two", b"three", pycrdt.Map({"four": 4})])
    root["xml"] = pycrdt.XmlFragment([pycrdt.XmlElement("p", {"class": "x"}, [pycrdt.XmlText("text")])])
    root["doc"] = pycrdt.Doc()
    del root["values"]
    update = doc.get_update()
    structs, at = read_structs(update)
    assert sum(run.length for run in structs[A]) == structs[A][-1].clock + structs[A][-1].length
    assert "bold"[0] in "".join(run.text for run in structs[A])
    assert DeleteSet().changed(update, at)
    assert len(text) == 5


def test_what_is_new_in_a_delete_set_is_told_once() -> None:
    deleted = DeleteSet()
    first = delete_set_update([IdRange(A, 3, 2), IdRange(B, 1, 1)])
    assert sorted(deleted.changed(first, 1), key=lambda ids: ids.client) == [IdRange(A, 3, 2), IdRange(B, 1, 1)]
    assert deleted.changed(first, 1) == []
    second = delete_set_update([IdRange(A, 3, 2), IdRange(A, 9, 1), IdRange(B, 1, 2)])
    assert sorted(deleted.changed(second, 1), key=lambda ids: ids.client) == [IdRange(A, 9, 1), IdRange(B, 1, 2)]


@pytest.mark.parametrize("cut", range(2, 12))
def test_an_update_that_ends_too_early_is_refused(cut: int) -> None:
    document = Document(A)
    document.edit(lambda editor: editor.create(FILE, "a.txt", "ab"))
    update = document.edit(lambda editor: editor.splice(FILE, 1, 1, "typed"))[1].update
    assert update is not None
    with pytest.raises(MalformedMessage):
        read_structs(update[:-cut])


def test_an_unknown_content_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="unknown kind 31"):
        read_structs(b"\1\1\7\0\x9f\7\0")

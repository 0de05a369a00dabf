from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.ledger import Ledger
from collab.undo import undo
from generation.recovery import recovered

JOB = ClientId(77)
FILE = FileId("f")


def written() -> Document:
    live = Document(ClientId(1))
    live.edit(lambda editor: editor.create(FILE, "a.py", "mine\n"))
    fork = live.fork(JOB)
    fork.edit(lambda editor: editor.splice(FILE, 5, 5, "job's 👍\n"))
    live.apply([fork.encode()])
    return live


def test_text_that_the_ledger_lacks_is_found_by_its_client_id() -> None:
    live = written()
    update, _ = undo(recovered(Ledger(), [JOB], live), live)
    assert update is not None
    live.apply([update])
    assert live.text(FILE) == "mine\n"


def test_a_ledger_that_is_whole_stays_as_it_is() -> None:
    live = written()
    whole = recovered(Ledger(), [JOB], live)
    assert recovered(whole, [JOB], live) is whole


def test_other_peoples_text_is_not_taken() -> None:
    live = written()
    assert recovered(Ledger(), [ClientId(5)], live).empty

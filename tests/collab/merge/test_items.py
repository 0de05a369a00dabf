from __future__ import annotations

from random import Random

import pytest

from collab.document import Document
from collab.errors import NotFound
from collab.ids import ClientId, FileId
from collab.merge.items import Run, State
from tests.collab.merge.histories import FILE, typed

SEEDS = range(25)


def told(runs: list[Run]) -> list[tuple[int, int, bool, str]]:
    """The units of a list one by one: two indexes may have cut it into other runs."""
    return [
        (run.client, run.clock + at, run.alive, run.units[at * 2 : at * 2 + 2].decode("utf-16-le", "replace"))
        for run in runs
        for at in range(run.length)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_items_of_a_text_stand_in_its_order(seed: int) -> None:
    document = typed(seed, "ab\né😀")
    runs = State(document).runs(FILE)
    assert b"".join(run.units for run in runs).decode("utf-16-le") == document.text(FILE)
    assert "".join(run.text for run in runs) == document.text(FILE)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_index_that_follows_edits_is_the_one_that_is_built_anew(seed: int) -> None:
    random = Random(seed)
    document = typed(seed, "ab\né😀")
    document.runs(FILE)
    writers = [document.fork(ClientId(random.getrandbits(32))) for _ in range(3)]
    for _ in range(30):
        writer = random.choice(writers)
        length = len(writer.text(FILE))
        start = random.randint(0, length)
        end = min(length, start + random.choice([0, 0, 1, 5]))
        text = "".join(random.choices("xy\né😀", k=random.choice([0, 1, 4])))
        writer.edit(lambda editor, s=start, e=end, t=text: editor.splice(FILE, s, e, t))  # type: ignore[misc]
        if random.random() < 0.4:
            document.apply([writer.encode(document.state_vector())])
            writer.apply([document.encode(writer.state_vector())])
            if random.random() < 0.5:
                assert told(document.runs(FILE)) == told(document.fork(ClientId(5)).runs(FILE))
    assert "".join(run.text for run in document.runs(FILE)) == document.text(FILE)


def test_no_item_was_written_behind_the_middle_of_another() -> None:
    for seed in SEEDS:
        runs = typed(seed, "ab\n").runs(FILE)
        last = {run.last for run in runs}
        assert all(run.origin is None or run.origin in last for run in runs)


def test_deleted_text_is_there_without_its_content() -> None:
    document = Document(ClientId(1))
    document.edit(lambda editor: editor.create(FILE, "a.txt", "abc"))
    assert [(run.alive, run.text) for run in document.runs(FILE)] == [(True, "abc")]
    document.edit(lambda editor: editor.splice(FILE, 1, 2, ""))
    assert [(run.alive, run.text) for run in document.runs(FILE)] == [(True, "a"), (False, ""), (True, "c")]
    document.forget_runs()
    assert [(run.alive, run.text) for run in document.runs(FILE)] == [(True, "a"), (False, ""), (True, "c")]


def test_each_file_has_its_own_items() -> None:
    document = Document(ClientId(1))
    document.edit(lambda editor: editor.create(FILE, "a.txt", "abc"))
    assert document.runs(FILE)
    other = FileId("f2")
    document.edit(lambda editor: editor.create(other, "b.txt"))
    assert document.runs(other) == []
    document.edit(lambda editor: editor.splice(other, 0, 0, "xyz"))
    document.edit(lambda editor: editor.rename(FILE, "c.txt"))
    assert "".join(run.text for run in document.runs(other)) == "xyz"
    document.edit(lambda editor: editor.delete(FILE))
    assert "".join(run.text for run in document.runs(other)) == "xyz"
    with pytest.raises(NotFound):
        document.runs(FILE)

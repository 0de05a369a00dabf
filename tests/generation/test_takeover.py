"""A node that dies at any step leaves what another one can go on with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId, JobId
from collab.ledger import Created, Deleted, Ledger
from collab.merge.hunks import HunkId
from collab.undo import undo
from collab.wire import IdRange
from generation.book import KEPT_KINDS, OPEN, Book
from generation.events import JobFinished
from generation.openhunks import PAGE_BYTES, OpenHunks, open_ledgers
from generation.ports import FinishDelta, TextDelta
from generation.recovery import recovered
from generation.scripted import ScriptedModel, Step
from generation.takeover import drop_open, withdraw, without
from generation.views import GenerationRequest
from tests.generation.cluster import FakeCluster
from tests.generation.fakes import ADA, ROOM

JOB = JobId("j1")
FILE = FileId("f")
HUNK = HunkId(0)
LINES = "".join(f"line {number}\n" for number in range(12))
ANSWER = (
    "a.txt\n<<<<<<< SEARCH\nline 2\nline 3\nline 4\n=======\nline 2\nthree\nfour 👍\nand more\n>>>>>>> REPLACE\n"
    "a.txt\n<<<<<<< SEARCH\nline 8\nline 9\n=======\nLINE 8\nnine\n>>>>>>> REPLACE\n"
    "new.txt\n````\nx = 1\ny = 2\n````\n"
    "a.txt\n<<<<<<< SEARCH\nline 11\n=======\n>>>>>>> REPLACE\n"
)
HUNKS = (
    ("line 2\nline 3\nline 4\n", "line 2\nthree\nfour 👍\nand more\n"),
    ("line 8\nline 9\n", "LINE 8\nnine\n"),
    ("line 11\n", ""),
)

Steps = Sequence[bytes | tuple[str, str, bytes | None]]


async def stored(size: int) -> Steps:
    """All that a job stores, step by step, whose model says ``size`` characters at a time."""
    steps: list[Step] = []
    for start in range(0, len(ANSWER), size):
        # Longer than the interval of merges, so that each piece is merged on its own.
        steps += [TextDelta(ANSWER[start : start + size]), lambda: asyncio.sleep(0.002)]
    async with FakeCluster() as cluster:
        node = cluster.node("a", ScriptedModel([*steps, FinishDelta("stop")]))
        node.room().add("a.txt", LINES)
        await node.generation.submit(ROOM, GenerationRequest("change a.txt"), ADA)
        await node.room().until(lambda: node.room().of(JobFinished))
        assert node.room().of(JobFinished)[0].job.state == "complete"
        return cluster.shared.steps


def at(steps: Steps) -> tuple[Document, Book]:
    """What a node finds after these steps."""
    document = Document(ClientId(99))
    records: dict[str, dict[str, bytes]] = {kind: {} for kind in KEPT_KINDS}
    for step in steps:
        if isinstance(step, bytes):
            document.apply([step])
        else:
            kind, key, value = step
            if value is None:
                records[kind].pop(key, None)
            else:
                records[kind][key] = value
    return document, Book.read(records, interrupt=None)


def texts(document: Document) -> Mapping[str, str]:
    return {file.shown: document.text(file.id) for file in document.listing().files.values()}


def whole_hunks(document: Document) -> bool:
    """Whether each hunk stands as a whole, or not at all."""
    found = texts(document)
    if found.keys() - {"a.txt", "new.txt"} or found.get("new.txt", "x = 1\ny = 2\n") != "x = 1\ny = 2\n":
        return False
    possible = {LINES}
    for before, after in HUNKS:
        possible |= {text.replace(before, after) for text in possible}
    return found["a.txt"] in possible


@pytest.mark.parametrize("size", [2, 9, 40])
async def test_whenever_a_node_dies_no_hunk_stays_half_written_and_undo_takes_back_the_rest(size: int) -> None:
    steps = await stored(size)
    begun = next(index for index, step in enumerate(steps) if not isinstance(step, bytes)) + 1
    halves = 0
    for end in range(begun, len(steps) + 1):
        document, book = at(steps[:end])
        [job] = book.jobs.values()
        if not job.running:
            continue
        halves += not whole_hunks(document)
        withdraw(book, job, document, lambda update, _, to=document: to.apply([update]))  # type: ignore[misc]
        assert whole_hunks(document), (end, texts(document))
        assert drop_open(book) is not None
        assert not book.open_hunks
        ledger = Ledger.from_bytes(book.ledgers[job.id]) if job.id in book.ledgers else Ledger()
        update, _ = undo(recovered(ledger, job.clients, document), document)
        if update is not None:
            document.apply([update])
        assert texts(document) == {"a.txt": LINES}, end
    assert halves > 3


async def test_taking_over_twice_changes_nothing_more() -> None:
    steps = await stored(9)
    for end in range(1, len(steps)):
        document, book = at(steps[:end])
        if not (book.jobs and next(iter(book.jobs.values())).running):
            continue
        _, again = at(steps[:end])
        found = []
        for one in (book, again):
            [job] = one.jobs.values()
            withdraw(one, job, document, lambda update, _, to=document: to.apply([update]))  # type: ignore[misc]
            found.append(texts(document))
        assert found[0] == found[1]


async def test_records_of_open_hunks_are_gone_at_the_end() -> None:
    _, book = at(await stored(9))
    assert book.open_hunks == {}


def test_pages_of_a_large_hunk_make_up_its_ledger() -> None:
    records = OpenHunks(JOB, 3)
    whole = Ledger()
    stored: dict[str, bytes] = {}
    for number in range(40):
        part = Ledger(deleted=[Deleted(FILE, "x" * 1_000, (IdRange(ClientId(5), number, 1),), ())])
        part.insert(FILE, IdRange(ClientId(7), number, 1))
        whole.extend(part)
        for change in records.ahead({HUNK: part}):
            assert change.kind == OPEN
            assert change.value is not None
            assert len(change.value) < PAGE_BYTES + 2_000
            stored[change.key] = change.value
    assert len(stored) > 4
    assert open_ledgers(stored, JOB, 3) == [whole]
    assert open_ledgers(stored, JOB, 2) == []
    assert open_ledgers(stored, JobId("j"), 3) == []
    assert records.settled(set())
    assert not records.settled({HUNK})
    assert {change.key for change in records.forget(set())} >= stored.keys()


def test_a_ledger_without_a_part_has_all_the_rest() -> None:
    job, other = ClientId(7), ClientId(5)
    part, rest = Ledger(), Ledger()
    part.insert(FILE, IdRange(job, 10, 5))
    part.deleted.append(Deleted(FILE, "ab", (IdRange(other, 0, 2),), ()))
    part.created.append(Created(FileId("g"), "g"))
    rest.insert(FILE, IdRange(job, 0, 10))
    rest.deleted.append(Deleted(FILE, "cd", (IdRange(other, 2, 2),), ()))
    rest.created.append(Created(FileId("h"), "h"))
    whole = Ledger()
    whole.extend(rest)
    whole.extend(part)
    assert without(whole, [part]) == rest
    assert without(whole, []) == whole

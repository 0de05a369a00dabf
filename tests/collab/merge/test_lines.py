from __future__ import annotations

import pytest

from collab.document import Document
from collab.ids import ClientId
from collab.merge.items import State
from collab.merge.lines import line_ends_to_keep
from collab.merge.ranges import IdRanges
from collab.wire import IdRange
from tests.collab.merge.histories import FILE

JOB, PERSON = ClientId(9), ClientId(7)


def kept(base: str, at: int, lines: str, where: int, typed: str) -> int:
    """How many units stay of ``lines``, which a job put into ``base``, after somebody typed behind ``where``."""
    document = Document(ClientId(1))
    document.edit(lambda editor: editor.create(FILE, "a.txt", base))
    for client, place, text in ((JOB, at, lines), (PERSON, where, typed)):
        writer = document.fork(client)
        writer.edit(lambda editor, place=place, text=text: editor.splice(FILE, place, place, text))  # type: ignore[misc]
        document.apply([writer.encode(document.state_vector())])
    going = IdRanges([IdRange(JOB, 0, 100)])
    return len(line_ends_to_keep(State(document).runs(FILE), going, going, IdRanges()))


@pytest.mark.parametrize(("lines", "units"), [("job\n", 1), ("job\r\n", 2), ("\n", 0), ("\n\n", 1)])
def test_a_line_end_stays_behind_what_was_typed_in_its_line(lines: str, units: int) -> None:
    assert kept("a\nz\n", 2, lines, 2 + max(1, len(lines) - units) if units else 2, "😀 typed") == units


def test_only_the_line_in_which_somebody_typed_keeps_its_end() -> None:
    assert kept("a\nz\n", 2, "one\ntwo\nthree\n", 8, "typed") == 1


def test_blanks_and_whole_lines_that_were_typed_keep_no_line_end() -> None:
    assert kept("a\nz\n", 2, "job\n", 5, "  ") == 0
    assert kept("a\nz\n", 2, "job\n", 6, "typed\n") == 0


def test_at_the_end_of_the_file_no_line_end_is_needed() -> None:
    assert kept("a\n", 2, "job\n", 5, "typed") == 0


def test_what_was_typed_behind_other_text_keeps_no_line_end() -> None:
    assert kept("ab", 2, "job\n", 1, "typed") == 0

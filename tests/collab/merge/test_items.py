from __future__ import annotations

import pytest

from collab.merge.items import State
from tests.collab.merge.histories import FILE, typed


@pytest.mark.parametrize("seed", range(25))
def test_the_items_of_a_text_stand_in_its_order(seed: int) -> None:
    document = typed(seed, "ab\né😀")
    runs = State(document).runs(FILE)
    assert b"".join(run.units for run in runs).decode("utf-16-le") == document.text(FILE)
